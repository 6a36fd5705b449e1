"""What the FL Alliance stores: tasks, members, rounds with proposals, votes and payments.

Rounds count from 0; a round has its number from the moment that it opens, whatever becomes of it.
Source: WP VI.B to VI.F; Algorithms 1 and 2.
"""

from __future__ import annotations

import enum
from typing import Annotated, Final

from runtime import frame
from runtime.economy.schedule import in_force
from runtime.economy.tasks import VERIFICATIONS_MAX, ContentDigest, Funding, VerifiedFrom
from runtime.pallets.fl_alliance.stages import (
    EndReason,
    Outcome,
    Stage,
    Standing,
    VoidReason,
)
from runtime.pallets.fl_alliance.terms import PARTICIPANTS_MAX, AllianceTerms
from runtime.primitives.rational import Rational
from runtime.primitives.scale import Limit, ScaleEnum, scale_enum
from runtime.primitives.types import (
    I32,
    U8,
    U16,
    U32,
    U64,
    U256,
    AccountId,
    Balance,
    Bytes32,
    Bytes64,
    Bytes80,
    Hash,
)
from runtime.primitives.zk_delivery import Delivery

CHANGES_MAX: Final = 16  # pauses and resumptions that a member's record remembers


@frame.scale_type
class RoundKey:
    """A round of a task."""

    task: U32
    round: U32


# -- tasks


@frame.scale_type
class AllianceTask:
    """A task. `members_min`: below so many candidates there is no round. `ended`: why, if it has.

    `origin_model`: the Arena task's consensus model, if it had one. `ends_at`: the first block in
    which no further round opens. `verification`: every grant and withdrawal. `creator_covered`:
    what of S_c the creator's lock stands in for.
    """

    creator: AccountId
    terms: AllianceTerms
    funding: Funding
    origin_model: ContentDigest | None
    creator_stake: Balance
    members_min: U32
    created_at: U32
    ends_at: U32
    verification: Annotated[list[VerifiedFrom], Limit(VERIFICATIONS_MAX)]
    ended: EndReason | None = None
    creator_covered: Balance = 0

    def is_verified_on(self, day: int) -> bool:
        """Whether emission pays for rounds that open that day."""
        return in_force(self.verification, day).is_verified


@frame.scale_type
class DayPlan:
    """How many rounds are planned for a day, and how many opened on it: they share its emission."""

    day: U32
    planned: U32
    opened: U32


@frame.scale_type
class Run:
    """How far a task has come.

    `opened`: rounds that ever opened; `model`: the global model, `accepted_round` the round that
    made it. `joined`: places ever given to members; `active` and `staked` count those that neither
    pause nor leave, and what is held of them. `paused_at`: since when there are too few candidates;
    `counted_turn`: the turn in which that was found. `kept_from`: the first round with records.
    """

    model: ContentDigest | None
    paused_at: U32 | None
    plan: DayPlan | None = None
    opened: U32 = 0
    accepted_round: U32 | None = None
    joined: U32 = 0
    active: U32 = 0
    staked: Balance = 0
    counted_turn: U32 = 0
    kept_from: U32 = 0


@frame.scale_type
class Purse:
    """What lies in a task's pot but for members' earnings, planck.

    `pool`: the reward pool; `unpaid`: rewards of the round that is being settled.
    """

    pool: Balance
    unpaid: Balance = 0


@frame.scale_type
class Turn:
    """The epoch in force: the `count`-th with a block, its index and its randomness R(N).

    Under instant seal epochs are numbers of blocks, and the parent's hash stands in: reproducible,
    not secure.
    """

    count: U32
    epoch: U64
    randomness: Hash


# -- members


@scale_enum("pallet_fl_alliance::MemberStatus")
class MemberStatus(enum.Enum):
    """A member's life. Never renumber."""

    JOINED = 0
    LEAVING = 1
    EXPELLED = 2
    GONE = 3  # expelled, and its balance claimed


@frame.scale_type
class Change:
    """From a turn on the member may, or may not, be drawn."""

    from_turn: U32
    is_active: bool


@frame.scale_type
class Member:
    """A participant. Its balance is `stake`, held of its own, and `earned`, in the task's pot.

    `place`: its number in the order of joining; `units`: n_p. `free_day`: when the balance of one
    that left or was expelled is free.
    """

    place: U32
    key: Bytes32
    units: U16
    stake: Balance
    earned: Balance
    changes: Annotated[list[Change], Limit(CHANGES_MAX)]
    status: MemberStatus = MemberStatus.JOINED
    free_day: U32 | None = None

    @property
    def balance(self) -> int:
        """Bal_k, planck."""
        return self.stake + self.earned

    @property
    def is_counted(self) -> bool:
        """Whether its stake counts in S: it neither pauses nor leaves."""
        return self.status is MemberStatus.JOINED and self.changes[-1].is_active

    def is_candidate(self, turn: int) -> bool:
        """Whether it may be drawn in a round that opened in that turn."""
        if self.status in (MemberStatus.EXPELLED, MemberStatus.GONE):
            return False
        acting = [change for change in self.changes if change.from_turn <= turn]
        return bool(acting) and acting[-1].is_active


