"""Strict reading of a JSON document, value by value, where every refusal names the key path.

Owns the rules that hold for all keys: none twice, none unknown, none missing, types as written.
Invariant: whatever the document holds, only SpecError leaves this module.
Source: RFC 8259; Substrate `sc_chain_spec` (`deny_unknown_fields`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, NoReturn

from genesis.errors import SpecError

DOCUMENT_BYTES_MAX: Final = 256 * 1024 * 1024
_NODES_MAX: Final = 10_000_000
_SHOWN_CHARACTERS: Final = 40
_HEX: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)


class _Object(dict[str, object]):
    """A JSON object that remembers a key that it was given twice."""

    duplicate: str | None = None


def parse_document(text: str | bytes) -> Reader:
    """The document's root. Raises: SpecError."""
    if len(text) > DOCUMENT_BYTES_MAX:
        raise SpecError("", f"the document is longer than {DOCUMENT_BYTES_MAX} bytes")
    try:
        value = json.loads(text, object_pairs_hook=_to_object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise SpecError("", f"no JSON document: {error}") from None
    root = Reader(value, "")
    for reader in root.walk():
        if isinstance(reader.value, _Object) and reader.value.duplicate is not None:
            reader.key(reader.value.duplicate).fail("the key appears twice")
    return root


def _to_object(pairs: list[tuple[str, object]]) -> _Object:
    found = _Object(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                found.duplicate = name
                break
            seen.add(name)
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


@dataclass(frozen=True, slots=True)
class Reader:
    """A JSON value and the path by which it is reached. All methods raise SpecError."""

    value: object
    path: str

    def fail(self, rule: str) -> NoReturn:
        """Refuse this value."""
        raise SpecError(self.path, rule)

    def show(self) -> str:
        """The value, cut to what fits in a message."""
        text = json.dumps(self.value, ensure_ascii=True, default=str)
        return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."

    def key(self, name: str) -> Reader:
        """The value under a key, None if the key is missing: check with `fields` first."""
        shown = name if len(name) <= _SHOWN_CHARACTERS else f"{name[:_SHOWN_CHARACTERS]}..."
        path = f"{self.path}.{shown}" if self.path else shown
        return Reader(self.object().get(name), path)

    def find(self, name: str) -> Reader | None:
        """The value under a key that may be missing or null."""
        reader = self.key(name)
        return None if reader.value is None else reader

    def object(self) -> dict[str, object]:
        """The value as an object."""
        if not isinstance(self.value, dict):
            self.fail(f"an object is needed, not {self.show()}")
        return self.value

    def fields(self, required: Collection[str], optional: Collection[str] = ()) -> Reader:
        """Check the keys of an object; gives itself back."""
        present = self.object()
        for name in present:
            if name not in required and name not in optional:
                known = ", ".join(sorted({*required, *optional}))
                self.key(name).fail(f"unknown key; known are {known}")
        for name in required:
            if name not in present:
                self.key(name).fail("the key is missing")
        return self

    def items(self, count_min: int = 0, count_max: int = 1_000_000) -> list[Reader]:
        """The elements of a list."""
        if not isinstance(self.value, list):
            self.fail(f"a list is needed, not {self.show()}")
        if not count_min <= len(self.value) <= count_max:
            self.fail(f"{count_min} to {count_max} entries are needed, not {len(self.value)}")
        return [Reader(item, f"{self.path}[{at}]") for at, item in enumerate(self.value)]

    def entries(self, *names: str) -> list[Reader]:
        """The elements of a list that stands for a tuple, one for each name."""
        form = f"[{', '.join(names)}]"
        if not isinstance(self.value, list) or len(self.value) != len(names):
            self.fail(f"{form} is needed, not {self.show()}")
        return self.items()

    def text(self, length_max: int = 256) -> str:
        """A printable string that is not empty."""
        if not isinstance(self.value, str):
            self.fail(f"a string is needed, not {self.show()}")
        if not 1 <= len(self.value) <= length_max or not self.value.isprintable():
            self.fail(f"1 to {length_max} printable characters are needed, not {self.show()}")
        return self.value

    def choice(self, *allowed: str) -> str:
        """One of a few words."""
        text = self.text()
        if text not in allowed:
            self.fail(f"{self.show()} is none of {', '.join(allowed)}")
        return text

    def integer(self, low: int, high: int) -> int:
        """An integer of `low` to `high`, both included."""
        if type(self.value) is not int:
            self.fail(f"an integer is needed, not {self.show()}")
        if not low <= self.value <= high:
            self.fail(f"{self.show()} is outside of {low} to {high}")
        return self.value

    def hex(self, length: int | None = None) -> bytes:
        """Bytes as 0x and hexadecimal digits."""
        if not isinstance(self.value, str) or not _HEX.fullmatch(self.value):
            self.fail(f"0x and pairs of hexadecimal digits are needed, not {self.show()}")
        raw = bytes.fromhex(self.value[2:])
        if length is not None and len(raw) != length:
            self.fail(f"{length} bytes are needed, not {len(raw)}")
        return raw

    def walk(self) -> Iterator[Reader]:
        """This value and all below it."""
        waiting, count = [self], 0
        while waiting:
            reader = waiting.pop()
            yield reader
            count += 1
            if count > _NODES_MAX:
                self.fail(f"the document has more than {_NODES_MAX} values")
            if isinstance(reader.value, dict):
                waiting.extend(reader.key(name) for name in reader.value)
            elif isinstance(reader.value, list):
                waiting.extend(reader.items())
