"""Settings from several places: command line over environment over file over default.

Owns the precedence and the reading of single values; every refusal names the place where the value
was given, as `--port`, `FLOCKCHAIN_PORT` or `port in node.toml`.
Source: TOML 1.0; POSIX environment variables.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ENVIRONMENT_PREFIX: Final = "FLOCKCHAIN_"
FILE_BYTES_MAX: Final = 1 << 20
_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("0", "false", "no", "off")
_TEXT_LENGTH_MAX: Final = 4_096
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)


class ConfigError(ValueError):
    """A setting is wrong; the message names it, where it was given and the rule."""


@dataclass(frozen=True, slots=True)
class _Given:
    """A value and the words for where it was given."""

    value: object
    where: str


class Settings:
    """Layered values by name (snake_case). Every method raises ConfigError."""

    def __init__(
        self,
        command_line: Mapping[str, object],
        environment: Mapping[str, str],
        file: Mapping[str, object],
        file_name: str = "",
    ) -> None:
        """Of the command line, options that are None or empty were not given."""
        self._command_line = command_line
        self._environment = environment
        self._file = file
        self._file_name = file_name

    def _find(self, name: str) -> _Given | None:
        value = self._command_line.get(name)
        if value is not None and value not in ((), []):
            return _Given(value, f"--{name.replace('_', '-')}")
        variable = ENVIRONMENT_PREFIX + name.upper()
        if variable in self._environment:
            return _Given(self._environment[variable], variable)
        if name in self._file:
            return _Given(self._file[name], f"{name} in {self._file_name}")
        return None

    def is_given(self, name: str) -> bool:
        """Whether any place gives a value."""
        return self._find(name) is not None

    def is_word(self, name: str, word: str) -> bool:
        """Whether the value is this word."""
        given = self._find(name)
        return given is not None and given.value == word

    def where(self, name: str) -> str:
        """How the user wrote it, for messages; the option's name if it was not given."""
        given = self._find(name)
        return f"--{name.replace('_', '-')}" if given is None else given.where

    def flag(self, name: str) -> bool:
        """A switch; off unless given."""
        given = self._find(name)
        if given is None:
            return False
        if isinstance(given.value, bool):
            return given.value
        word = given.value.lower() if isinstance(given.value, str) else ""
        if word not in (*_TRUE, *_FALSE):
            raise ConfigError(f"{given.where}: {given.value!r} is neither true nor false")
        return word in _TRUE

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        """An integer of `low` to `high`, both included."""
        given = self._find(name)
        if given is None:
            return default
        value = given.value
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            value = int(value)
        if type(value) is not int:
            raise ConfigError(f"{given.where}: {given.value!r} is no integer")
        if not low <= value <= high:
            raise ConfigError(f"{given.where}: {value} is outside of {low} to {high}")
        return value

    def text(self, name: str, default: str) -> str:
        """A printable string that is not empty."""
        return self.find_text(name) or default

    def find_text(self, name: str) -> str | None:
        """A printable string that is not empty, or None."""
        given = self._find(name)
        if given is None:
            return None
        value = str(given.value) if isinstance(given.value, Path) else given.value
        return _checked_text(value, given.where)

    def find_path(self, name: str) -> Path | None:
        """A path, `~` resolved, or None."""
        text = self.find_text(name)
        return None if text is None else Path(text).expanduser()

    def choice(self, name: str, default: str, allowed: Collection[str]) -> str:
        """One of a few words."""
        text = self.text(name, default)
        if text not in allowed:
            raise ConfigError(f"{self.where(name)}: {text!r} is none of {', '.join(allowed)}")
        return text

    def texts(self, name: str, count_max: int = 256) -> tuple[str, ...]:
        """A list; as one string its parts are separated by commas."""
        given = self._find(name)
        if given is None:
            return ()
        value = given.value
        if isinstance(value, str):
            parts: Sequence[object] = value.split(",")
        elif isinstance(value, (list, tuple)):
            parts = [part for item in value for part in _split(item)]
        else:
            raise ConfigError(f"{given.where}: a list is needed, not {value!r}")
        if len(parts) > count_max:
            raise ConfigError(f"{given.where}: {len(parts)} entries, at most {count_max}")
        return tuple(_checked_text(part, given.where) for part in parts)


def _split(item: object) -> Sequence[object]:
    return item.split(",") if isinstance(item, str) else (item,)


def _checked_text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{where}: text is needed, not {value!r}")
    text = value.strip()
    if not 1 <= len(text) <= _TEXT_LENGTH_MAX or not text.isprintable():
        raise ConfigError(f"{where}: 1 to {_TEXT_LENGTH_MAX} printable characters are needed")
    return text


def read_toml(path: Path, known: Collection[str]) -> dict[str, object]:
    """The settings of a file, whose keys must be known. Raises: ConfigError."""
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(f"--config: cannot read {path}: {error.strerror}") from None
    if len(raw) > FILE_BYTES_MAX:
        raise ConfigError(f"--config: {path} is longer than {FILE_BYTES_MAX} bytes")
    try:
        values: dict[str, object] = tomllib.loads(raw.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"--config: {path} is no TOML file: {error}") from None
    for name in values:
        if name not in known:
            raise ConfigError(f"--config: {path} has the unknown key {name!r}")
    return values
