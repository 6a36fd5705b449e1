"""What the FL Alliance tells off-chain workers, and why it refuses a call.

Source: WP VI.A to VI.F; Algorithms 1 and 2.
"""

from __future__ import annotations

from runtime import frame
from runtime.pallets.fl_alliance.stages import (
    EndReason,
    FailureReason,
    Outcome,
    Stage,
    Standing,
    VoidReason,
)
from runtime.pallets.fl_alliance.terms import AllianceParameters
from runtime.primitives.types import I32, U16, U32, U64, U256, AccountId, Balance, Bytes32, Hash


@frame.event(0)
class TaskCreated:
    """A task was created; it can be joined. `budget` planck are its pool, 0 for a verified one."""

    task: U32
    creator: AccountId
    spec: Bytes32
    origin: U32
    model: Bytes32 | None
    budget: Balance


@frame.event(1)
class VerificationChanged:
    """From `from_day` on emission pays for the task, or no longer does."""

    task: U32
    from_day: U32
    is_verified: bool


@frame.event(2)
class Joined:
    """`who` stakes the task's quantity; it may be drawn once `from_turn` epochs have begun."""

    task: U32
    who: AccountId
    stake: Balance
    units: U16
    from_turn: U32


@frame.event(3)
class Paused:
    """`who` is not drawn in rounds that open from turn `from_turn` on."""

    task: U32
    who: AccountId
    from_turn: U32


@frame.event(4)
class Resumed:
    """`who` may be drawn again from turn `from_turn` on."""

    task: U32
    who: AccountId
    from_turn: U32


@frame.event(5)
class Left:
    """`who` leaves from turn `from_turn` on; its balance is free from `free_day` on."""

    task: U32
    who: AccountId
    from_turn: U32
    free_day: U32


@frame.event(6)
class Expelled:
    """The balance of `who` fell below the threshold: it is never a candidate again."""

    task: U32
    who: AccountId
    balance: Balance
    free_day: U32


@frame.event(7)
class Claimed:
    """`who` got back its balance: `stake` was held, `earned` came from the pot."""

    task: U32
    who: AccountId
    stake: Balance
    earned: Balance


@frame.event(8)
class RoundOpened:
    """A round began; its VRF input has `seed`, the randomness of `epoch`."""

    task: U32
    round: U32
    epoch: U64
    seed: Hash
    members: U32


@frame.event(9)
class StageBegan:
    """Participants act until block `until`, or until all have."""

    task: U32
    round: U32
    stage: Stage
    until: U32


@frame.event(10)
class RolesDrawn:
    """Who proposes and who votes is known. `absent` members posted no proof: they are voters."""

    task: U32
    round: U32
    proposers: U32
    voters: U32
    absent: U32


@frame.event(11)
class ModelInitialised:
    """The round's leader made the model that training starts from, as no finished one loads."""

    task: U32
    round: U32
    leader: AccountId
    content: Bytes32


@frame.event(12)
class ProposalCommitted:
    """A sealed proposal."""

    task: U32
    round: U32
    who: AccountId
    seal: Hash


@frame.event(13)
class ProposalRevealed:
    """An opened proposal: its plaintext's content id, and that of the blob that travels."""

    task: U32
    round: U32
    who: AccountId
    content: Bytes32
    ciphertext: Bytes32


@frame.event(14)
class AvailabilityReported:
    """A voter has, can decrypt and finds valid the proposals whose bits are set."""

    task: U32
    round: U32
    who: AccountId
    held: U256


@frame.event(15)
class AggregateFixed:
    """The aggregate is over exactly the proposals whose bits are set, none if the round is void."""

    task: U32
    round: U32
    proposals: U256


@frame.event(16)
class VoteCommitted:
    """A sealed vote."""

    task: U32
    round: U32
    who: AccountId


@frame.event(17)
class VoteRevealed:
    """An opened vote; `accepts` and `aggregate` are none if the voter had no data."""

    task: U32
    round: U32
    who: AccountId
    accepts: bool | None
    aggregate: Bytes32 | None


@frame.event(18)
class RoundTallied:
    """The outcome: `votes` is aggVote, `reward` what good participants share, planck."""

    task: U32
    round: U32
    outcome: Outcome
    void: VoidReason | None
    votes: I32
    reward: Balance


