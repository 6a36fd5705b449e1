"""`Result<T, E>` on the wire: `Ok(value)` or `Err(error)`.

`Result[A, B]` is a plain Python union, to be matched by class; `declare_result` gives one
instantiation its codec.

Source: SCALE (Parity), `Result`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, get_args

from runtime.primitives.scale import set_shape, shape_of
from runtime.primitives.scale.shape import Field, Shape, VariantCase, VariantShape

T = TypeVar("T")
E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Ok(Generic[T]):
    """It went well."""

    value: T


@dataclass(frozen=True, slots=True)
class Err(Generic[E]):
    """It did not."""

    error: E


Result: TypeAlias = Ok[T] | Err[E]


def declare_result(tp: Any) -> None:
    """Give `Result[A, B]` its codec, once; afterwards it may stand in annotations."""
    ok, err = get_args(tp)
    (value,), (error,) = get_args(ok), get_args(err)
    set_shape(tp, result_shape(shape_of(value), shape_of(error)))


def result_shape(value: Shape, error: Shape) -> VariantShape:
    """The shape of a result of two shapes."""
    return VariantShape(
        ("Result",),
        [
            VariantCase("Ok", 0, (Field(None, value, "T", "value"),), Ok),
            VariantCase("Err", 1, (Field(None, error, "E", "error"),), Err),
        ],
        (("T", value), ("E", error)),
    )
