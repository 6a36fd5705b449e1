"""What pallets may ask of one another, as Protocols; `runtime.runtime` alone knows who answers.

Source: FRAME `frame_support::traits` (fungible, holds).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Protocol

from runtime.primitives.scale import scale_enum
from runtime.primitives.types import AccountId, Balance, Hash, Moment


@scale_enum("flockchain_runtime::RuntimeHoldReason")
class HoldReason(enum.Enum):
    """Why an amount is held: it stays its owner's and cannot be spent. Never renumber."""

    TASK_CREATION = 0  # S_c of a task creator
    STAKE = 1  # own stake of a training node or task validator, and delegations
    FL_STAKE = 2
    HOST_STAKE = 3
    CHAIN_STAKE = 4  # bonded by validators and nominators of the chain
    PREIMAGE = 5
    PROPOSAL = 6
    CHANNEL = 7
    MULTISIG = 8
    PROXY = 9
    CHALLENGE = 10
    UNBONDING = 11
    VOTE_LOCK = 12  # locked to vote; never at stake
    CALLER_STAKE = 13  # makes calls of models free; never at stake


class Currency(Protocol):
    """Accounts and the token. All amounts are planck; every method raises before it writes."""

    def free(self, who: AccountId) -> Balance:
        """What is neither held nor below a lock is `spendable`; this is all that is not held."""

    def spendable(self, who: AccountId) -> Balance:
        """What `who` can send or have held without being reaped."""

    def held(self, reason: HoldReason, who: AccountId) -> Balance:
        """What is held of `who` for `reason`."""

    def transfer(
        self, source: AccountId, dest: AccountId, amount: Balance, *, keep_alive: bool = True
    ) -> None:
        """Move free tokens. Raises TokenError."""

    def pay_out(
        self, pot: AccountId, parts: Sequence[tuple[AccountId, Balance]]
    ) -> list[tuple[AccountId, Balance]]:
        """Move free tokens of a pot to many; the parts that would be dust at who gets them stay,
        and are returned. Raises TokenError if the pot has less than all parts."""

    def mint(self, who: AccountId, amount: Balance) -> None:
        """Create tokens, up to the cap. Raises ArithmeticFailure above it."""

    def burn(self, who: AccountId, amount: Balance) -> None:
        """Destroy free tokens. Raises TokenError."""

    def hold(self, reason: HoldReason, who: AccountId, amount: Balance) -> None:
        """Hold free tokens. Raises TokenError if too few are spendable."""

    def release(self, reason: HoldReason, who: AccountId, amount: Balance) -> None:
        """Make held tokens free again. Raises TokenError if fewer are held."""

    def transfer_held(
        self, reason: HoldReason, source: AccountId, dest: AccountId, amount: Balance
    ) -> None:
        """Move held tokens of `source` to the free balance of `dest` (a slash)."""

    def burn_held(self, reason: HoldReason, who: AccountId, amount: Balance) -> None:
        """Destroy held tokens (a slash that is burned)."""

    def issuance(self) -> Balance:
        """All tokens there are."""


class BlockInfo(Protocol):
    """What the system knows of the block that is being executed."""

    def block_number(self) -> int:
        """Its number."""

    def parent(self) -> Hash:
        """Its parent's hash."""

    def genesis_hash(self) -> Hash:
        """The chain's identity."""


class BlockPosition(BlockInfo, Protocol):
    """Where in which block."""

    def extrinsic_index(self) -> int:
        """The extrinsic that is being applied; 0 in hooks."""


class Clock(Protocol):
    """The block's own time."""

    def now_ms(self) -> Moment:
        """Milliseconds since 1970, as the author claimed."""


class Randomness(Protocol):
    """The VRF outputs of the chain's blocks, the beacon that every draw starts from."""

    def author_vrf_output(self) -> bytes | None:
        """The 64-byte VRF output of this block's author; None under instant seal."""

    def epoch_randomness(self) -> Hash:
        """The randomness of the current epoch."""

    def epoch_index(self) -> int:
        """The current epoch."""


def pallet_account(name: bytes, sub: bytes = b"") -> AccountId:
    """A pot: the account of a pallet, or of one of its things. No key opens it.

    Pots are never reaped and know no existential deposit.
    """
    whole = b"modl" + name + b"/" + sub
    assert len(whole) <= 32, f"pot name of {len(whole)} bytes"
    return AccountId(whole.ljust(32, b"\0"))


def is_pot(who: AccountId) -> bool:
    """Whether the account belongs to a pallet."""
    return who[:4] == b"modl"
