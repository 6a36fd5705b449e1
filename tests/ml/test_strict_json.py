"""Strict JSON: one form a value, limits before parsing, every refusal named."""

from __future__ import annotations

import time

import pytest

from ml.strict_json import JsonValue, StrictJsonError, canonical_json, parse_strict_json


def test_round_trip() -> None:
    value: JsonValue = {"b": [1, -2, True], "a": {"text": "x"}}
    assert canonical_json(value) == b'{"a":{"text":"x"},"b":[1,-2,true]}'
    assert parse_strict_json(canonical_json(value), 100, 3) == value


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a":1,"a":2}', "JSON repeats the key 'a'"),
        (b'{"a":1.5}', "JSON number 1.5 is not an integer"),
        (b'{"a":1e3}', "JSON number 1e3 is not an integer"),
        (b'{"a":NaN}', "JSON number NaN is not an integer"),
        (b'{"a":-Infinity}', "JSON number -Infinity is not an integer"),
        (b'{"a":[null]}', "JSON null is not allowed"),
        (b'{"a":-0}', "JSON integer is a negative zero"),
        (b'{"a":' + b"9" * 21 + b"}", "JSON integer of 21 characters"),
        ('{"a":"é"}'.encode(), "JSON holds bytes outside ASCII"),
        (b"[[[[1]]]]", "JSON is nested deeper than 3"),
        (b" " * 101, "101 bytes of JSON are above 100"),
    ],
)
def test_refusals(data: bytes, message: str) -> None:
    with pytest.raises(StrictJsonError) as caught:
        parse_strict_json(data, 100, 3)
    assert str(caught.value) == message


BOMBS = {
    "deep": b"[" * 1_000_000,
    "deep with brackets in strings": b'["]",' * 200_000,
    "deep objects": b'{"}":' * 200_000,
    "long integer": b"[" + b"9" * 999_000 + b"]",
    "pairs of brackets": b"[" + b"[]," * 300_000,
    "pairs of brackets without commas": b"[]" * 500_000,
    "commas": b"[" + b"1," * 500_000 + b"1]",
    "escaped quotes": b'"\\' * 500_000,
    "quotes": b'"' * 999_999,
    "backslashes": b'"' + b"\\" * 999_999,
    "many keys, one repeated": b"{"
    + b",".join(b'"%d":0' % n for n in range(60_000))
    + b',"59999":0}',
    "unclosed": b'{"a":',
    "empty": b"",
    "zero bytes": bytes(100_000),
    "trailing": b"{}{}",
    "comma": b"[1,]",
    "plus": b"[+1]",
    "leading zero": b"[01]",
    "control character": b'["\x01"]',
    "byte order mark": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_cheap_errors(name: str) -> None:
    started = time.process_time()
    with pytest.raises(StrictJsonError):
        parse_strict_json(BOMBS[name], 1 << 20, 6)
    assert time.process_time() - started < 0.5