# -- rounds


@frame.scale_type
class Progress:
    """What a task's round waits for, small because every block reads it.

    In a timed stage `done` of `due` have acted, and it ends before block `until`. While the chain
    works, `cursor` is the next place or participant. `mask`: the proposals that were opened, later
    those of the aggregate.
    """

    stage: Stage
    until: U32 = 0
    due: U32 = 0
    done: U32 = 0
    cursor: U32 = 0
    mask: U256 = 0
    void: VoidReason | None = None


@frame.scale_type
class CheckIn:
    """A member's verified VRF output and proof."""

    output: Bytes64
    proof: Bytes80


@frame.scale_type
class Drawn:
    """One of the lowest outputs so far."""

    output: Bytes64
    account: AccountId


@frame.scale_type
class PartialDraw:
    """The draw as far as members were looked at; `lowest` in ascending order."""

    lowest: Annotated[list[Drawn], Limit(PARTICIPANTS_MAX)]
    absent: U32 = 0


@frame.scale_type
class Round:
    """A round from its opening on. `part`: its place among the rounds planned that day.

    `members`: N. `base`: the model that training starts from, none if nobody made it yet.
    `proposers` and `voters` by ascending output; `absent` voters posted no proof. `weights`: a_p of
    each proposer. `aggregate`: the proposals that θ̂ is over, a bit each.
    """

    turn: U32
    epoch: U64
    seed: Hash
    opened_at: U32
    day: U32
    part: U32
    planned: U32
    absence_slash: Rational
    base: ContentDigest | None
    proposers: Annotated[list[AccountId], Limit(PARTICIPANTS_MAX)]
    voters: Annotated[list[AccountId], Limit(PARTICIPANTS_MAX)]
    weights: Annotated[list[U16], Limit(PARTICIPANTS_MAX)]
    members: U32 = 0
    absent: U32 = 0
    aggregate: U256 = 0

    @property
    def drawn_voters(self) -> int:
        """Voters that the quorum and majorities are counted of, absent ones included."""
        return len(self.voters) + self.absent


@frame.scale_type
class Proposal:
    """A proposer's part in a round; `index` is its bit in masks."""

    index: U8
    seal: Hash | None = None
    content: ContentDigest | None = None
    ciphertext: ContentDigest | None = None


class Ballot(ScaleEnum, path="pallet_fl_alliance::Ballot"):
    """What a voter says of the aggregate."""


class Vote(Ballot, index=0):
    """+1 or −1 on the aggregate of this content id.

    `marks`: leave-one-out, a bit for each proposer without whose update the aggregate is better.
    In modes with an aggregator `aggregate` is the proved hash, after recommitting.
    """

    accepts: bool
    aggregate: Bytes32
    marks: U256


class NoData(Ballot, index=1):
    """The proposals whose bits are set cannot be had: never slashed, never paid, in no sum."""

    missing: U256


@frame.scale_type
class VoterRecord:
    """A voter's part in a round: what it holds, what it sealed, what it opened."""

    held: U256 | None = None
    seal: Hash | None = None
    ballot: Ballot | None = None


@frame.scale_type
class ClientCommitments:
    """What a proposer of a mode with an aggregator committed to: points, one after another, its
    ed25519 signature of them by its VRF key, and what it tells of the opening that it sends."""

    points: bytes
    signature: Bytes64
    delivery: Delivery


@frame.scale_type
class Aggregation:
    """Who aggregates a round: the voter at `place`; those before it failed.

    `proved`: the hash of the commitments to the sum; `opening`: what travels of it, sealed to the
    participants; `faulty`: proposers whose openings were shown to be wrong; `has_more_time`: its
    window began again for one of them, which happens once.
    """

    place: U8 = 0
    faulty: U256 = 0
    proved: Hash | None = None
    opening: ContentDigest | None = None
    has_more_time: bool = False


@frame.scale_type
class FirstProposed:
    """Which round and proposer had the bytes of a content id first, and the model they change."""

    round: U32
    proposer: AccountId
    base: ContentDigest | None


@frame.scale_type
class RoundResult:
    """What a round's payments were made from; amounts in planck.

    `votes`: aggVote; `opened`: votes that were opened. `pool`: before the round; `from_pool` and
    `minted`: the two parts of R, 0 if nobody is good; `good`: the sum of good ones' balances;
    `marked`: proposers that most voters found harmful.
    """

    outcome: Outcome
    void: VoidReason | None
    aggregate: ContentDigest | None
    votes: I32
    opened: U32
    marked: U256
    pool: Balance
    from_pool: Balance
    minted: Balance
    good: Balance
    settled_at: U32


@frame.scale_type
class Payment:
    """What a round did to a participant: its balance before, and what it gained or lost."""

    standing: Standing
    balance: Balance
    amount: Balance


@frame.scale_type
class EndedTask:
    """A task that ended on a day; its records are kept for a while. `cursor`: the next to drop."""

    task: U32
    day: U32
    cursor: U32 = 0
