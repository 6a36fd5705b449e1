"""One JSON object from a stranger, read field by field with a named error for each.

Owns the reading. Invariant: what is returned has the type and bounds that were asked for; what is
refused names its field.
Source: OpenAI's API reference (errors); RFC 8259.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from flockchain.marketplace.errors import bad_request


class RequestFields:
    """The fields of a request's body, or of an object in it."""

    def __init__(self, value: object, where: str = "") -> None:
        """Raises ApiError unless it is an object."""
        if not isinstance(value, dict):
            raise bad_request(f"{where or 'the body'} is not a JSON object", where or None)
        self._value: Mapping[str, Any] = value
        self._where = where

    @staticmethod
    def parse(body: bytes) -> RequestFields:
        """The object of a body. Raises ApiError."""
        try:
            return RequestFields(orjson.loads(body))
        except orjson.JSONDecodeError as error:
            raise bad_request(f"the body is not JSON: {error}") from error

    def has(self, name: str) -> bool:
        """Whether the field is there, and not null."""
        return self._value.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """A string. Without a default it must be there."""
        value = self._value.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self._error(name, "is not a string")
        return value

    def integer(self, name: str, low: int, high: int, default: int) -> int:
        """An integer of `low` to `high`, both included."""
        value = self._value.get(name)
        if value is None:
            return default
        if type(value) is not int or not low <= value <= high:
            raise self._error(name, f"is not an integer of {low} to {high}")
        return value

    def number(self, name: str, low: float, high: float, default: float) -> float:
        """A number of `low` to `high`, both included."""
        value = self._value.get(name)
        if value is None:
            return default
        if type(value) not in (int, float) or not low <= value <= high:
            raise self._error(name, f"is not a number of {low:g} to {high:g}")
        return float(value)

    def flag(self, name: str) -> bool:
        """A boolean, false by default."""
        value = self._value.get(name)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise self._error(name, "is not true or false")
        return value

    def texts(self, name: str, count_max: int) -> list[str]:
        """A string, or a list of them: one at least if the field is there."""
        value = self._value.get(name)
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise self._error(name, "is not a string or a list of strings")
        if not 1 <= len(found) <= count_max:
            raise self._error(name, f"has {len(found)} items, outside 1 to {count_max}")
        return found

    def rows(self, name: str, count_max: int) -> list[list[float]]:
        """A list of lists of finite numbers."""
        found = self._value.get(name)
        if not isinstance(found, list) or not 1 <= len(found) <= count_max:
            raise self._error(name, f"is not a list of 1 to {count_max} rows")
        for row in found:
            if not isinstance(row, list) or not all(
                type(each) in (int, float) and math.isfinite(each) for each in row
            ):
                raise self._error(name, "holds a row that is not a list of numbers")
        return found

    def objects(self, name: str, count_max: int) -> list[RequestFields]:
        """A list of at least one object."""
        found = self._value.get(name)
        if not isinstance(found, list) or not 1 <= len(found) <= count_max:
            raise self._error(name, f"is not a list of 1 to {count_max} objects")
        return [
            RequestFields(each, f"{self._path(name)}[{index}]") for index, each in enumerate(found)
        ]

    def inner(self, name: str) -> RequestFields | None:
        """An object, None if there is none."""
        value = self._value.get(name)
        return None if value is None else RequestFields(value, self._path(name))

    def refuse(self, names: Mapping[str, Sequence[object]], why: str) -> None:
        """Raises ApiError if one of these fields is there with another value than these."""
        for name, harmless in names.items():
            if self._value.get(name) not in (None, *harmless):
                raise self._error(name, why, code="unsupported_parameter")

    def raw(self, name: str) -> object:
        """A field as it is."""
        return self._value.get(name)

    def error(self, name: str, problem: str) -> Exception:
        """What to raise about a field."""
        return self._error(name, problem)

    def _path(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name

    def _error(self, name: str, problem: str, code: str | None = None) -> Exception:
        return bad_request(f"{self._path(name)} {problem}", self._path(name), code)
