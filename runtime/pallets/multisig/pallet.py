"""Multisig: accounts that several keys open together.

An account follows from its signatories and the threshold; nothing of it is stored but operations
that wait for approvals, for which whoever opened them holds a deposit. A call that reaches its
threshold leaves the state before it is made, so it is made once.
Invariant (`try_state`): an account's hold for MULTISIG is the sum of the deposits of the operations
that `opened` lists for it, and these are all operations.

Source: Substrate `pallet_multisig`; WP II.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from runtime import frame
from runtime.frame.call import RUNTIME_CALL
from runtime.frame.dispatch import Dispatch
from runtime.frame.dispatch_error import dispatch_result
from runtime.frame.traits import BlockPosition, Currency, HoldReason
from runtime.frame.weights import Weight
from runtime.pallets.multisig import records as of
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import FML, U16, U32, AccountId, Balance, Bytes32

AS_MULTI: Final = Weight(150_000_000)  # lists of what an account has open are read and written
SIGNATORY: Final = Weight(2_000_000)
_WEIGHT_MAX: Final = 2**48  # far more than a block takes; sums of such weights have a SCALE form


def _weight(others: Sequence[AccountId], inner: Weight) -> Weight:
    bounded = Weight(min(inner.ref_time, _WEIGHT_MAX), min(inner.proof_size, _WEIGHT_MAX))
    return AS_MULTI + SIGNATORY.times(len(others)) + bounded


@dataclass(frozen=True)
class Config:
    """Deposits in planck: the base and so much for each signatory that the threshold asks for."""

    deposit_base: Balance = FML // 100
    deposit_factor: Balance = FML // 1_000
    max_signatories: U32 = of.SIGNATORIES_MAX


class Multisig(frame.Pallet[Config], index=28):
    multisigs = frame.StorageDoubleMap[tuple[AccountId, bytes], of.Operation](
        AccountId, Bytes32, of.Operation, docs="Open operations by account and the call's hash."
    )
    opened = frame.StorageMap[AccountId, list[of.OperationKey]](
        AccountId, of.OperationKeys, default=[], docs="Operations whose deposit an account holds."
    )

    def __init__(
        self,
        ext: frame.Externalities,
        config: Config,
        *,
        dispatcher: Dispatch,
        currency: Currency,
        block: BlockPosition,
    ) -> None:
        super().__init__(ext, config)
        self.dispatcher, self.currency, self.block = dispatcher, currency, block

    # -- calls

    @frame.call(0, weight=lambda others, call: _weight(others, call.info().weight))
    def as_multi_threshold_1(
        self,
        origin: frame.Origin,
        other_signatories: list[AccountId],
        call: frame.RuntimeCall,
    ) -> None:
        """Make a call as an account that any of its signatories opens alone. Signed by one.

        Raises TooFewSignatories, TooManySignatories, SignatoriesOutOfOrder, SenderInSignatories,
        and what the call raises.
        """
        who = frame.ensure_signed(origin)
        account = of.multi_account(self._signatories(who, other_signatories), 1)
        error = self.dispatcher.dispatch(call, origin.acting_as(account))
        if error is not None:
            raise error

    @frame.call(
        1,
        weight=lambda threshold, others, timepoint, call, max_weight: _weight(others, max_weight),
    )
    def as_multi(
        self,
        origin: frame.Origin,
        threshold: U16,
        other_signatories: list[AccountId],
        maybe_timepoint: of.Timepoint | None,
        call: frame.RuntimeCall,
        max_weight: Weight,
    ) -> None:
        """Approve a call, and make it if enough have approved. Signed by a signatory.

        Who opens it gives no timepoint and holds the deposit, which returns when the call is made.
        Emits NewMultisig, MultisigApproval or MultisigExecuted. Raises as `approve_as_multi`, and
        MaxWeightTooLow.
        """
        who = frame.ensure_signed(origin)
        key = self._key(who, threshold, other_signatories, blake2b_256(RUNTIME_CALL.encode(call)))
        operation = self._find(key, maybe_timepoint)
        if operation is not None:
            given = len({*operation.approvals, who})
            if given >= threshold:
                self._execute(origin, who, key, operation, call, max_weight)
                return
        self._approve(who, key, operation, threshold)

    @frame.call(
        2,
        weight=lambda threshold, others, timepoint, call_hash, max_weight: _weight(
            others, frame.ZERO_WEIGHT
        ),
    )
    def approve_as_multi(
        self,
        origin: frame.Origin,
        threshold: U16,
        other_signatories: list[AccountId],
        maybe_timepoint: of.Timepoint | None,
        call_hash: Bytes32,
        max_weight: Weight,
    ) -> None:
        """Approve a call by its hash; somebody has to make it with `as_multi`. Signed.

        Emits NewMultisig or MultisigApproval. Raises MinimumThreshold, TooFewSignatories,
        TooManySignatories, SignatoriesOutOfOrder, SenderInSignatories, NoTimepoint,
        WrongTimepoint, UnexpectedTimepoint, AlreadyApproved, TooManyOpen, TokenError.
        """
        who = frame.ensure_signed(origin)
        key = self._key(who, threshold, other_signatories, call_hash)
        self._approve(who, key, self._find(key, maybe_timepoint), threshold)

    @frame.call(
        3,
        weight=lambda threshold, others, timepoint, call_hash: _weight(others, frame.ZERO_WEIGHT),
    )
    def cancel_as_multi(
        self,
        origin: frame.Origin,
        threshold: U16,
        other_signatories: list[AccountId],
        timepoint: of.Timepoint,
        call_hash: Bytes32,
    ) -> None:
        """Give up an operation and get the deposit back. Signed by whoever holds it.

        Who took over a signatory's account (`Rekeying.swap_key`) is none itself and names all.
        Emits MultisigCancelled. Raises NotFound, NotOwner, WrongTimepoint, and as
        `approve_as_multi` for threshold and signatories.
        """
        who = frame.ensure_signed(origin)
        inherited = of.OperationKey(of.multi_account(other_signatories, threshold), call_hash)
        is_heir = inherited in self.opened.get(who)
        key = inherited if is_heir else self._key(who, threshold, other_signatories, call_hash)
        operation = self.multisigs.find((key.multisig, call_hash))
        if operation is None:
            raise of.NotFound
        if operation.when != timepoint:
            raise of.WrongTimepoint
        if operation.depositor != who:
            raise of.NotOwner
        self._close(key, operation)
        self.deposit_event(of.MultisigCancelled(who, timepoint, key.multisig, call_hash))

    # -- the operation

    def _signatories(self, who: AccountId, others: Sequence[AccountId]) -> list[AccountId]:
        """All signatories in order."""
        if not others:
            raise of.TooFewSignatories
        if len(others) >= self.config.max_signatories:
            raise of.TooManySignatories
        if any(first >= second for first, second in pairwise(others)):
            raise of.SignatoriesOutOfOrder
        if who in others:
            raise of.SenderInSignatories
        return sorted((*others, who))

    def _key(
        self, who: AccountId, threshold: int, others: Sequence[AccountId], call_hash: bytes
    ) -> of.OperationKey:
        if threshold < 2:
            raise of.MinimumThreshold
        account = of.multi_account(self._signatories(who, others), threshold)
        return of.OperationKey(account, call_hash)

    def _find(self, key: of.OperationKey, timepoint: of.Timepoint | None) -> of.Operation | None:
        """The operation, if it is open and the sender knows."""
        operation = self.multisigs.find((key.multisig, key.call_hash))
        if operation is None:
            if timepoint is not None:
                raise of.UnexpectedTimepoint
            return None
        if timepoint is None:
            raise of.NoTimepoint
        if operation.when != timepoint:
            raise of.WrongTimepoint
        return operation

    def _approve(
        self, who: AccountId, key: of.OperationKey, operation: of.Operation | None, threshold: int
    ) -> None:
        if operation is None:
            self._open(who, key, threshold)
            return
        approvals = operation.approvals
        if who in approvals or len(approvals) >= threshold:
            raise of.AlreadyApproved
        grown = replace(operation, approvals=sorted((*approvals, who)))
        self.multisigs.put((key.multisig, key.call_hash), grown)
        self.deposit_event(of.MultisigApproval(who, operation.when, key.multisig, key.call_hash))

    def _open(self, who: AccountId, key: of.OperationKey, threshold: int) -> None:
        opened = self.opened.get(who)
        if len(opened) >= of.OPEN_MAX:
            raise of.TooManyOpen
        deposit = self.config.deposit_base + self.config.deposit_factor * threshold
        self.currency.hold(HoldReason.MULTISIG, who, deposit)
        when = of.Timepoint(self.block.block_number(), self.block.extrinsic_index())
        self.multisigs.put((key.multisig, key.call_hash), of.Operation(when, deposit, who, [who]))
        self.opened.put(who, [*opened, key])
        self.deposit_event(of.NewMultisig(who, key.multisig, key.call_hash))

    def _close(self, key: of.OperationKey, operation: of.Operation) -> None:
        depositor = operation.depositor
        self.multisigs.remove((key.multisig, key.call_hash))
        left = [item for item in self.opened.get(depositor) if item != key]
        if left:
            self.opened.put(depositor, left)
        else:
            self.opened.remove(depositor)
        self.currency.release(HoldReason.MULTISIG, depositor, operation.deposit)

    def _execute(
        self,
        origin: frame.Origin,
        who: AccountId,
        key: of.OperationKey,
        operation: of.Operation,
        call: frame.RuntimeCall,
        max_weight: Weight,
    ) -> None:
        if not call.info().weight.fits(max_weight):
            raise of.MaxWeightTooLow
        self._close(key, operation)
        error = self.dispatcher.dispatch(call, origin.acting_as(key.multisig))
        self.deposit_event(
            of.MultisigExecuted(
                who, operation.when, key.multisig, key.call_hash, dispatch_result(error)
            )
        )

    def try_state(self) -> None:
        opened = dict(self.opened.items())
        listed = [(key.multisig, key.call_hash) for keys in opened.values() for key in keys]
        operations = dict(self.multisigs.items())
        assert sorted(listed) == sorted(operations)
        for who, keys in opened.items():
            mine = [operations[key.multisig, key.call_hash] for key in keys]
            assert all(item.depositor == who for item in mine), f"deposits of {who.hex()}"
            held = self.currency.held(HoldReason.MULTISIG, who)
            assert sum(item.deposit for item in mine) == held, f"multisig hold of {who.hex()}"
