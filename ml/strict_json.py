"""JSON with one form for each value, read under limits: headers of models, task specifications.

Owns the strict reader and the canonical writer. Invariant: only objects, lists, strings, booleans
and integers exist; a float, a constant, a null, a repeated key or a long integer is an error, and
the limits on size and depth are checked before anything is parsed.
Source: RFC 8259, narrowed; RFC 8785 (canonical form: sorted keys, no white space).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn, TypeAlias, cast

JsonValue: TypeAlias = "bool | int | str | Sequence[JsonValue] | Mapping[str, JsonValue]"

INTEGER_DIGITS_MAX: Final = 20
BRACKETS_MAX: Final = 1 << 15
"""Opening and closing ones together; enough for the header of 4,096 tensors."""
COMMAS_MAX: Final = 1 << 16
_NEXT_BRACKET: Final = re.compile(rb'(?:[^\[\]{}"]|"(?:[^"\\]|\\[\s\S])*+"?)*+([\[\]{}])')
"""A bracket and all before it that is none, strings whole. An unterminated string matches to the
end, so that the scan stays linear on any input."""


class StrictJsonError(ValueError):
    """Bytes that are not JSON within the narrow form and the limits."""


def parse_strict_json(data: bytes, size_bytes_max: int, depth_max: int) -> JsonValue:
    """The value of these ASCII bytes. Raises `StrictJsonError` and nothing else."""
    if len(data) > size_bytes_max:
        raise StrictJsonError(f"{len(data)} bytes of JSON are above {size_bytes_max}")
    if not data.isascii():
        raise StrictJsonError("JSON holds bytes outside ASCII")
    if data.count(b",") > COMMAS_MAX:
        raise StrictJsonError(f"JSON holds more than {COMMAS_MAX} commas")
    _ensure_depth(data, depth_max)
    try:
        value = json.loads(
            data,
            object_pairs_hook=_object_without_repeats,
            parse_int=_short_integer,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except StrictJsonError:
        raise
    except ValueError as error:
        raise StrictJsonError(f"not JSON: {error}") from error
    if _holds_null(value):
        raise StrictJsonError("JSON null is not allowed")
    return cast(JsonValue, value)


def canonical_json(value: JsonValue) -> bytes:
    """The one encoding of a value: sorted keys, no white space, ASCII."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii")


def _ensure_depth(data: bytes, depth_max: int) -> None:
    depth = 0
    position = 0
    brackets = 0
    while match := _NEXT_BRACKET.match(data, position):
        position = match.end()
        depth += 1 if match[1] in b"[{" else -1
        if depth > depth_max:
            raise StrictJsonError(f"JSON is nested deeper than {depth_max}")
        brackets += 1
        if brackets > BRACKETS_MAX:
            raise StrictJsonError(f"JSON holds more than {BRACKETS_MAX} brackets")


def _object_without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, member in pairs:
        if name in members:
            raise StrictJsonError(f"JSON repeats the key {name[:80]!r}")
        members[name] = member
    return members


def _short_integer(digits: str) -> int:
    if len(digits) > INTEGER_DIGITS_MAX:
        raise StrictJsonError(f"JSON integer of {len(digits)} characters")
    if digits == "-0":
        raise StrictJsonError("JSON integer is a negative zero")
    return int(digits)


def _refuse_number(text: str) -> NoReturn:
    raise StrictJsonError(f"JSON number {text[:20]} is not an integer")


def _holds_null(value: object) -> bool:
    if isinstance(value, dict):
        return any(_holds_null(member) for member in value.values())
    if isinstance(value, list):
        return any(_holds_null(item) for item in value)
    return value is None
