"""Envelopes: what is written is read again, and nothing malformed escapes `PeerError`."""

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2p.envelope import DEFAULT_LIMITS, Fields, Limits, Value, decode, encode
from p2p.interface import PeerError

VALUES: st.SearchStrategy[Value] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.binary(max_size=300)
    | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)
DEEP = Limits(depth_max=64)


@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_what_is_encoded_is_decoded_and_canonical(value: Value) -> None:
    assert decode(encode(value), DEEP, canonical=True) == value


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_garbage_never_escapes_peer_error(data: bytes) -> None:
    try:
        value = decode(data, DEFAULT_LIMITS)
    except PeerError:
        return
    assert decode(encode(value), DEFAULT_LIMITS) == value


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "envelope ends too early"),
        (b"\xc0\xc0", "1 bytes after the envelope"),
        (b"\xdd\xff\xff\xff\xff", "4294967295 entries, at most 16 are allowed"),
        (b"\xc6\xff\xff\xff\xff", "envelope ends too early"),
        (b"\x91" * 5 + b"\xc0", "envelope is deeper than 4 levels"),
        (b"\x9f" + (b"\x9f" + b"\xc0" * 15) * 15, "envelope holds more than 64 values"),
        (b"\xd9\x21" + b"a" * 33, "text of 33 bytes, at most 32 are allowed"),
        (b"\x81\x01\x02", "a map key of the envelope is not text"),
        (b"\xcb" + b"\0" * 8, "envelope holds the forbidden type 0xcb"),
        (b"\xc7\x01\x05\x00", "envelope holds the forbidden type 0xc7"),
        (b"\x82\xa1a\x01\xa1a\x02", "envelope cannot be decoded: a key occurs twice"),
        (b"\xc0" * 257, "envelope of 257 bytes, at most 256 are allowed"),
    ],
)
def test_each_limit_is_enforced(data: bytes, message: str) -> None:
    limits = Limits(size_max=256, depth_max=4, length_max=16, items_max=64, text_max=32)
    with pytest.raises(PeerError) as caught:
        decode(data, limits)
    assert str(caught.value) == message


def test_broken_text_is_refused() -> None:
    with pytest.raises(PeerError, match="envelope cannot be decoded"):
        decode(b"\xa2\xff\xfe")


def test_other_forms_of_the_same_value_are_not_canonical() -> None:
    long_form = b"\xcd\x00\x01"
    assert decode(long_form) == 1
    unsorted = msgpack.packb({"b": 1, "a": 2})
    for data in (long_form, unsorted):
        with pytest.raises(PeerError, match="not in canonical form"):
            decode(data, canonical=True)


def test_fields_are_typed_and_complete() -> None:
    fields = Fields(
        {"count": 3, "hash": b"\1" * 32, "name": "x", "on": True, "ids": [b"a"], "z": 0}
    )
    assert fields.take_int("count", 1, 3) == 3
    assert fields.take_bytes("hash", 32, 32) == b"\1" * 32
    assert fields.take_text("name", 1) == "x"
    assert fields.take_bool("on") is True
    assert fields.take_bytes_list("ids", 2, 1) == [b"a"]
    with pytest.raises(PeerError, match="unknown field 'z'"):
        fields.ensure_empty()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "envelope is not a map"),
        ({}, "field 'count' is missing"),
        ({"count": True}, "field 'count' is not an integer from 0 to 7"),
        ({"count": 8}, "field 'count' is not an integer from 0 to 7"),
        ({"count": "1"}, "field 'count' is not an integer from 0 to 7"),
    ],
)
def test_a_bad_field_is_named(value: Value, message: str) -> None:
    with pytest.raises(PeerError) as caught:
        Fields(value).take_int("count", 0, 7)
    assert str(caught.value) == message
