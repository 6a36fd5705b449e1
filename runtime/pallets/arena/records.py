"""What the arena stores: submissions, committees, ballots, results, payments.

A submission's id is the ordinal of its commitment in its task: the earlier of two has the lower id.
Source: WP V.B to V.H.
"""

from __future__ import annotations

import enum
from typing import Annotated, Final

from runtime import frame
from runtime.economy.bounty import Contributions
from runtime.economy.parameters import ArenaParameters
from runtime.economy.tasks import ContentDigest, Role
from runtime.primitives.scale import Limit, ScaleEnum, scale_enum
from runtime.primitives.types import (
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    AccountId,
    Balance,
    Bytes32,
    Hash,
)

SUBMISSIONS_MAX: Final = 1_024  # that one validator may have to score on a day


@frame.scale_type
class DayKey:
    """A task's day; days count from genesis."""

    task: U32
    day: U32


class Submitter(ScaleEnum, path="pallet_arena::Submitter"):
    """Who made a submission."""


class Account(Submitter, index=0, flat=True):
    """A training node under its own name."""

    account: AccountId


class Alias(Submitter, index=1, flat=True):
    """A one-time key that its owner opens after the scores are revealed."""

    key: Bytes32


@frame.scale_type
class SubmissionSeal:
    """A sealed submission of today: only its owner knows what it is of."""

    submission: U32
    seal: Hash
    block: U32
    is_revealed: bool = False


@frame.scale_type
class DaySeals:
    """One submitter's commitments of one day."""

    day: U32
    seals: list[SubmissionSeal]


@frame.scale_type
class SubmittedModel:
    """A model as it is submitted: encrypted, so that only those can read it who have the key.

    `content`: its content id in plain; `ciphertext` and `size_bytes` are the blob that is fetched.
    """

    content: ContentDigest
    ciphertext: ContentDigest
    size_bytes: U64


@frame.scale_type
class Submission:
    """A revealed submission. `owner` is none until an alias is opened."""

    submitter: Submitter
    owner: AccountId | None
    content: ContentDigest
    ciphertext: ContentDigest
    size_bytes: U64
    committed_at: U32
    revealed_at: U32


@frame.scale_type
class NodeRecord:
    """A node's days with a rank before the final one, and the sum of its f_i in 2^-128."""

    days_ranked: U16 = 0
    share_sum: U256 = 0


# -- committees


@frame.scale_type
class RosterEntry:
    """A submission to score today. `dealt`: seats, or stake without committees, that may score.

    `owner` is none while its alias is not opened. `stands` is false once its owner is known to have
    replaced it or to have had no stake that day: such a one is scored and never ranked.
    """

    submission: U32
    owner: AccountId | None
    content: ContentDigest
    dealt: U128 = 0
    stands: bool = True

    def with_dealt(self, dealt: int) -> RosterEntry:
        """The same entry with so many seats. Every block that deals makes all of them anew."""
        return RosterEntry(self.submission, self.owner, self.content, dealt, self.stands)


@frame.scale_type
class Juror:
    """A task validator of the day: its stake at the day's start, and how many seats it has left.

    `held`: the seats that it must score; `drawn`: those that fell on it, which it is paid for.
    """

    account: AccountId
    stake: Balance
    seats_left: U32
    held: U32 = 0
    drawn: U32 = 0


@frame.scale_type
class Roster:
    """Who scores what today. `entries` in the order in which seats are dealt, `jurors` by account.

    `seats` a submission, 0 without committees; `round` and `position` are where dealing stands.
    """

    randomness: Hash
    seats: U8
    entries: list[RosterEntry]
    jurors: list[Juror]
    round: U8 = 0
    position: U32 = 0
    is_drawn: bool = False


@frame.scale_type
class Assignment:
    """A submission that a validator must score, and the seats that it has for it."""

    submission: U32
    seats: U8


# -- scores


class Verdict(ScaleEnum, path="pallet_arena::Verdict"):
    """What a validator says of a submission."""


class Score(Verdict, index=0, flat=True):
    """A score in [0, 10^9]; invalid or oversize models get 0."""

    value: U32


class NoData(Verdict, index=1):
    """The model could not be had: never slashed, never paid, in no sum."""


