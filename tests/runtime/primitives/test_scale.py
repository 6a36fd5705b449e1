"""SCALE: known vectors, and that every value has exactly one encoding.

Vectors: the SCALE codec's specification and Substrate's own tests.
"""

from __future__ import annotations

import enum
from typing import Annotated, Any

import pytest

from runtime.primitives.scale import (
    Compact,
    DecodeError,
    EncodeError,
    Fixed,
    Int,
    Limit,
    ScaleEnum,
    codec_of,
    decode_compact,
    encode_compact,
    scale_enum,
    scale_type,
    shape_of,
)
from runtime.primitives.types import (
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    AccountId,
    Bytes32,
    CompactU8,
    CompactU32,
    CompactU128,
)


@scale_enum("test::Suit")
class Suit(enum.Enum):
    HEARTS = 0
    SPADES = 7


class Figure(ScaleEnum, path="test::Figure"):
    """A union with gaps between its indices."""


class Point(Figure, index=1):
    """No fields."""


class Circle(Figure, index=4, flat=True):
    """One nameless field."""

    radius: U16


class Group(Figure, index=9):
    """Holds figures, so the type is recursive."""

    members: list[Figure]
    label: str | None = None


@scale_type
class Node:
    """A recursive record."""

    value: CompactU32
    children: list[Node]


@scale_type
class Keyword:
    """A field whose Python name differs from the wire's."""

    from_: U8
    to: U8


VECTORS: list[tuple[Any, Any, str]] = [
    (bool, False, "00"),
    (bool, True, "01"),
    (U8, 69, "45"),
    (I8, 69, "45"),
    (I8, -1, "ff"),
    (I8, -128, "80"),
    (U16, 42, "2a00"),
    (I16, -2, "feff"),
    (U32, 16777215, "ffffff00"),
    (I32, -(2**31), "00000080"),
    (U64, 2**64 - 1, "ff" * 8),
    (I64, -1, "ff" * 8),
    (U128, 2**127, "00" * 15 + "80"),
    (I128, -(2**127), "00" * 15 + "80"),
    (U256, 1, "01" + "00" * 31),
    (CompactU128, 0, "00"),
    (CompactU128, 1, "04"),
    (CompactU128, 42, "a8"),
    (CompactU128, 63, "fc"),
    (CompactU128, 64, "0101"),
    (CompactU128, 69, "1501"),
    (CompactU128, 16383, "fdff"),
    (CompactU128, 16384, "02000100"),
    (CompactU128, 65535, "feff0300"),
    (CompactU128, 2**30 - 1, "feffffff"),
    (CompactU128, 2**30, "0300000040"),
    (CompactU128, 100_000_000_000_000, "0b00407a10f35a"),
    (CompactU128, 2**128 - 1, "33" + "ff" * 16),
    (Annotated[int, Compact(536)], 2**536 - 1, "ff" * 68),
    (Annotated[None, Compact(0)], None, ""),
    (None, None, ""),
    (tuple[()], (), ""),
    (bytes, b"", "00"),
    (bytes, b"\x01\x02", "080102"),
    (str, "Hamlet", "1848616d6c6574"),
    (str, "Война и мир", "50d092d0bed0b9d0bdd0b020d0b820d0bcd0b8d180"),
    (list[U16], [4, 8, 15, 16, 23, 42], "18040008000f00100017002a00"),
    (list[U8], [1, 2], "080102"),
    (list[I8], [-1], "04ff"),
    (list[bool], [True, False], "080100"),
    (Annotated[list[U16], Fixed(2)], [1, 2], "01000200"),
    (Bytes32, b"\7" * 32, "07" * 32),
    (AccountId, b"\7" * 32, "07" * 32),
    (bool | None, None, "00"),
    (bool | None, True, "0101"),
    (U32 | None, 1, "0101000000"),
    (tuple[CompactU32, bool], (3, False), "0c00"),
    (Suit, Suit.SPADES, "07"),
    (Figure, Point(), "01"),
    (Figure, Circle(258), "040201"),
    (Figure, Group([Point(), Circle(1)], "x"), "0908010401000104" + "78"),
    (Node, Node(1, [Node(2, []), Node(3, [])]), "0408080" + "00c00"),
    (Keyword, Keyword(1, 2), "0102"),
]


@pytest.mark.parametrize(("tp", "value", "encoded"), VECTORS)
def test_vectors(tp: Any, value: Any, encoded: str) -> None:
    codec = codec_of(tp)
    assert codec.encode(value).hex() == encoded
    found = codec.decode_all(bytes.fromhex(encoded))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        ("", "end of data in a compact integer"),
        ("0100", "compact integer 0 is not in its shortest form"),
        ("fd00", "compact integer 63 is not in its shortest form"),
        ("02000000", "compact integer 0 is not in its shortest form"),
        ("feff0000", "compact integer 16383 is not in its shortest form"),
        ("03ffffff3f", "compact integer 1073741823 is not in its shortest form"),
        ("070000004000", "compact integer 1073741824 is not in its shortest form"),
        ("01", "end of data in a compact integer"),
        ("020000", "end of data in a compact integer"),
        ("03000000", "end of data in a compact integer"),
        ("ff" + "ff" * 66, "end of data in a compact integer"),
    ],
)
def test_only_the_shortest_compact_form_is_read(encoded: str, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_compact(bytes.fromhex(encoded), 0)
    assert str(caught.value) == message
    with pytest.raises(DecodeError):
        codec_of(CompactU128).decode_all(bytes.fromhex(encoded))


def test_compact_numbers_have_ends() -> None:
    out = bytearray()
    with pytest.raises(EncodeError, match=r"^compact of a negative number: -1$"):
        encode_compact(-1, out)
    with pytest.raises(EncodeError, match=r"^compact of a number of 68 bytes, the most is 67$"):
        encode_compact(2**536, out)
    encode_compact(64, out)
    assert out == b"\x01\x01"


@pytest.mark.parametrize("bits", [8, 16, 32, 64, 128])
def test_compact_numbers_stay_within_their_type(bits: int) -> None:
    codec = codec_of(Annotated[int, Compact(bits)])
    above = codec_of(Annotated[int, Compact(256)]).encode(2**bits)
    assert codec.decode_all(codec.encode(2**bits - 1)) == 2**bits - 1
    with pytest.raises(DecodeError, match=rf"^compact {2**bits} above {bits} bits$"):
        codec.decode_all(above)
    with pytest.raises(EncodeError, match=rf"^compact {2**bits} above {bits} bits$"):
        codec.encode(2**bits)
    with pytest.raises(EncodeError):
        codec.encode(-1)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [8, 16, 32, 64, 128, 256])
