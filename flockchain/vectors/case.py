"""A case of a vector file: JSON fields, read strictly.

Invariant: a field is used only after its form was checked; a refusal names the field and the rule.
Source: RFC 8259 (JSON); docs/vectors.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_HEX: Final = re.compile(r"(?:0x)?(?:[0-9a-fA-F]{2})*", re.ASCII)
_INTEGER: Final = re.compile(r"-?[0-9]{1,80}", re.ASCII)


class VectorError(ValueError):
    """A file or case is malformed, or of a scheme that cannot be run; says which and why."""


class Case:
    """One case."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields

    def has(self, name: str) -> bool:
        """Whether the field is given."""
        return name in self._fields

    def get(self, name: str) -> object:
        """A field of any form. Raises VectorError if it is missing."""
        if name not in self._fields:
            raise VectorError(f"the field {name!r} is missing")
        return self._fields[name]

    def octets(self, name: str) -> bytes:
        """A field of bytes. Raises VectorError."""
        return to_bytes(self.get(name), name)

    def integer(self, name: str) -> int:
        """A field of an integer. Raises VectorError."""
        return to_integer(self.get(name), name)

    def items(self, name: str) -> list[object]:
        """A field of a list. Raises VectorError."""
        found = self.get(name)
        if not isinstance(found, list):
            raise VectorError(f"{name!r} is no list")
        return found


def to_bytes(value: object, name: str) -> bytes:
    """Bytes of hexadecimal digits, with or without 0x. Raises VectorError."""
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise VectorError(f"{name!r} is no hexadecimal text of whole bytes")
    return bytes.fromhex(value.removeprefix("0x"))


def to_integer(value: object, name: str) -> int:
    """An integer, as a number or as decimal digits in quotes. Raises VectorError."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if type(value) is not int:
        raise VectorError(f"{name!r} is no integer")
    return value
