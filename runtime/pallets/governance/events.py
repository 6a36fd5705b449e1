"""What governance tells, and why it refuses.

Source: WP VII.
"""

from __future__ import annotations

from runtime import frame
from runtime.economy.governance import GovernanceParameters, Track
from runtime.pallets.governance.records import Stage
from runtime.primitives.types import U32, AccountId, Balance, BlockNumber, Bytes32


@frame.event(0)
class Locked:
    """All that an account has locked, in planck, and the days of notice."""

    who: AccountId
    tokens: Balance
    days: U32


@frame.event(1)
class UnlockBegun:
    """A part of a lock counts no more and is free from block `free_at` on."""

    who: AccountId
    amount: Balance
    free_at: BlockNumber


@frame.event(2)
class Withdrawn:
    """Tokens of a lock are free."""

    who: AccountId
    amount: Balance


@frame.event(3)
class Delegated:
    """Another votes with an account's lock; None: itself again."""

    who: AccountId
    to: AccountId | None


@frame.event(4)
class Proposed:
    """A proposal was made; its debate begins with the next block."""

    proposal: U32
    proposer: AccountId
    track: Track
    description: Bytes32


@frame.event(5)
class Commented:
    """Somebody commented on a proposal."""

    proposal: U32
    who: AccountId
    content: Bytes32


@frame.event(6)
class Flagged:
    """Somebody called a proposal a scam, or none; it counts so many tokens."""

    proposal: U32
    who: AccountId
    is_scam: bool
    tokens: Balance


@frame.event(7)
class Voted:
    """Somebody voted; `weight` is what it counts."""

    proposal: U32
    who: AccountId
    is_aye: bool
    weight: Balance


@frame.event(8)
class StageBegun:
    """A proposal entered a stage that lasts until block `until`."""

    proposal: U32
    stage: Stage
    until: BlockNumber


@frame.event(9)
class Ended:
    """A proposal is over. `returned` of the deposit, `reward` from the treasury, in planck."""

    proposal: U32
    stage: Stage
    returned: Balance
    reward: Balance


@frame.event(10)
class AccountAttested:
    """The DAO says that an account is one person's, or no longer so."""

    who: AccountId
    is_attested: bool


@frame.event(11)
class ParametersChanged:
    """The DAO changed its own rules."""

    parameters: GovernanceParameters


class LockTooSmall(frame.ModuleError, index=0):
    """Less than the least lock would be locked."""


class TermOutOfBounds(frame.ModuleError, index=1):
    """A lock's notice is 1 to 365 days and is never made shorter. Unlock all to begin anew."""


class NoLock(frame.ModuleError, index=2):
    """The account has locked nothing. Lock tokens first."""


class NotSoMuchLocked(frame.ModuleError, index=3):
    """Less is locked, or nothing was asked for."""


class TooManyParts(frame.ModuleError, index=4):
    """So many parts of the lock are on their way out already. Withdraw what is free."""


class NothingFree(frame.ModuleError, index=5):
    """No part of the lock is free yet."""


class BadDelegate(frame.ModuleError, index=6):
    """The delegate is oneself or has locked nothing."""


class NotDelegated(frame.ModuleError, index=7):
    """Nobody else votes with the lock."""


class TooManyProposals(frame.ModuleError, index=8):
    """As many proposals are on their way as there may be. Try when one has ended."""


class CallTooLong(frame.ModuleError, index=9):
    """The call has more bytes than a proposal's may have."""


class NotOnTrack(frame.ModuleError, index=10):
    """The call is none that the track may make."""


class PreimageMissing(frame.ModuleError, index=11):
    """The call's bytes are not on the chain, or are no call. Note them first."""


class UnknownProposal(frame.ModuleError, index=12):
    """There is no such proposal on its way."""


class NotInDebate(frame.ModuleError, index=13):
    """The proposal is not being debated now."""


class NotInVoting(frame.ModuleError, index=14):
    """The proposal is not being voted on now."""


class NoVotes(frame.ModuleError, index=15):
    """The account has no votes here: its lock is younger, another votes with it, or the track
    counts attested accounts only."""


class TooManyComments(frame.ModuleError, index=16):
    """The proposal has as many comments as it may have."""


class ParametersOutOfBounds(frame.ModuleError, index=17):
    """A parameter lies outside of its hard bounds."""


class LockInUse(frame.ModuleError, index=18):
    """What is left would count less than what stands in for stake. Wait for those tasks' end."""