@frame.event(19)
class Rewarded:
    """`amount` was added to the balance of `who`."""

    task: U32
    round: U32
    who: AccountId
    amount: Balance


@frame.event(20)
class Slashed:
    """`amount` went from the balance of `who` to the pool."""

    task: U32
    round: U32
    who: AccountId
    standing: Standing
    amount: Balance


@frame.event(21)
class RoundSettled:
    """Everything that the round pays and takes is done. `model` is the global model now."""

    task: U32
    round: U32
    model: Bytes32 | None
    pool: Balance


@frame.event(22)
class TaskPaused:
    """Too few members may be drawn: no round until more join or resume."""

    task: U32
    members: U32
    needed: U32


@frame.event(23)
class TaskEnded:
    """The task is over: of its pool `returned` went to the creator and `burned` ceased to be."""

    task: U32
    reason: EndReason
    returned: Balance
    burned: Balance


@frame.event(24)
class ParametersChanged:
    """Rounds that open from now on follow these."""

    parameters: AllianceParameters


@frame.event(25)
class HandedOver:
    """A client sent its opening to the aggregator that took over."""

    task: U32
    round: U32
    who: AccountId
    ciphertext: Bytes32


@frame.event(26)
class SumProved:
    """The aggregator knows all updates of the sum; `proved` is the hash of what commits to it."""

    task: U32
    round: U32
    who: AccountId
    proved: Hash
    opening: Bytes32


@frame.event(27)
class AggregatorFailed:
    """The aggregator loses s_p when the round is settled; the next voter takes its place."""

    task: U32
    round: U32
    who: AccountId
    reason: FailureReason


@frame.event(28)
class ClientAtFault:
    """What a client sent does not open its commitment to this chunk: it is out of the sum."""

    task: U32
    round: U32
    who: AccountId
    chunk: U32


@frame.event(30)
class SecretsShared:
    """A proposer shared the secrets of its masks."""

    task: U32
    round: U32
    who: AccountId


@frame.event(31)
class SharesRevealed:
    """A holder revealed its shares of the secrets of masks."""

    task: U32
    round: U32
    who: AccountId


@frame.event(32)
class WrongShareShown:
    """A dealer sent a holder what is no share; it loses s_p when the round is settled."""

    task: U32
    round: U32
    dealer: AccountId
    holder: AccountId


# -- creation


class UnknownTask(frame.ModuleError, index=0):
    """There is no task of this number in the FL Alliance."""


class TaskHasEnded(frame.ModuleError, index=1):
    """The task has ended. Claim what is yours."""


class BadName(frame.ModuleError, index=3):
    """A task's name has 1 to 64 bytes of UTF-8."""


class BadRounds(frame.ModuleError, index=4):
    """A task has 1 to 1,000 rounds."""


class BadDays(frame.ModuleError, index=5):
    """A task lives for 1 to 365 days."""


class BadRates(frame.ModuleError, index=6):
    """Rates lie between 0 and 1 in 10^-6ths: those of participants, proposers, quorum and tolerance
    above 0, those of proposers and tolerance below 1."""


class BadVotersMin(frame.ModuleError, index=7):
    """A round needs 1 to 255 voters."""


class TooFewVotersDrawn(frame.ModuleError, index=8):
    """However many join, a round would never have the voters that it needs. Raise the rates."""


class BadWindows(frame.ModuleError, index=9):
    """Each window has a block at least, those that wait for finality have eight; all together have
    the days that the chain allows."""


class BadFractionBits(frame.ModuleError, index=10):
    """Weights have 1 to 24 bits behind the point."""


class BadUnits(frame.ModuleError, index=11):
    """A unit has a sample at least; a participant has up to 1,024 units."""


class QuantityTooSmall(frame.ModuleError, index=12):
    """The stake of a participant is at least the chain's minimum."""


class OriginNotFinished(frame.ModuleError, index=13):
    """An FL Alliance task starts from a completed Arena task."""


class BudgetTooSmall(frame.ModuleError, index=14):
    """A self-funded task has at least one planck a round."""


class InsufficientFunds(frame.ModuleError, index=15):
    """Too little is spendable for the stake with budget or fee."""


