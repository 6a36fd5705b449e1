"""Where account ids occur in storage, found in the SCALE shapes of keys and values.

Owns the walk: which items mention accounts, and rewriting accounts inside decoded values. A shape
that the walk cannot see into (`Custom`) counts as one that may mention accounts.
Invariant: a rewrite by a one-to-one renaming is undone by the rewrite with its inverse.
Source: WP II (accounts own every stake and balance); scale-info's type definitions (Parity).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from runtime.frame.storage import StorageItem, StorageMap, StorageValue
from runtime.primitives.scale.shape import (
    Array,
    Composite,
    Custom,
    Field,
    Option,
    Sequence,
    Shape,
    TupleShape,
    VariantShape,
    Wrapper,
)
from runtime.primitives.types import AccountId

ACCOUNT_PATH = ("sp_core", "crypto", "AccountId32")
Renaming = Callable[[AccountId], AccountId]


def is_account(shape: Shape) -> bool:
    """Whether this is the account id itself."""
    return isinstance(shape, Wrapper) and shape.path == ACCOUNT_PATH


def parts_of(shape: Shape) -> tuple[Shape, ...]:
    """The shapes that a shape is made of."""
    match shape:
        case Sequence(raw=True) | Array(raw=True):
            return ()
        case Sequence(item) | Array(item):
            return (item,)
        case Option(inner):
            return (inner,)
        case Wrapper():
            return (shape.inner,)
        case TupleShape(items):
            return items
        case Composite():
            return tuple(member.shape for member in shape.fields)
        case VariantShape():
            return tuple(f.shape for case in shape.cases for f in case.fields)
        case _:
            return ()


@lru_cache(maxsize=4096)
def mentions_accounts(shape: Shape, inside: tuple[Shape, ...] = ()) -> bool:
    """Whether values of the shape hold, or may hold, account ids. `inside`: what encloses it."""
    if is_account(shape) or isinstance(shape, Custom):
        return True
    if any(shape is outer for outer in inside):
        return False  # recursive: its first visit decides
    return any(mentions_accounts(part, (*inside, shape)) for part in parts_of(shape))


def key_shape(item: StorageItem) -> Shape | None:
    """The shape of a map's key; None for a value."""
    return item.key_codec.shape if isinstance(item, StorageMap) else None


def value_shape(item: StorageItem) -> Shape:
    """The shape of what is stored."""
    assert isinstance(item, StorageValue | StorageMap), item.name
    shape: Shape = item.value_codec.shape
    return shape


def item_mentions_accounts(item: StorageItem) -> bool:
    """Whether an item holds account ids, in its keys or its values."""
    key = key_shape(item)
    return mentions_accounts(value_shape(item)) or (key is not None and mentions_accounts(key))


def rewrite(shape: Shape, value: Any, renaming: Renaming) -> Any:
    """The same value with each account replaced. Raises TypeError inside a `Custom` shape."""
    if is_account(shape):
        return renaming(value)
    if value is None or not mentions_accounts(shape):
        return value
    match shape:
        case Option(inner):
            return rewrite(inner, value, renaming)
        case Wrapper():
            return rewrite(shape.inner, value, renaming)
        case Sequence(item) | Array(item):
            return [rewrite(item, part, renaming) for part in value]
        case TupleShape(items):
            return tuple(
                rewrite(item, part, renaming) for item, part in zip(items, value, strict=True)
            )
        case Composite():
            return shape.build(*_rewrite_fields(shape.fields, value, renaming))
        case VariantShape():
            case_ = next((case for case in shape.cases if case.build is type(value)), None)
            if case_ is None or not case_.fields:
                return value
            return case_.build(*_rewrite_fields(case_.fields, value, renaming))
        case _:
            raise TypeError(f"accounts inside of {shape} cannot be found")


def _rewrite_fields(fields: tuple[Field, ...], value: Any, renaming: Renaming) -> list[Any]:
    found = []
    for place, member in enumerate(fields):
        name = member.attribute or member.name
        if name is None:  # a flat case: its one field has a name in Python only
            name = tuple(type(value).__dataclass_fields__)[place]
        found.append(rewrite(member.shape, getattr(value, name), renaming))
    return found


def with_account(shape: Shape, who: AccountId) -> Any:
    """The value of an account-like shape for `who`: the id, or the one variant case holding it.

    Raises TypeError if the shape is neither.
    """
    if is_account(shape):
        return who
    if isinstance(shape, VariantShape):
        fitting = [
            case for case in shape.cases if [is_account(f.shape) for f in case.fields] == [True]
        ]
        if len(fitting) == 1:
            return fitting[0].build(who)
    raise TypeError(f"{shape} is not one account")
