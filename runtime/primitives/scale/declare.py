"""From Python annotations to shapes.

Integers are `Annotated[int, Int(32)]`, compact ones `Annotated[int, Compact(128)]`, byte arrays
`Annotated[bytes, Fixed(32)]`, bounded sequences `Annotated[list[X], Limit(64)]`. Records are frozen
dataclasses declared by `@scale_type`, tagged unions are subclasses of a `ScaleEnum`, plain enums
are `enum.Enum` declared by `@scale_enum`.

Source: scale-info (Parity).
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import types
from collections.abc import Callable
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    NewType,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)

from runtime.primitives.record import record
from runtime.primitives.scale.errors import EncodeError
from runtime.primitives.scale.shape import (
    U8_SHAPE,
    UNIT,
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
    VariantCase,
    VariantShape,
)

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Int:
    """An unsigned (or signed) integer of `bits`, little-endian. `name` is shown in metadata."""

    bits: int
    signed: bool = False
    name: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Compact:
    """An unsigned integer below 2**bits in its shortest form; `bits` 0 is compact unit."""

    bits: int
    name: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Fixed:
    """Exactly `length` bytes or items."""

    length: int


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """At most `items` bytes or items."""

    items: int


def _encode_nothing(value: None, out: bytearray) -> None:
    if value is not None:
        raise EncodeError(f"unit is None, not {value!r}")


def _decode_nothing(data: bytes, offset: int) -> tuple[None, int]:
    return None, offset


# `None` in an annotation: unit whose Python value is None; `tuple[()]` is unit whose value is ().
NOTHING: Final[Shape] = Custom(_encode_nothing, _decode_nothing, lambda: UNIT, size_min=0)

_SHAPES: dict[Any, Shape] = {bool: Primitive("bool", 1), str: Primitive("str", 0)}
_PATHS: dict[type, tuple[str, ...]] = {}


def set_shape(tp: Any, shape: Shape) -> None:
    """Give a type (a NewType, say) a hand-made shape, before its first use."""
    _SHAPES[tp] = shape


def shape_of(tp: Any) -> Shape:
    """The shape of an annotation. Raises TypeError for what SCALE cannot hold."""
    found = _SHAPES.get(tp)
    if found is None:
        found = _SHAPES[tp] = _make_shape(tp)
    return found


def _make_shape(tp: Any) -> Shape:
    if isinstance(tp, NewType):
        return shape_of(tp.__supertype__)
    if tp is bytes:
        return Sequence(U8_SHAPE, raw=True)
    if tp is None or tp is type(None):
        return NOTHING
    origin, arguments = get_origin(tp), get_args(tp)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1])
    if origin is list:
        return Sequence(shape_of(arguments[0]))
    if origin is tuple:
        items = () if arguments == ((),) else arguments
        return TupleShape(tuple(shape_of(item) for item in items))
    if origin in (Union, types.UnionType):
        inner = [item for item in arguments if item is not type(None)]
        if len(inner) == 1 and len(arguments) == 2:
            return Option(shape_of(inner[0]))
    if isinstance(tp, type) and issubclass(tp, enum.Enum):
        return _plain_enum(tp)
    if isinstance(tp, type) and issubclass(tp, ScaleEnum):
        return _tagged_union(tp)
    if dataclasses.is_dataclass(tp):
        return _composite(tp)
    raise TypeError(f"no SCALE shape for {tp!r}")


def _annotated(base: Any, mark: Any) -> Shape:
    match mark:
        case Int(bits=bits, signed=signed, name=name):
            return Primitive(f"{'i' if signed else 'u'}{bits}", bits // 8, signed, name)
        case Compact(bits=0):
            return CompactShape(UNIT)
        case Compact(bits=bits, name=name):
            return CompactShape(Primitive(f"u{bits}", bits // 8), name)
        case Fixed(length=length) if base is bytes:
            return Array(U8_SHAPE, length, raw=True)
        case Fixed(length=length):
            return Array(shape_of(get_args(base)[0]), length)
        case Limit(items=items) if base is bytes:
            return Sequence(U8_SHAPE, items, raw=True)
        case Limit(items=items):
            return Sequence(shape_of(get_args(base)[0]), items)
        case _:
            return shape_of(base)


def _docs(cls: type) -> tuple[str, ...]:
    own = cls.__dict__.get("__doc__")
    if not own or own.startswith(f"{cls.__name__}("):  # the signature that dataclasses write
        return ()
    return tuple(inspect.cleandoc(own).splitlines())


def _path(cls: type) -> tuple[str, ...]:
    declared = _PATHS.get(cls)
    if declared is not None:
        return declared
    module = cls.__module__.split(".")
    if "pallets" in module:
        return (f"pallet_{module[module.index('pallets') + 1]}", "types", cls.__name__)
    return ("flockchain", module[-1], cls.__name__)


def fields_of(hints: dict[str, Any]) -> tuple[Field, ...]:
    """Members from name → annotation; a trailing underscore is Python's, not the wire's."""
    return tuple(
        Field(name.rstrip("_"), shape_of(tp), attribute=name) for name, tp in hints.items()
    )


def _members(cls: Any) -> tuple[Field, ...]:
    hints = get_type_hints(cls, include_extras=True)
    return fields_of({item.name: hints[item.name] for item in dataclasses.fields(cls)})


def _composite(cls: Any) -> Composite:
    shape = Composite(_path(cls), (), cls, docs=_docs(cls))
    _SHAPES[cls] = shape  # before its fields: a record may hold itself in a list
    shape.fields = _members(cls)
    return shape


def _plain_enum(cls: type[enum.Enum]) -> VariantShape:
    cases = [VariantCase(item.name, item.value, (), item, single=True) for item in cls]
    return VariantShape(_path(cls), cases, docs=_docs(cls))


def _tagged_union(cls: type[ScaleEnum]) -> VariantShape:
    if cls not in cls.__scale_cases__:
        raise TypeError(f"{cls.__name__} is a case; use its union")
    shape = VariantShape(_path(cls), [], docs=_docs(cls))
    _SHAPES[cls] = shape
    for index, (case, flat) in sorted(cls.__scale_cases__[cls].items()):
        members = _members(case)
        if flat:
            members = tuple(
                Field(None, item.shape, item.type_name, item.attribute) for item in members
            )
        name = getattr(case, "__scale_name__", case.__name__)
        shape.cases.append(VariantCase(name, index, members, case, docs=_docs(case)))
    return shape


@overload
def scale_type(cls: type[T]) -> type[T]: ...
@overload
def scale_type(*, path: str) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True)
def scale_type(
    cls: type[T] | None = None, *, path: str | None = None
) -> type[T] | Callable[[type[T]], type[T]]:
    """Declare a stored or signed record: a frozen, slotted dataclass with a codec."""

    def declare(cls: type[T]) -> type[T]:
        made = record(cls)
        if path is not None:
            _PATHS[made] = tuple(path.split("::"))
        return made

    return declare if cls is None else declare(cls)


def scale_enum(path: str) -> Callable[[type[T]], type[T]]:
    """Give an `enum.Enum` whose values are its indices the type path that clients look for."""

    def declare(cls: type[T]) -> type[T]:
        _PATHS[cls] = tuple(path.split("::"))
        return cls

    return declare


@dataclass_transform(frozen_default=True)
class ScaleEnum:
    """Base of tagged unions: `class Digest(ScaleEnum, path=...)`, then its cases.

    A case is a subclass with `index=`, itself a frozen dataclass; `flat=True` gives its fields no
    names on the wire (a tuple variant), `name=` differs from the class name where needed.
    """

    __scale_cases__: ClassVar[dict[type, dict[int, tuple[type, bool]]]] = {}
    __scale_name__: ClassVar[str]

    def __init_subclass__(
        cls,
        *,
        path: str | None = None,
        index: int | None = None,
        flat: bool = False,
        name: str | None = None,
    ) -> None:
        if index is None:
            ScaleEnum.__scale_cases__[cls] = {}
            if path is not None:
                _PATHS[cls] = tuple(path.split("::"))
            return
        dataclasses.dataclass(frozen=True)(cls)
        cls.__scale_name__ = name or cls.__name__
        union = cls.__mro__[1]
        cases = ScaleEnum.__scale_cases__[union]
        assert index not in cases, f"{union.__name__}: index {index} used twice"
        cases[index] = (cls, flat)


Variant = ScaleEnum
