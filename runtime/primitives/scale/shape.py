"""What a SCALE type is: the shapes that codecs are generated from and metadata describes.

Structural shapes compare by content, declared ones (composites, variants) by identity: two
declarations are two types, even with equal fields.

Source: scale-info's type definitions (Parity).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Shape:
    """A SCALE type."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Primitive(Shape):
    """`bool`, `str` or a fixed-width little-endian integer; `size_bytes` is 0 for `str`."""

    name: str
    size_bytes: int
    signed: bool = False
    type_name: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class CompactShape(Shape):
    """An unsigned integer, or unit (`inner` an empty tuple), in its shortest form."""

    inner: Shape
    type_name: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Sequence(Shape):
    """`Vec<item>`, decoded as `bytes` when `raw`; at most `limit` items."""

    item: Shape
    limit: int | None = None
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Array(Shape):
    """`[u8; length]`, bytes in Python, when `raw`; else a list of `length` items."""

    item: Shape
    length: int
    raw: bool = False


@dataclass(frozen=True, slots=True)
class TupleShape(Shape):
    """A fixed run of shapes; the empty one is unit."""

    items: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Option(Shape):
    """`Option<inner>`; None is `None`, so options do not nest."""

    inner: Shape


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a composite or variant. `name` is None in tuple-like ones."""

    name: str | None
    shape: Shape
    type_name: str | None = None
    attribute: str | None = None  # the Python name, where it differs (`from_` for `from`)


@dataclass(slots=True, eq=False)
class Wrapper(Shape):
    """A named type around one shape; Python sees the inner value (AccountId32, H256)."""

    path: tuple[str, ...]
    inner: Shape
    type_name: str | None = None


@dataclass(slots=True, eq=False)
class Composite(Shape):
    """A record. `build` makes the Python value from the fields in order."""

    path: tuple[str, ...]
    fields: tuple[Field, ...]
    build: Callable[..., Any]
    params: tuple[tuple[str, Shape | None], ...] = ()
    docs: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class VariantCase:
    """One case of a variant. `single` marks a value that is not built (members of `Enum`)."""

    name: str
    index: int
    fields: tuple[Field, ...]
    build: Any
    single: bool = False
    docs: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class VariantShape(Shape):
    """A tagged union. A value's case is found by its class, or by itself when `single`."""

    path: tuple[str, ...]
    cases: list[VariantCase]
    params: tuple[tuple[str, Shape | None], ...] = ()
    docs: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Custom(Shape):
    """Hand-written functions, described to metadata as `described()` (Era, RuntimeCall).

    No value takes fewer than `size_min` bytes.
    """

    encode: Callable[[Any, bytearray], None]
    decode: Callable[[bytes, int], tuple[Any, int]]
    described: Callable[[], Shape]
    size_min: int = 1


U8_SHAPE = Primitive("u8", 1)
UNIT = TupleShape(())
