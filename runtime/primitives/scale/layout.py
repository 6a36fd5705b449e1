"""How values of a shape lie in bytes: what the generator asks before it writes a codec.

Owns no state. Invariant: `smallest_size` never exceeds the length of an encoding, since it bounds
what a length prefix may claim.

Source: SCALE (Parity).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct
from typing import Final

from runtime.primitives.scale.shape import (
    Array,
    CompactShape,
    Composite,
    Custom,
    Primitive,
    Shape,
    TupleShape,
    VariantCase,
    Wrapper,
)

LETTERS: Final = {
    "u8": "B",
    "u16": "H",
    "u32": "I",
    "u64": "Q",
    "i8": "b",
    "i16": "h",
    "i32": "i",
    "i64": "q",
}
"""Integers that `struct` packs; it takes wider ones as bytes."""

_SMALL_FIELDS_MAX: Final = 2


def is_integer(shape: Shape) -> bool:
    """Whether it is an integer of fixed width."""
    return isinstance(shape, Primitive) and shape.name not in ("bool", "str")


def packer_of(shape: Shape) -> Callable[[int], bytes] | None:
    """What encodes an integer of two to eight bytes in one call; None for all other shapes."""
    while isinstance(shape, Wrapper):
        shape = shape.inner
    if isinstance(shape, Primitive) and shape.name in LETTERS and shape.size_bytes > 1:
        return Struct("<" + LETTERS[shape.name]).pack
    return None


def integers_of(shape: Shape, e: str) -> list[tuple[Primitive, str]] | None:
    """The integers that a value `e` is made of, in order; None if it holds anything else."""
    match shape:
        case Primitive():
            return [(shape, e)] if is_integer(shape) else None
        case Wrapper():
            return integers_of(shape.inner, e)
        case Composite():
            found: list[tuple[Primitive, str]] = []
            for member in shape.fields:
                inner = integers_of(member.shape, f"{e}.{member.attribute or member.name}")
                if inner is None:
                    return None
                found += inner
            return found
        case _:
            return None


def struct_of(integers: Sequence[Primitive]) -> Struct:
    """The layout of neighbouring integers; those above 64 bits as byte strings."""
    return Struct("<" + "".join(LETTERS.get(i.name, f"{i.size_bytes}s") for i in integers))


def is_small(case: VariantCase) -> bool:
    """Whether a variant's case is a few plain members, so that writing it in line pays."""
    return (
        not case.single
        and len(case.fields) <= _SMALL_FIELDS_MAX
        and all(_is_plain(member.shape) for member in case.fields)
    )


def _is_plain(shape: Shape) -> bool:
    match shape:
        case Primitive(name=name):
            return name != "str"
        case CompactShape(Primitive()):
            return True
        case Array(raw=raw):
            return raw
        case Wrapper():
            return _is_plain(shape.inner)
        case _:
            return False


def pack_many(letter: str) -> Callable[[list[int]], bytes]:
    """Packs any number of integers of one kind."""

    def pack(values: list[int]) -> bytes:
        return Struct(f"<{len(values)}{letter}").pack(*values)

    return pack


def unpack_many(letter: str) -> Callable[[bytes, int, int], list[int]]:
    """Unpacks `count` integers of one kind at an offset."""

    def unpack(data: bytes, offset: int, count: int) -> list[int]:
        return list(Struct(f"<{count}{letter}").unpack_from(data, offset))

    return unpack


def smallest_size(shape: Shape) -> int:
    """The fewest bytes that a value can take: bounds what a length prefix may claim."""
    match shape:
        case Primitive(size_bytes=size):
            return max(size, 1)
        case CompactShape(TupleShape()):
            return 0
        case Custom(size_min=size):
            return size
        case Array(item, length):
            return length * smallest_size(item)
        case TupleShape(items):
            return sum(smallest_size(item) for item in items)
        case Wrapper():
            return smallest_size(shape.inner)
        case Composite():
            return sum(smallest_size(member.shape) for member in shape.fields)
        case _:
            return 1
