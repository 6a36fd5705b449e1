"""What governance keeps: locks and what they counted when, proposals, ballots.

Source: WP VII.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Annotated, Final

from runtime import frame
from runtime.economy.governance import Track
from runtime.primitives.scale import Limit
from runtime.primitives.types import U32, AccountId, Balance, BlockNumber, Bytes32, Hash

LIVE_MAX: Final = 32  # proposals on their way; each block looks at all of them
FINISHED_MAX: Final = 100  # proposals whose outcome is kept
UNLOCKING_MAX: Final = 16  # parts of one account's lock on their way out
COMMENTS_MAX: Final = 64  # of one proposal
CALL_BYTES_MAX: Final = 16_384  # of what a proposal would do


class Stage(enum.Enum):
    """Where a proposal is, or how it ended."""

    SUBMITTED = 0  # the debate begins with the next block
    DEBATE = 1
    VOTING = 2
    TIMELOCK = 3
    ENACTED = 4  # its call was handed over; whether it succeeded the scheduler tells
    REJECTED = 5  # flagged
    SCAM = 6  # flagged by so many that the deposit burned
    QUORUM_MISSED = 7
    DEFEATED = 8

    def is_live(self) -> bool:
        """Whether more can happen to it."""
        return self.value <= Stage.TIMELOCK.value


@frame.scale_type
class Power:
    """Planck that are locked, and what they count in a weighted vote."""

    tokens: Balance = 0
    weight: Balance = 0

    def __add__(self, other: Power) -> Power:
        return Power(self.tokens + other.tokens, self.weight + other.weight)

    def __sub__(self, other: Power) -> Power:
        return Power(self.tokens - other.tokens, self.weight - other.weight)


@frame.scale_type
class Standing:
    """What an account counts from the end of block `since`: its own lock, and others' votes."""

    since: BlockNumber
    own: Power = Power()
    received: Power = Power()
    is_delegated: bool = False  # another votes with `own`

    def votes(self) -> Power:
        """What it votes with."""
        return self.received if self.is_delegated else self.received + self.own


@frame.scale_type
class Unlocking:
    """A part of a lock that is free from a block on and counts no more."""

    amount: Balance
    free_at: BlockNumber


@frame.scale_type
class Ballot:
    """What an account said: a flag in the debate (True: scam) or a vote, and what it counted."""

    proposal: U32
    is_flag: bool
    is_aye: bool
    counted: Power


Standings = Annotated[list[Standing], Limit(LIVE_MAX + 2)]  # one is of the vote on models
Parts = Annotated[list[Unlocking], Limit(UNLOCKING_MAX)]
Ballots = Annotated[list[Ballot], Limit(2 * LIVE_MAX)]


@frame.scale_type
class Position:
    """An account's lock. `standings` end with today's; of the past those that live votes need."""

    days: U32
    delegate: AccountId | None
    standings: Standings
    unlocking: Parts
    ballots: Ballots

    @property
    def now(self) -> Standing:
        """What holds for votes that open from the next block on."""
        return self.standings[-1]

    def is_needed(self, snapshots: Sequence[int]) -> bool:
        """Whether its owner has anything of it, or a vote with one of the snapshots counts it."""
        return bool(self.unlocking) or not is_empty(needed(self.standings, snapshots))


def standing_at(standings: Sequence[Standing], snapshot: int) -> Standing:
    """What held before block `snapshot`."""
    before = [each for each in standings if each.since < snapshot]
    return before[-1] if before else Standing(0)


def needed(standings: Sequence[Standing], snapshots: Sequence[int]) -> list[Standing]:
    """The last standing, and those that held before one of the snapshots."""
    kept = {standing_at(standings, snapshot).since for snapshot in snapshots}
    return [each for each in standings[:-1] if each.since in kept] + [standings[-1]]


def is_empty(standings: Sequence[Standing]) -> bool:
    """Whether nothing counts, now or in a live vote."""
    return all(each.own == Power() == each.received for each in standings)


@frame.scale_type
class Tally:
    """Planck on both sides; in votes of a quadratic track roots. `turnout`: tokens that voted."""

    ayes: Balance = 0
    nays: Balance = 0
    turnout: Balance = 0


@frame.scale_type
class Proposal:
    """A call that the DAO decides on; its bytes lie among the preimages.

    `description`: a content id. `locked`: all tokens that could count when the stage began.
    `quorum`: tokens that must vote. `flags`: ayes say scam, in tokens.
    """

    proposer: AccountId
    track: Track
    description: Bytes32
    call: Hash
    call_len: U32
    deposit: Balance
    stage: Stage
    submitted: BlockNumber
    is_quadratic: bool = False
    locked: Balance = 0
    quorum: Balance = 0
    flags: Tally = Tally()
    votes: Tally = Tally()


@frame.scale_type
class Live:
    """A proposal on its way: weights are those before block `snapshot`; at `until` it moves on."""

    proposal: U32
    snapshot: BlockNumber
    until: BlockNumber


@frame.scale_type
class Kept:
    """Weights before block `snapshot` are asked for before block `until` by a vote on models."""

    snapshot: BlockNumber
    until: BlockNumber


@frame.scale_type
class Comment:
    """What somebody says about a proposal, by content id."""

    who: AccountId
    content: Bytes32


Lives = Annotated[list[Live], Limit(LIVE_MAX)]
Comments = Annotated[list[Comment], Limit(COMMENTS_MAX)]
Finished = Annotated[list[U32], Limit(FINISHED_MAX)]