class TooManyTasks(frame.ModuleError, index=16):
    """As many tasks are live as the chain serves. Wait for one to end."""


class NotTheCreator(frame.ModuleError, index=17):
    """Only the task's creator may do this."""


class TooLateToCancel(frame.ModuleError, index=18):
    """A round was opened: others have worked for the task."""


class VerificationUnchanged(frame.ModuleError, index=19):
    """The task is, or will be tomorrow, what it shall become."""


class TooManyVerifications(frame.ModuleError, index=20):
    """The task was verified and unverified as often as its record remembers."""


class ParametersOutOfBounds(frame.ModuleError, index=21):
    """A rate lies between 0 and 1 in 10^-6ths."""


# -- membership


class AlreadyJoined(frame.ModuleError, index=22):
    """The account is a member. One that leaves joins again after claiming its balance."""


class WasExpelled(frame.ModuleError, index=23):
    """The account's balance fell below the threshold once: it is never a member again."""


class TaskFull(frame.ModuleError, index=24):
    """As many have joined the task as it may ever have."""


class KeyTaken(frame.ModuleError, index=25):
    """The VRF key was registered in this task before. Make a new one for each task and account."""


class BadPossession(frame.ModuleError, index=26):
    """The proof does not show that the account owns the VRF key."""


class UnitsOutOfRange(frame.ModuleError, index=27):
    """A participant has at least one unit of samples and at most the task's cap."""


class NotAMember(frame.ModuleError, index=28):
    """The account is no member of the task."""


class AlreadyLeft(frame.ModuleError, index=29):
    """The member is leaving or was expelled."""


class AlreadyPaused(frame.ModuleError, index=30):
    """The member is paused, or will be."""


class NotPaused(frame.ModuleError, index=31):
    """The member is not paused."""


class TooManyChanges(frame.ModuleError, index=32):
    """The member paused and resumed too often during the round. Wait for its end."""


class StillAMember(frame.ModuleError, index=33):
    """A balance is claimed by who left, was expelled, or when the task has ended."""


class ClaimTooEarly(frame.ModuleError, index=34):
    """The balance is still at stake: unbonding, or in a round that has not ended."""


class NothingToClaim(frame.ModuleError, index=35):
    """The balance was claimed."""


# -- rounds


class WrongStage(frame.ModuleError, index=36):
    """The task's round is in another stage."""


class WrongRound(frame.ModuleError, index=37):
    """This is not the number of the task's open round."""


class NotACandidate(frame.ModuleError, index=38):
    """The account is no member in the epoch in which the round opened."""


class AlreadyCheckedIn(frame.ModuleError, index=39):
    """The member's proof for this round is known."""


class BadProof(frame.ModuleError, index=40):
    """The proof is not the one of the member's VRF key for this round."""


class NotAProposer(frame.ModuleError, index=41):
    """The account does not propose in this round."""


class NotAVoter(frame.ModuleError, index=42):
    """The account does not vote in this round."""


class AlreadyCommitted(frame.ModuleError, index=43):
    """This was sealed before in this round."""


class NothingCommitted(frame.ModuleError, index=44):
    """Nothing was sealed in this round."""


class AlreadyRevealed(frame.ModuleError, index=45):
    """This was opened before."""


class WrongSeal(frame.ModuleError, index=46):
    """What is opened does not have the hash that was sealed."""


class ZeroUpdate(frame.ModuleError, index=47):
    """An update that changes nothing is no proposal."""


class DuplicateProposal(frame.ModuleError, index=48):
    """Another's proposal, or one for another model, has the same bytes."""


class AlreadyReported(frame.ModuleError, index=49):
    """The voter told before what it holds."""


class BitsOutOfRange(frame.ModuleError, index=50):
    """A bit is set that belongs to no opened proposal."""


class NotTheLeader(frame.ModuleError, index=51):
    """The proposer with the lowest output initialises the model."""


class ModelKnown(frame.ModuleError, index=52):
    """Training starts from a model that is known, or was initialised in this round."""


class BadAggregation(frame.ModuleError, index=53):
    """A model's parameters, members' units or the number of proposers do not fit the mode."""


class WrongMode(frame.ModuleError, index=54):
    """Proposals are opened in another way in a task of this mode."""
