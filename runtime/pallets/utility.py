"""Utility: several calls in one extrinsic, and accounts that follow from others.

A batch is signed and paid once; each of its calls is undone by itself when it fails. `batch` stops
at the first that fails and keeps those before, `batch_all` keeps all or nothing, `force_batch` goes
on. Nobody's key opens a derived account: whoever it is derived from acts for it.

Source: Substrate `pallet_utility`; WP II.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runtime import frame
from runtime.frame.dispatch import Dispatch
from runtime.frame.dispatch_error import DispatchErrorValue, dispatch_error_value
from runtime.frame.weights import Weight
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.scale import codec_of
from runtime.primitives.types import U16, U32, AccountId

BATCH: Final = Weight(10_000_000)
ITEM: Final = Weight(12_000_000)  # a layer of writes and an event for each call
BATCHED_CALLS_MAX: Final = 500
DERIVATION: Final = b"modlpy/utilisuba"  # Substrate's, so that tools compute the same accounts
_DERIVED: Final = codec_of(tuple[AccountId, U16])


@frame.event(0)
class BatchInterrupted:
    """Call number `index` failed; those before it stay done, those behind it were not tried."""

    index: U32
    error: DispatchErrorValue


@frame.event(1)
class BatchCompleted:
    """Every call of the batch succeeded."""


@frame.event(2)
class BatchCompletedWithErrors:
    """Every call of the batch was tried, some failed."""


@frame.event(3)
class ItemCompleted:
    """A call of the batch succeeded."""


@frame.event(4)
class ItemFailed:
    """A call of the batch failed; nothing of it is left."""

    error: DispatchErrorValue


class TooManyCalls(frame.ModuleError, index=0):
    """The batch has more calls than are allowed. Send it in parts."""


@dataclass(frozen=True)
class Config:
    """How many calls a batch may have; those within its calls are not counted."""

    batched_calls_limit: U32 = BATCHED_CALLS_MAX


def derivative_account(who: AccountId, index: int) -> AccountId:
    """Account number `index` that follows from `who`."""
    return AccountId(blake2b_256(DERIVATION + _DERIVED.encode((who, index))))


def _batch_weight(calls: Sequence[frame.RuntimeCall]) -> Weight:
    weight = BATCH + ITEM.times(len(calls))
    for call in calls:
        weight = weight + call.info().weight
    return weight


class Utility(frame.Pallet[Config], index=26):
    def __init__(self, ext: frame.Externalities, config: Config, *, dispatcher: Dispatch) -> None:
        super().__init__(ext, config)
        self.dispatcher = dispatcher

    @frame.call(0, weight=_batch_weight)
    def batch(self, origin: frame.Origin, calls: list[frame.RuntimeCall]) -> None:
        """Make calls one by one up to the first that fails; what is done stays. Signed or root.

        Emits ItemCompleted for each, then BatchCompleted or BatchInterrupted: the extrinsic
        succeeds either way. Raises TooManyCalls.
        """
        self._ensure_batch(origin, calls)
        for index, call in enumerate(calls):
            error = self.dispatcher.dispatch(call, origin)
            if error is not None:
                self.deposit_event(BatchInterrupted(index, dispatch_error_value(error)))
                return
            self.deposit_event(ItemCompleted())
        self.deposit_event(BatchCompleted())

    @frame.call(1, weight=lambda index, call: BATCH + ITEM + call.info().weight)
    def as_derivative(self, origin: frame.Origin, index: U16, call: frame.RuntimeCall) -> None:
        """Make a call as account number `index` that follows from the signer. Signed.

        Raises what the call raises.
        """
        derived = derivative_account(frame.ensure_signed(origin), index)
        error = self.dispatcher.dispatch(call, origin.acting_as(derived))
        if error is not None:
            raise error

    @frame.call(2, weight=_batch_weight)
    def batch_all(self, origin: frame.Origin, calls: list[frame.RuntimeCall]) -> None:
        """Make all calls, or none if one fails. Signed or root.

        Emits ItemCompleted for each, then BatchCompleted. Raises TooManyCalls, and what the first
        call that fails raises.
        """
        self._ensure_batch(origin, calls)
        for call in calls:
            error = self.dispatcher.dispatch(call, origin)
            if error is not None:
                raise error
            self.deposit_event(ItemCompleted())
        self.deposit_event(BatchCompleted())

    @frame.call(4, weight=_batch_weight)
    def force_batch(self, origin: frame.Origin, calls: list[frame.RuntimeCall]) -> None:
        """Make all calls, whichever fail. Signed or root.

        Emits ItemCompleted or ItemFailed for each, then BatchCompleted or
        BatchCompletedWithErrors. Raises TooManyCalls.
        """
        self._ensure_batch(origin, calls)
        has_failed = False
        for call in calls:
            error = self.dispatcher.dispatch(call, origin)
            if error is None:
                self.deposit_event(ItemCompleted())
            else:
                has_failed = True
                self.deposit_event(ItemFailed(dispatch_error_value(error)))
        self.deposit_event(BatchCompletedWithErrors() if has_failed else BatchCompleted())

    def _ensure_batch(self, origin: frame.Origin, calls: Sequence[frame.RuntimeCall]) -> None:
        if not origin.is_root:
            frame.ensure_signed(origin)
        if len(calls) > self.config.batched_calls_limit:
            raise TooManyCalls
