"""Ids of types: once each, dense, recursive types included.

Source: scale-info.
"""

from __future__ import annotations

import enum
from typing import Annotated

import pytest

from runtime.frame.metadata.registry import Registry, type_name
from runtime.frame.metadata.types import CompositeDef, SequenceDef, VariantDef
from runtime.primitives.scale import Limit, scale_type, shape_of
from runtime.primitives.types import (
    U8,
    U32,
    AccountId,
    Balance,
    Bytes32,
    CompactBalance,
    CompactU32,
)


@scale_type
class Tree:
    """A tree."""

    leaves: list[Tree]


class Kind(enum.Enum):
    IN_BLOCK = 0
    OWN = 3


def test_a_recursive_type_is_registered_once() -> None:
    registry = Registry()
    tree = registry.id_of(shape_of(Tree))
    types = registry.types()
    definition = types[tree].definition
    assert isinstance(definition, CompositeDef)
    assert types[definition.fields[0].type_id].definition == SequenceDef(tree)
    assert len(types) == 2
    assert registry.id_of(shape_of(list[Tree])) == definition.fields[0].type_id


def test_limits_do_not_make_types() -> None:
    registry = Registry()
    assert registry.id_of(shape_of(bytes)) == registry.id_of(shape_of(list[U8]))
    bounded = Annotated[list[U32], Limit(5)]
    assert registry.id_of(shape_of(bounded)) == registry.id_of(shape_of(list[U32]))


def test_cases_of_python_enums_are_shown_in_pascal_case() -> None:
    registry = Registry()
    index = registry.id_of(shape_of(Kind))
    definition = registry.types()[index].definition
    assert isinstance(definition, VariantDef)
    assert [(case.name, case.index) for case in definition.variants] == [("InBlock", 0), ("Own", 3)]


@pytest.mark.parametrize(
    ("tp", "name"),
    [
        (bytes, "Vec<u8>"),
        (str, "String"),
        (bool, "bool"),
        (Balance, "Balance"),
        (CompactBalance, "Balance"),
        (CompactU32, "u32"),
        (Bytes32, "[u8; 32]"),
        (AccountId, "AccountId"),
        (tuple[U32, bool], "(u32, bool)"),
        (list[Balance] | None, "Option<Vec<Balance>>"),
        (Tree, "Tree"),
    ],
)
def test_type_names_look_like_rust(tp: object, name: str) -> None:
    assert type_name(shape_of(tp)) == name
