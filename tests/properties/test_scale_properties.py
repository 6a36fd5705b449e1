"""SCALE on arbitrary input: decoding inverts encoding, garbage gives only DecodeError."""

from __future__ import annotations

import enum
from typing import Annotated, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.frame.extrinsic import decode_extrinsic
from runtime.primitives.babe_digest import NextEpoch, SlotClaim
from runtime.primitives.era import Era
from runtime.primitives.header import Digest, Header
from runtime.primitives.multi import MultiAddress, MultiSignature
from runtime.primitives.scale import (
    Codec,
    Compact,
    DecodeError,
    Fixed,
    Int,
    Limit,
    ScaleEnum,
    codec_of,
    decode_compact,
    scale_type,
)
from runtime.primitives.scale.compact import compact_bytes
from runtime.primitives.types import U8, U16, U32, Bytes32, CompactU32
from runtime.runtime import PALLETS


class Colour(enum.Enum):
    RED = 0
    BLUE = 3
    GREEN = 255


class Tree(ScaleEnum, path="test::Tree"):
    """A recursive union."""


class Leaf(Tree, index=0, flat=True):
    """An end."""

    value: CompactU32


class Branch(Tree, index=200):
    """A fork."""

    left: Tree
    right: Tree | None
    colour: Colour


@scale_type
class Record:
    """A recursive record of many kinds of fields."""

    flag: bool
    number: Annotated[int, Int(64)]
    debt: Annotated[int, Int(128, signed=True)]
    price: Annotated[int, Compact(128)]
    name: str
    key: Bytes32
    blob: Annotated[bytes, Limit(40)]
    pair: tuple[U8, U16]
    grid: Annotated[list[tuple[U8, bool]], Fixed(2)]
    numbers: list[Annotated[int, Int(32, signed=True)]]
    inner: Record | None
    others: list[Record]
    nothing: None


def unsigned(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


def signed(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


TREES = st.recursive(
    st.builds(Leaf, unsigned(32)),
    lambda inner: st.builds(Branch, inner, st.none() | inner, st.sampled_from(Colour)),
    max_leaves=12,
)
CHARACTERS = st.characters(exclude_categories=["Cs"])
PLAIN = (
    st.booleans(),
    unsigned(64),
    signed(128),
    unsigned(128),
    st.text(CHARACTERS, max_size=20),
    st.binary(min_size=32, max_size=32),
    st.binary(max_size=40),
    st.tuples(unsigned(8), unsigned(16)),
    st.lists(st.tuples(unsigned(8), st.booleans()), min_size=2, max_size=2),
    st.lists(signed(32), max_size=5),
)
RECORDS = st.recursive(
    st.builds(Record, *PLAIN, st.none(), st.just([]), st.none()),
    lambda inner: st.builds(
        Record, *PLAIN, st.none() | inner, st.lists(inner, max_size=2), st.none()
    ),
    max_leaves=4,
)
KINDS: list[Any] = [
    bool,
    str,
    bytes,
    U8,
    U32,
    Annotated[int, Int(128)],
    Annotated[int, Compact(64)],
    Annotated[int, Compact(536)],
    list[U16],
    list[bool],
    list[tuple[()]],
    Annotated[list[list[U8]], Limit(3)],
    Annotated[list[U16], Fixed(3)],
    tuple[U8, str, bytes],
    U32 | None,
    tuple[()],
    None,
    Colour,
    Tree,
    Record,
    Era,
    Digest,
    Header,
    SlotClaim,
    NextEpoch,
    MultiAddress,
    MultiSignature,
]
CODECS: list[Codec[Any]] = [codec_of(kind) for kind in KINDS]


@settings(max_examples=150, deadline=None)
@given(TREES)
def test_trees_come_back(tree: Tree) -> None:
    codec = codec_of(Tree)
    assert codec.decode_all(codec.encode(tree)) == tree


@settings(max_examples=100, deadline=None)
@given(RECORDS)
def test_records_come_back(record: Record) -> None:
    codec = codec_of(Record)
    encoded = codec.encode(record)
    assert codec.decode_all(encoded) == record
    assert codec.decode(b"\1" + encoded + b"\2", 1) == (record, len(encoded) + 1)


@settings(max_examples=100, deadline=None)
@given(RECORDS, st.data())
def test_a_cut_record_is_refused(record: Record, data: st.DataObject) -> None:
    encoded = codec_of(Record).encode(record)
    cut = data.draw(st.integers(0, len(encoded) - 1))
    try:
        codec_of(Record).decode_all(encoded[:cut])
    except DecodeError:
        return
    raise AssertionError("a prefix of an encoding is no encoding")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_refused_or_the_one_encoding_of_what_it_gives(data: bytes) -> None:
    for codec in CODECS:
        try:
            value, end = codec.decode(data)
        except DecodeError:
            continue
        assert codec.encode(value) == data[:end]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=120), st.sampled_from(PALLETS), st.integers(0, 30))
def test_garbage_extrinsics_give_only_decode_errors(data: bytes, pallet: Any, index: int) -> None:
    body = bytes((4, pallet.pallet_index, index)) + data
    for whole in (data, compact_bytes(len(data)) + data, compact_bytes(len(body)) + body):
        try:
            decode_extrinsic(whole)
        except DecodeError:
            continue


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**536 - 1))
def test_compact_numbers_come_back(value: int) -> None:
    assert decode_compact(compact_bytes(value), 0) == (value, len(compact_bytes(value)))
