"""The pallets' own errors as types: `pallet_x::pallet::Error` and the `RuntimeError` over them.

Source: FRAME (`#[pallet::error]`, `RuntimeError`).
"""

from __future__ import annotations

import inspect
from typing import Any, Final

from runtime.frame.call import installed_pallets
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
        VariantCase(
            error.__name__,
            index,
            (),
            error,
            docs=tuple(inspect.cleandoc(error.__doc__ or "").splitlines()),
        )
        for index, error in sorted(pallet.error_types.items())
    ]
    return known


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
