"""Random values of a SCALE type: type-correct, with a taste for what exists and for the edges."""

from __future__ import annotations

from random import Random
from typing import Any

from runtime.frame.call import RUNTIME_CALL, RuntimeCall, installed_pallets
from runtime.frame.pallet import CallEntry, entry_of
from runtime.pallets.system import System
from runtime.primitives.rational import Rational
from runtime.primitives.scale import DecodeError
from runtime.primitives.scale.shape import (
    Array,
    CompactShape,
    Composite,
    Custom,
    Field,
    Option,
    Primitive,
    Sequence,
    Shape,
    TupleShape,
    VariantShape,
    Wrapper,
)
from runtime.primitives.types import FML

ITEMS_MAX = 6
NESTED_MAX = 3  # calls within calls; the chain takes more


class Arguments:
    """Draws arguments; `known` are byte strings that the state knows (accounts, hashes)."""

    def __init__(self, prng: Random, known: list[bytes]) -> None:
        self._prng = prng
        self._known = known
        self._depth = 0

    def of(self, entry: CallEntry) -> tuple[Any, ...]:
        """Arguments of a call."""
        return tuple(self.value(item) for item in _items(entry.codec.shape))

    def value(self, shape: Shape) -> Any:
        """A value of the shape."""
        prng = self._prng
        match shape:
            case Primitive("bool"):
                return prng.random() < 0.5
            case Primitive("str"):
                return "".join(prng.choice("aß€𝄞\0") for _ in range(prng.choice((0, 3, 64, 65))))
            case Primitive() | CompactShape(Primitive()):
                inner = shape.inner if isinstance(shape, CompactShape) else shape
                assert isinstance(inner, Primitive)
                return self._integer(inner.size_bytes)
            case CompactShape():
                return None
            case Sequence(raw=True) | Array(raw=True):
                length = shape.length if isinstance(shape, Array) else prng.choice((0, 1, 40, 300))
                return self._bytes(length)
            case Sequence(item, limit):
                most = ITEMS_MAX if limit is None else min(limit, ITEMS_MAX)
                return [self.value(item) for _ in range(prng.randint(0, most))]
            case Array(item, length):
                return [self.value(item) for _ in range(length)]
            case Wrapper():
                return self.value(shape.inner)
            case Option(inner):
                return None if prng.random() < 0.5 else self.value(inner)
            case TupleShape(items):
                return tuple(self.value(item) for item in items)
            case Composite():
                return self._record(shape.build, shape.fields)
            case Custom() if shape is RUNTIME_CALL.shape:
                return self._call()
            case VariantShape(cases=cases):
                case = prng.choice(cases)
                return case.build if case.single else self._record(case.build, case.fields)
            case _:
                raise TypeError(f"no values of {shape!r}")

    def _call(self) -> RuntimeCall:
        """A call within a call; the deepest are remarks."""
        pallets = [pallet for pallet in installed_pallets() if pallet.calls]
        entries = list(self._prng.choice(pallets).calls.values())
        is_deep = self._depth >= NESTED_MAX
        entry = entry_of(System.remark) if is_deep else self._prng.choice(entries)
        self._depth += 1
        arguments = self.of(entry)
        self._depth -= 1
        return RuntimeCall(entry, arguments)

    def _record(self, build: Any, fields: tuple[Field, ...]) -> Any:
        if build is Rational and self._prng.random() < 0.7:
            return self._prng.choice((Rational(0, 1), Rational(1, 2), Rational(1, 1)))
        while True:
            values = [self.value(member.shape) for member in fields]
            try:
                return build(*values)
            except DecodeError:  # a record with a rule of its own, such as a rational
                continue

    def _integer(self, size: int) -> int:
        prng, top = self._prng, (1 << 8 * size) - 1
        kind = prng.randrange(10)
        if kind < 5:
            return prng.randint(0, 3)
        if kind < 8:
            amounts = (FML - 1, FML, 10 * FML, 30 * FML, 77 * FML + 1, 100 * FML, 9_000 * FML)
            return min(prng.choice((5, 10**8, 10**9, 10**9 + 1, *amounts)), top)
        return prng.choice((top, top - 1, top // 2, prng.randint(0, top)))

    def _bytes(self, length: int) -> bytes:
        fitting = [one for one in self._known if len(one) == length]
        if fitting and self._prng.random() < 0.8:
            return self._prng.choice(fitting)
        return self._prng.choice((bytes(length), b"\xff" * length, self._prng.randbytes(length)))


def _items(shape: Shape) -> tuple[Shape, ...]:
    assert isinstance(shape, TupleShape)
    return shape.items
