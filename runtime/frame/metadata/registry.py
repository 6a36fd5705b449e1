"""The type registry: every shape that metadata mentions, once, under a dense id.

A declared type's id is reserved before its fields are looked at, so types may hold themselves (a
call within a batch). Structural types are the same when their parts are, whatever limits the codec
puts on them. Every field gets a type name: clients cannot decode calls without.

Source: scale-info (`Registry`, `PortableRegistry`).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Final

from runtime.frame.metadata.generics import GENERICS
from runtime.frame.metadata.types import (
    ArrayDef,
    CompactDef,
    CompositeDef,
    FieldType,
    PortableType,
    PrimitiveDef,
    PrimitiveKind,
    SequenceDef,
    TupleDef,
    TypeDef,
    TypeParameter,
    VariantDef,
    VariantType,
)
from runtime.primitives.scale.shape import (
    Array,
    CompactShape,
    Composite,
    Custom,
    Field,
    Option,
    Primitive,
    Shape,
    TupleShape,
    VariantCase,
    VariantShape,
    Wrapper,
)
from runtime.primitives.scale.shape import Sequence as SequenceShape

_TEXT_NAMES: Final = {"str": "String"}


def type_name(shape: Shape) -> str:
    """The type as Rust would write it: `Vec<u8>`, `Option<Balance>`, `AccountId`."""
    match shape:
        case Custom():
            return type_name(shape.described())
        case Primitive(name=name, type_name=shown):
            return shown or _TEXT_NAMES.get(name, name)
        case CompactShape(inner, shown):
            return shown or type_name(inner)
        case SequenceShape(item):
            return f"Vec<{type_name(item)}>"
        case Array(item, length):
            return f"[{type_name(item)}; {length}]"
        case TupleShape(items):
            return f"({', '.join(type_name(item) for item in items)})"
        case Option(inner):
            return f"Option<{type_name(inner)}>"
        case Wrapper():
            return shape.type_name or shape.path[-1]
        case Composite() | VariantShape():
            given = ", ".join(type_name(item) for _, item in shape.params if item is not None)
            return f"{shape.path[-1]}<{given}>" if given else shape.path[-1]
        case _:
            raise TypeError(f"no type name for {shape!r}")


def case_name(case: VariantCase) -> str:
    """The case as clients see it: members of Python enums change from IN_BLOCK to InBlock."""
    if not case.single:
        return case.name
    return "".join(word.capitalize() for word in case.name.split("_"))


class Registry:
    """Gives out ids; `types` is the portable registry."""

    def __init__(self) -> None:
        self._types: list[PortableType | None] = []
        self._ids: dict[Hashable, int] = {}

    def types(self) -> list[PortableType]:
        """Every type, in the order of ids; types that share a path get a parameter."""
        found = [item for item in self._types if item is not None]
        assert len(found) == len(self._types), "a type id was reserved and never filled"
        return _told_apart(found)

    def id_of(self, shape: Shape) -> int:
        """The id of a type, registered with all that it reaches at first sight."""
        while isinstance(shape, Custom):
            shape = shape.described()
        key = self._key(shape)
        known = self._ids.get(key)
        if known is not None:
            return known
        new = self._ids[key] = len(self._types)
        self._types.append(None)
        self._types[new] = PortableType(
            new, self._path(shape), self._params(shape), self._definition(shape), _docs(shape)
        )
        return new

    def _key(self, shape: Shape) -> Hashable:
        match shape:
            case Primitive(name=name):
                return ("primitive", name)
            case CompactShape(inner):
                return ("compact", self.id_of(inner))
            case SequenceShape(item):
                return ("sequence", self.id_of(item))
            case Array(item, length):
                return ("array", self.id_of(item), length)
            case TupleShape(items):
                return ("tuple", *(self.id_of(item) for item in items))
            case Option(inner):
                return ("option", self.id_of(inner))
            case _:
                return shape  # declared: a type of its own

    def _path(self, shape: Shape) -> list[str]:
        match shape:
            case Option():
                return ["Option"]
            case Wrapper() | Composite() | VariantShape():
                return list(shape.path)
            case _:
                return []

    def _params(self, shape: Shape) -> list[TypeParameter]:
        match shape:
            case Option(inner):
                return [TypeParameter("T", self.id_of(inner))]
            case Composite() | VariantShape():
                return [
                    TypeParameter(name, None if item is None else self.id_of(item))
                    for name, item in shape.params or GENERICS.get(shape, ())
                ]
            case _:
                return []

    def _definition(self, shape: Shape) -> TypeDef:
        match shape:
            case Primitive(name=name):
                return PrimitiveDef(PrimitiveKind[name.upper()])
            case CompactShape(inner):
                return CompactDef(self.id_of(inner))
            case SequenceShape(item):
                return SequenceDef(self.id_of(item))
            case Array(item, length):
                return ArrayDef(length, self.id_of(item))
            case TupleShape(items):
                return TupleDef([self.id_of(item) for item in items])
            case Option(inner):
                some = self._fields([Field(None, inner, "T")])
                return VariantDef(
                    [VariantType("None", [], 0, []), VariantType("Some", some, 1, [])]
                )
            case Wrapper():
                return CompositeDef(self._fields([Field(None, shape.inner)]))
            case Composite():
                return CompositeDef(self._fields(shape.fields))
            case VariantShape():
                return VariantDef([self._case(case) for case in shape.cases])
            case _:
                raise TypeError(f"metadata cannot describe {shape!r}")

    def _case(self, case: VariantCase) -> VariantType:
        return VariantType(case_name(case), self._fields(case.fields), case.index, list(case.docs))

    def _fields(self, fields: Sequence[Field]) -> list[FieldType]:
        return [
            FieldType(
                item.name, self.id_of(item.shape), item.type_name or type_name(item.shape), []
            )
            for item in fields
        ]


def _docs(shape: Shape) -> list[str]:
    return list(shape.docs) if isinstance(shape, Composite | VariantShape) else []


def _told_apart(types: list[PortableType]) -> list[PortableType]:
    """Records of one path are instances of one generic; `T` is their first differing field.

    Clients name types by path and parameters: without them `PerDispatchClass` of weights and of
    lengths would be one.
    """
    by_path: dict[tuple[str, ...], list[PortableType]] = {}
    for item in types:
        if item.path and not item.params and isinstance(item.definition, CompositeDef):
            by_path.setdefault(tuple(item.path), []).append(item)
    made = list(types)
    for group in by_path.values():
        if len(group) == 1:
            continue
        rows = [
            [field.type_id for field in item.definition.fields]
            for item in group
            if isinstance(item.definition, CompositeDef)
        ]
        for column in range(min(len(row) for row in rows)):
            if len({row[column] for row in rows}) == len(rows):
                for item, row in zip(group, rows, strict=True):
                    made[item.id] = replace(item, params=[TypeParameter("T", row[column])])
                break
    return made
