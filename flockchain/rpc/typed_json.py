"""Any value of the chain as JSON that people and scripts read without knowing SCALE.

Owns the rules, applied by the value's declared type: accounts are SS58 addresses, integers that
may exceed 32 bits are decimal strings (amounts in planck), rationals are "numerator/denominator",
content ids are CID text, other bytes are hex, names are in camelCase, a case of a union without
content is its name, one with content is an object with that name as its only key.

Source: SS58; CIDv1; the JSON of Substrate's JSON-RPC (hex behind 0x).
"""

from __future__ import annotations

import enum
from typing import Any, Final

from flockchain.rpc.wire import Json, to_hex
from runtime.primitives.content_id import cid_text
from runtime.primitives.rational import Rational
from runtime.primitives.scale.declare import shape_of
from runtime.primitives.scale.shape import (
    Array,
    CompactShape,
    Composite,
    Field,
    Option,
    Primitive,
    Sequence,
    Shape,
    TupleShape,
    VariantShape,
    Wrapper,
)
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import AccountId

_NUMBER_BYTES_MAX: Final = 4  # of an integer that every JSON reader keeps exactly
_CONTENT_NAMES: Final = frozenset(
    (
        *("content", "spec", "validation_a", "plaintext", "ciphertext", "training", "parents"),
        *("question", "answer", "request", "dataset", "without"),
        *("model", "origin_model", "base", "aggregate", "zero_update"),
    )
)
_ACCOUNT: Final = shape_of(AccountId)
_RATIONAL: Final = shape_of(Rational)


def to_json(tp: Any, value: object) -> Json:
    """A value of a SCALE-able type. Raises TypeError for what has no JSON form (calls, eras)."""
    return _of_shape(shape_of(tp), value, is_content=False)


def _of_shape(shape: Shape, value: Any, *, is_content: bool) -> Json:
    if shape is _ACCOUNT:
        return encode_address(value)
    if shape is _RATIONAL:
        return str(value)
    match shape:
        case Primitive():
            is_wide = shape.size_bytes > _NUMBER_BYTES_MAX
            return str(value) if is_wide else _plain(value)
        case CompactShape(inner=inner) | Wrapper(inner=inner):
            return _of_shape(inner, value, is_content=is_content)
        case Option(inner=inner):
            return None if value is None else _of_shape(inner, value, is_content=is_content)
        case Sequence(raw=True) | Array(raw=True):
            return cid_text(value) if is_content else to_hex(value)
        case Sequence(item=item) | Array(item=item):
            return [_of_shape(item, each, is_content=is_content) for each in value]
        case TupleShape(items=items):
            pairs = zip(items, value or (), strict=True)
            return [_of_shape(item, each, is_content=False) for item, each in pairs]
        case Composite():
            return _members(shape.fields, value)
        case VariantShape():
            return _of_variant(shape, value)
        case _:
            raise TypeError(f"{type(value).__name__} has no JSON form")


def _plain(value: bool | int | str) -> Json:
    return value


def _members(fields: tuple[Field, ...], value: object) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for field in fields:
        attribute = field.attribute
        assert attribute is not None, "declared records name their members"
        is_content = attribute in _CONTENT_NAMES
        found[camel_case(attribute)] = _of_shape(
            field.shape, getattr(value, attribute), is_content=is_content
        )
    return found


def _of_variant(shape: VariantShape, value: object) -> Json:
    if isinstance(value, enum.Enum):
        return camel_case(value.name.lower())
    (case,) = [item for item in shape.cases if item.build is type(value)]
    name = case.name[0].lower() + case.name[1:]
    if not case.fields:
        return name
    members = _members(case.fields, value)
    if len(case.fields) == 1 and case.fields[0].name is None:
        return {name: next(iter(members.values()))}
    return {name: members}


def camel_case(name: str) -> str:
    """`score_numerator` as `scoreNumerator`."""
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)
