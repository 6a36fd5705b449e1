"""Reads a scenario's fields: typed, bounded, with the path of a wrong one in the message.

Owns `Fields` and `ScenarioError`. Amounts are base-unit integers, as strings or JSON integers;
rationals are "a/b" or decimals as strings. JSON's floating-point numbers are refused: they are not
what was written.
Invariant: a key that nobody asked for is an error, so that a misspelt parameter is not ignored.
Source: the scenario files of `flockchain economics evaluate`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from runtime.primitives.rational import Rational, RationalError

RECORDS_MAX: Final = 100_000
INTEGER_DIGITS_MAX: Final = 39  # 2^128

_INTEGER: Final = re.compile(rf"[0-9]{{1,{INTEGER_DIGITS_MAX}}}", re.ASCII)


class ScenarioError(ValueError):
    """The scenario cannot be evaluated; the message names the field and the rule."""


class Fields:
    """One JSON object of a scenario. `path` is where it stands, for messages."""

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, Mapping):
            raise ScenarioError(f"{path}: an object is expected, not {describe(value)}")
        self._values: Mapping[str, object] = value
        self._path = path
        self._asked: dict[str, None] = {}

    def integer(self, key: str, default: int | None = None) -> int:
        """A non-negative integer below 2^128, given as JSON integer or as digits."""
        value = self._get(key, default)
        return parse_integer(value, self.at(key))

    def optional_integer(self, key: str) -> int | None:
        """As `integer`; None if the field is absent or null."""
        if self._find(key) is None:
            return None
        return self.integer(key)

    def rational(self, key: str, default: str | None = None) -> Rational:
        """A non-negative rational: "a/b" in any terms, a decimal as string, or a JSON integer."""
        value = self._get(key, default)
        return parse_rational(value, self.at(key))

    def optional_rational(self, key: str) -> Rational | None:
        """As `rational`; None if the field is absent or null."""
        if self._find(key) is None:
            return None
        return self.rational(key)

    def flag(self, key: str, *, default: bool) -> bool:
        """true or false."""
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise ScenarioError(f"{self.at(key)}: true or false expected, not {describe(value)}")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """A string that is not empty."""
        value = self._get(key, default)
        if not isinstance(value, str) or not value:
            raise ScenarioError(f"{self.at(key)}: a name is expected, not {describe(value)}")
        return value

    def records(self, key: str) -> list[Fields]:
        """A list of objects."""
        return [
            Fields(value, f"{self.at(key)}[{index}]") for index, value in enumerate(self.items(key))
        ]

    def optional_records(self, key: str) -> list[Fields]:
        """As `records`; empty if the field is absent or null."""
        return [] if self._find(key) is None else self.records(key)

    def value(self, key: str) -> object:
        """Whatever stands in the field, None if nothing does: for fields of two forms."""
        return self._find(key)

    def record(self, key: str) -> Fields | None:
        """An object; None if the field is absent or null."""
        value = self._find(key)
        return None if value is None else Fields(value, self.at(key))

    def items(self, key: str) -> list[object]:
        """A list of anything, at most RECORDS_MAX long."""
        value = self._get(key, None)
        if not isinstance(value, list):
            raise ScenarioError(f"{self.at(key)}: a list is expected, not {describe(value)}")
        if len(value) > RECORDS_MAX:
            raise ScenarioError(f"{self.at(key)}: {len(value)} entries, at most {RECORDS_MAX}")
        return value

    def integers_by_name(self, key: str) -> dict[str, int]:
        """An object of integers by account or task name; empty if the field is absent."""
        value = self._find(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise ScenarioError(f"{self.at(key)}: an object is expected, not {describe(value)}")
        return {
            str(name): parse_integer(each, f"{self.at(key)}.{name}") for name, each in value.items()
        }

    def votes(self, key: str) -> dict[str, int | None]:
        """An object of votes by name: 1, −1, or null for a missing one."""
        value = self._get(key, None)
        if not isinstance(value, Mapping):
            raise ScenarioError(f"{self.at(key)}: an object is expected, not {describe(value)}")
        for name, vote in value.items():
            if vote is not None and (isinstance(vote, bool) or vote not in (1, -1)):
                where = f"{self.at(key)}.{name}"
                raise ScenarioError(f"{where}: 1, -1 or null expected, not {describe(vote)}")
        return {str(name): vote for name, vote in value.items()}

    def at(self, key: str) -> str:
        """The path of a field, for messages."""
        return f"{self._path}.{key}"

    def allow(self, *keys: str) -> None:
        """Fields that may be there and change nothing."""
        for key in keys:
            self._asked[key] = None

    def close(self) -> None:
        """Raises: ScenarioError if there is a field that was not asked for."""
        for key in self._values:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                raise ScenarioError(f"{self.at(key)}: no such field; there are {known}")

    def _find(self, key: str) -> object:
        self._asked[key] = None
        return self._values.get(key)

    def _get(self, key: str, default: object) -> object:
        value = self._find(key)
        if value is None:
            value = default
        if value is None:
            raise ScenarioError(f"{self.at(key)}: missing")
        return value


def parse_integer(value: object, path: str) -> int:
    """See `Fields.integer`. Raises: ScenarioError."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 128:
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value) and int(value) < 1 << 128:
        return int(value)
    raise ScenarioError(f"{path}: an integer from 0 to 2^128 - 1 expected, not {describe(value)}")


def parse_rational(value: object, path: str) -> Rational:
    """See `Fields.rational`. Raises: ScenarioError."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 128:
        return Rational(value, 1)
    if isinstance(value, str):
        numerator, slash, denominator = value.partition("/")
        try:
            if slash and _INTEGER.fullmatch(numerator) and _INTEGER.fullmatch(denominator):
                return Rational.reduced(int(numerator), int(denominator))
            return Rational.parse(value)
        except RationalError as error:
            raise ScenarioError(f"{path}: {error}") from None
    raise ScenarioError(f'{path}: a fraction "a/b" expected, not {describe(value)}')


def describe(value: object) -> str:
    """The value for a message, cut to a readable length."""
    return "nothing" if value is None else repr(value)[:60]