def test_integers_stay_within_their_type(bits: int, signed: bool) -> None:
    codec = codec_of(Annotated[int, Int(bits, signed=signed)])
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    for value in (low, high - 1):
        assert codec.decode_all(codec.encode(value)) == value
        assert len(codec.encode(value)) == bits // 8
    for value in (low - 1, high):
        with pytest.raises(EncodeError, match=rf"^cannot encode {value}: "):
            codec.encode(value)


@pytest.mark.parametrize(
    ("tp", "encoded", "message"),
    [
        (bool, "02", "boolean of 2"),
        (bool | None, "02", "option of 2"),
        (bool | None, "0102", "boolean of 2"),
        (Suit, "01", "test::Suit has no variant 1"),
        (Figure, "00", "test::Figure has no variant 0"),
        (bool, "0100", "1 bytes left over"),
        (U32, "000000", "end of data: "),
        (U128, "00" * 15, "end of data in an integer"),
        (Bytes32, "00" * 31, "end of data in 32 bytes"),
        (bytes, "0801", "end of data in 2 bytes"),
        (str, "0861", "end of data in a string"),
        (str, "08ff61", "end of data: "),
        (Annotated[bytes, Limit(1)], "080102", "2 bytes, the most is 1"),
        (Annotated[list[U8], Limit(1)], "080102", "2 items, the most is 1"),
        (CompactU8, "0104", "compact 256 above 8 bits"),
        (tuple[U8, U8], "01", "end of data: "),
    ],
)
def test_what_is_no_encoding_is_refused(tp: Any, encoded: str, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        codec_of(tp).decode_all(bytes.fromhex(encoded))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("tp", "value"),
    [
        (U8, "1"),
        (U8, None),
        (U32, 1.5),
        (CompactU32, 100.5),
        (bytes, "text"),
        (str, b"bytes"),
        (str, "\ud800"),
        (Bytes32, bytes(31)),
        (list[U16], [1, "2"]),
        (list[U16], 7),
        (Annotated[bytes, Limit(1)], b"12"),
        (Annotated[list[U8], Limit(1)], [1, 2]),
        (Annotated[list[U8], Fixed(2)], [1]),
        (tuple[U8, U8], (1, 2, 3)),
        (Suit, 7),
        (Figure, "circle"),
        (Node, Circle(1)),
        (None, ()),
    ],
)
def test_what_a_type_cannot_hold_is_refused(tp: Any, value: object) -> None:
    with pytest.raises(EncodeError):
        codec_of(tp).encode(value)


@pytest.mark.parametrize("tp", [list[U32], list[U128], list[bytes], list[Node], bytes, str])
def test_a_length_bomb_is_refused_before_anything_is_made(tp: Any) -> None:
    claims = codec_of(Annotated[int, Compact(64)])
    for count in (2**20, 2**30, 2**32 - 1, 2**60):
        with pytest.raises(DecodeError, match=r"^end of data in "):
            codec_of(tp).decode_all(claims.encode(count) + bytes(16))


def test_items_of_no_bytes_are_bounded() -> None:
    codec = codec_of(list[tuple[()]])
    assert codec.decode_all(codec.encode([(), ()])) == [(), ()]
    with pytest.raises(DecodeError, match=r"^1073741823 items, the most is 65536$"):
        codec.decode_all(bytes.fromhex("feffffff"))
    with pytest.raises(EncodeError, match=r"^65537 items, the most is 65536$"):
        codec.encode([()] * 65_537)


def test_recursion_as_deep_as_the_data_says_is_refused() -> None:
    with pytest.raises(DecodeError, match=r"^values nested too deep$"):
        codec_of(Node).decode_all(b"\x04\x04" * 100_000)


def test_decoding_begins_at_an_offset_and_says_where_it_ended() -> None:
    assert codec_of(U16).decode(b"xx\x01\x00yy", 2) == (1, 4)
    assert codec_of(list[U16]).decode(b"\xff\x04\x01\x00\xff", 1) == ([1], 4)
    with pytest.raises(DecodeError):
        codec_of(U8).decode(b"x", 1)


def test_encoding_appends() -> None:
    out = bytearray(b"head")
    codec_of(U16).encode_into(1, out)
    assert out == b"head\x01\x00"


def test_equal_shapes_share_a_codec_and_declared_ones_do_not() -> None:
    assert codec_of(list[U32]) is codec_of(list[Annotated[int, Int(32, name="Other")]])
    assert codec_of(Node).shape != codec_of(Keyword).shape


@pytest.mark.parametrize("tp", [float, dict[int, int], int | str, Point, object()])
def test_what_scale_cannot_hold_has_no_shape(tp: Any) -> None:
    with pytest.raises(TypeError):
        shape_of(tp)
