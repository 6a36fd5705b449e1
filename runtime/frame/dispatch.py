"""Calls that other calls make: a batch's items, what a proxy or a multisig account does.

A call within a call has its own layer of writes and events, undone when it fails; it is charged
with the call around it, whose weight counts its own; and it goes through every filter that its
origin carries. What pays nothing or only authors may do is no call of anybody's: it is refused.
A wrapper is a normal call, so nothing gains room in a block by being wrapped.

Source: Substrate `sp_runtime::traits::Dispatchable`, `frame_support::traits::OriginTrait`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from runtime.frame.call import RuntimeCall
from runtime.frame.errors import ArithmeticErrorKind, ArithmeticFailure, DispatchError
from runtime.frame.externalities import Externalities
from runtime.frame.origin import Origin
from runtime.frame.pallet import Pallet
from runtime.frame.weights import MANDATORY, Pays
from runtime.primitives.scale import EncodeError

PalletOf = Callable[[type[Pallet[Any]]], Pallet[Any]]


def run_call(
    ext: Externalities, pallet: Pallet[Any], call: RuntimeCall, origin: Origin
) -> DispatchError | None:
    """Run a call; the error that it failed with, after which nothing of it is left, or None."""
    try:
        with ext.transaction():
            call.entry.function(pallet, origin, *call.arguments)
    except DispatchError as error:
        return error
    except EncodeError:  # a number left the range of the storage that holds it
        return ArithmeticFailure(ArithmeticErrorKind.OVERFLOW)
    return None


class Dispatch(Protocol):
    """Who runs calls within calls."""

    def dispatch(self, call: RuntimeCall, origin: Origin) -> DispatchError | None:
        """Run a call; the error that it failed with, after which nothing of it is left, or None."""


class Dispatcher:
    """`Dispatch` over the pallets of a runtime; `refusal` is what a filtered call fails with."""

    def __init__(
        self, ext: Externalities, pallet_of: PalletOf, refusal: type[DispatchError]
    ) -> None:
        self._ext = ext
        self._pallet_of = pallet_of
        self._refusal = refusal

    def dispatch(self, call: RuntimeCall, origin: Origin) -> DispatchError | None:
        entry = call.entry
        if entry.dispatch_class is MANDATORY or entry.pays is Pays.NO or not origin.allows(call):
            return self._refusal()
        return run_call(self._ext, self._pallet_of(entry.pallet), call, origin)
