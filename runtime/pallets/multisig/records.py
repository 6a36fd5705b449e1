"""What multisig keeps and tells: open operations, events, errors, and how its accounts are made.

Source: Substrate `pallet_multisig`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from runtime import frame
from runtime.frame.dispatch_error import DispatchResult
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.scale import Limit, codec_of
from runtime.primitives.types import U16, U32, AccountId, Balance, BlockNumber, Bytes32

SIGNATORIES_MAX: Final = 100
OPEN_MAX: Final = 64  # operations whose deposit one account holds
DERIVATION: Final = b"modlpy/utilisuba"  # Substrate's, so that tools compute the same accounts
_SIGNATORIES: Final = codec_of(list[AccountId])
_THRESHOLD: Final = codec_of(U16)


@frame.scale_type
class Timepoint:
    """The block and the extrinsic in it by which an operation was opened."""

    height: BlockNumber
    index: U32


@frame.scale_type(path="pallet_multisig::Multisig")
class Operation:
    """A call that waits for approvals, in the order of accounts. `deposit` is held of `depositor`,
    who opened it or took over that account."""

    when: Timepoint
    deposit: Balance
    depositor: AccountId
    approvals: Annotated[list[AccountId], Limit(SIGNATORIES_MAX)]


@frame.scale_type
class OperationKey:
    """Which operation: whose, and the blake2b-256 of its call."""

    multisig: AccountId
    call_hash: Bytes32


OperationKeys = Annotated[list[OperationKey], Limit(OPEN_MAX)]


@frame.event(0)
class NewMultisig:
    """An operation was opened."""

    approving: AccountId
    multisig: AccountId
    call_hash: Bytes32


@frame.event(1)
class MultisigApproval:
    """An operation was approved and waits for more."""

    approving: AccountId
    timepoint: Timepoint
    multisig: AccountId
    call_hash: Bytes32


@frame.event(2)
class MultisigExecuted:
    """The last approval came and the call was made; `result` is how it went."""

    approving: AccountId
    timepoint: Timepoint
    multisig: AccountId
    call_hash: Bytes32
    result: DispatchResult


@frame.event(3)
class MultisigCancelled:
    """An operation was given up."""

    cancelling: AccountId
    timepoint: Timepoint
    multisig: AccountId
    call_hash: Bytes32


class MinimumThreshold(frame.ModuleError, index=0):
    """The threshold must be 2 or more; for 1 there is `as_multi_threshold_1`."""


class AlreadyApproved(frame.ModuleError, index=1):
    """The signatory has approved already, or enough have: make the call with `as_multi`."""


class TooFewSignatories(frame.ModuleError, index=3):
    """There must be another signatory."""


class TooManySignatories(frame.ModuleError, index=4):
    """There are more signatories than are allowed."""


class SignatoriesOutOfOrder(frame.ModuleError, index=5):
    """The other signatories must be in ascending order, each once."""


class SenderInSignatories(frame.ModuleError, index=6):
    """The other signatories must not contain the sender."""


class NotFound(frame.ModuleError, index=7):
    """There is no such operation."""


class NotOwner(frame.ModuleError, index=8):
    """Only whoever has the deposit may cancel."""


class NoTimepoint(frame.ModuleError, index=9):
    """The operation is open: say since when."""


class WrongTimepoint(frame.ModuleError, index=10):
    """The operation was opened at another time."""


class UnexpectedTimepoint(frame.ModuleError, index=11):
    """The operation is not open: a timepoint cannot be given."""


class MaxWeightTooLow(frame.ModuleError, index=12):
    """The call is heavier than `max_weight`, which the fee was computed from."""


class TooManyOpen(frame.ModuleError, index=14):
    """The account holds the deposits of as many operations as it may. Cancel or complete one."""


def multi_account(signatories: Sequence[AccountId], threshold: int) -> AccountId:
    """The account of so many of these signatories, which are in ascending order."""
    encoded = _SIGNATORIES.encode(list(signatories)) + _THRESHOLD.encode(threshold)
    return AccountId(blake2b_256(DERIVATION + encoded))
