"""The pallets' own errors as types: `pallet_x::pallet::Error` and the `RuntimeError` over them.

Source: FRAME (`#[pallet::error]`, `RuntimeError`).
"""

from __future__ import annotations

import inspect
from typing import Any, Final

from runtime.frame.call import installed_pallets
from runtime.frame.errors import ModuleError
from runtime.frame.naming import snake_case
from runtime.frame.pallet import Pallet
from runtime.primitives.scale.shape import Field, Shape, VariantCase, VariantShape

_described: dict[type, VariantShape] = {}
_outer: Final = VariantShape(("flockchain_runtime", "RuntimeError"), [])


def describe_errors(pallet: type[Pallet[Any]]) -> VariantShape:
    """The pallet's `Error` type."""
    known = _described.get(pallet)
    if known is None:
        path = (f"pallet_{snake_case(pallet.__name__)}", "pallet", "Error")
        known = _described[pallet] = VariantShape(path, [])
    known.cases = [
        _case(index, pallet.error_types.get(index))
        for index in range(max(pallet.error_types, default=-1) + 1)
    ]
    return known


def _case(index: int, error: type[ModuleError] | None) -> VariantCase:
    """An error, or what keeps its place: Python clients look errors up by position, not index."""
    if error is None:
        return VariantCase(f"Unused{index}", index, (), None)
    docs = tuple(inspect.cleandoc(error.__doc__ or "").splitlines())
    return VariantCase(error.__name__, index, (), error, docs=docs)


def describe_runtime_error() -> Shape:
    """The `RuntimeError` type, with the installed pallets."""
    _outer.cases = [
        VariantCase(
            pallet.__name__, pallet.pallet_index, (Field(None, describe_errors(pallet)),), None
        )
        for pallet in installed_pallets()
        if pallet.error_types
    ]
    return _outer