class Fingerprinted(Verdict, index=2):
    """A score above 0 with the SimHash of the predictions, in tasks that compare behaviour."""

    value: U32
    fingerprint: U64


class WrongData(Verdict, index=3):
    """On the final day: Dataset B is not what the task names. Counts as NO-DATA, and as a vote."""


@frame.scale_type
class GivenScore:
    """One line of a score sheet."""

    submission: U32
    verdict: Verdict


ScoreSheet = Annotated[list[GivenScore], Limit(SUBMISSIONS_MAX)]  # by submission, ascending


@frame.scale_type
class ScoreSeal:
    """A validator's sealed sheet of the day."""

    seal: Hash
    is_revealed: bool = False


@frame.scale_type
class Ballot:
    """A verdict as it counts: `weight` is seats, or stake without committees."""

    validator: AccountId
    weight: U128
    verdict: Verdict


# -- results


@scale_enum("pallet_arena::Outcome")
class Outcome(enum.Enum):
    """What became of a submission on a day."""

    RANKED = 0
    UNRANKED = 1  # at or below the baseline, too few seats counted, or beyond k_1
    UNSCORED = 2  # nobody scored it, or half of its seats had no data


@frame.scale_type
class SubmissionResult:
    """The consensus score numerator / denominator; 0 / 0 if there is none.

    `kept` tells of each ballot with a score, by account, whether the outlier rule kept it.
    """

    numerator: U128
    denominator: U128
    kept: list[bool]


@frame.scale_type
class Behaviour:
    """A submission's consensus fingerprint; `copy_of`: the earlier submission that it copies."""

    fingerprint: U64
    copy_of: U32 | None = None


@frame.scale_type
class RankedNode:
    """A rank of a day: stake t_i at the day's start and f_i in 2^-128, floored."""

    submission: U32
    owner: AccountId
    content: ContentDigest
    numerator: U128
    denominator: U128
    stake: Balance
    share: U256


@frame.scale_type
class JurorResult:
    """A validator of a day: Σ f_i over submissions in 2^-128, and what it was paid for it."""

    account: AccountId
    stake: Balance
    share: U256
    is_paid: bool


@scale_enum("pallet_arena::PaymentKind")
class PaymentKind(enum.Enum):
    """What a payment is for. Never renumber."""

    REWARD_A = 0
    REWARD_B = 1
    VALIDATION = 2
    CREATION = 3
    SLASHED_STAKE = 4  # of validators that sealed no scores, or did not open them
    BOUNTY_TRAINING = 5
    BOUNTY_VALIDATION = 6


# What a whole task earned: divided among operator and delegators by the stakes of all its days.
OF_ALL_DAYS: Final = (
    PaymentKind.REWARD_B,
    PaymentKind.BOUNTY_TRAINING,
    PaymentKind.BOUNTY_VALIDATION,
)


@frame.scale_type
class Payment:
    """What an operator and its delegators share."""

    operator: AccountId
    role: Role
    kind: PaymentKind
    amount: Balance


@frame.scale_type
class DayResult:
    """What a day's payments were made from; amounts in planck.

    `reward` is R_i, `node_stake` and `validator_stake` T and S. `for_nodes` = Reward A + `vested`.
    `scored` is N, the submissions with a counted score. `ranked_on`: the day whose settlement
    ranked and paid the nodes, this or the next; none while they may still open their aliases.
    """

    parameters: ArenaParameters
    reward: Balance
    node_stake: Balance
    validator_stake: Balance
    for_creator: Balance
    for_nodes: Balance
    vested: Balance
    for_validators: Balance
    slashed: Balance
    scored: U32
    ranking: list[RankedNode]
    jurors: list[JurorResult]
    ranked_on: U32 | None


@frame.scale_type
class BountyResult:
    """How a task's bounty was divided; stakes in planck days over all days, amounts in planck.

    What is in neither part went back to the payers.
    """

    payers: Contributions
    node_stake: U256
    validator_stake: U256
    for_nodes: Balance
    for_validators: Balance


@frame.scale_type
class Best:
    """The first rank of the latest day that ranked anybody."""

    submission: U32
    owner: AccountId
    content: ContentDigest
    numerator: U128
    denominator: U128
