"""What the marketplace tells, and why it refuses.

Source: WP II.C, III.B.2.
"""

from __future__ import annotations

from runtime import frame
from runtime.economy.market import MarketParameters
from runtime.economy.tasks import ContentDigest
from runtime.pallets.marketplace.case_records import CaseStage, Matter, Verdict
from runtime.primitives.multi import MultiSignature
from runtime.primitives.types import U8, U32, AccountId, Balance, BlockNumber


@frame.event(0)
class HostRegistered:
    """A host staked, or staked more: `stake` planck in all."""

    host: AccountId
    stake: Balance


@frame.event(1)
class Offered:
    """A host serves a model, a call for `price` planck."""

    host: AccountId
    model: ContentDigest
    task: U32
    price: Balance


@frame.event(2)
class OfferWithdrawn:
    """A host serves a model no more."""

    host: AccountId
    model: ContentDigest


@frame.event(3)
class OfferMoved:
    """An offer followed its lineage to a newer model."""

    host: AccountId
    model: ContentDigest
    successor: ContentDigest


@frame.event(4)
class HostLeaving:
    """A host offers nothing more; its stake is free from a block on."""

    host: AccountId
    free_at: BlockNumber


@frame.event(5)
class HostLeft:
    """A host took its stake."""

    host: AccountId
    amount: Balance


@frame.event(6)
class CallerStaked:
    """A caller staked for free calls: `amount` in all, counted from the next day."""

    caller: AccountId
    amount: Balance


@frame.event(7)
class CallerUnstaking:
    """A part of a caller's stake counts no more and is free from a block on."""

    caller: AccountId
    amount: Balance
    free_at: BlockNumber


@frame.event(8)
class CallerUnstaked:
    """A caller took what was free of its stake."""

    caller: AccountId
    amount: Balance


@frame.event(9)
class ChannelFunded:
    """A channel was opened or filled: `deposit` planck since it exists."""

    caller: AccountId
    host: AccountId
    model: ContentDigest
    deposit: Balance


@frame.event(10)
class ChannelClosing:
    """The caller takes back what no voucher claims until a block."""

    caller: AccountId
    host: AccountId
    model: ContentDigest
    closing_at: BlockNumber


@frame.event(11)
class ChannelClosed:
    """The caller took back the rest of a channel's deposit."""

    caller: AccountId
    host: AccountId
    model: ContentDigest
    returned: Balance


@frame.event(12)
class Settled:
    """A voucher of `total` was settled: `paid` planck, of which some burned and some is royalty."""

    caller: AccountId
    host: AccountId
    model: ContentDigest
    total: Balance
    paid: Balance
    burned: Balance
    royalty: Balance


@frame.event(13)
class ClaimRefused:
    """One of several claims earned nothing; `error` is the index of the pallet's error."""

    caller: AccountId
    host: AccountId
    model: ContentDigest
    error: U8


@frame.event(14)
class InferenceRequested:
    """The chain asks a model a question, by content id; who answers before `deadline` is paid."""

    request: U32
    caller: AccountId
    model: ContentDigest
    question: ContentDigest
    host: AccountId | None
    deadline: BlockNumber


@frame.event(15)
class InferenceAnswered:
    """The answer to a request, by content id, for who waits for it.

    `signature` is the host's over the `Answer` whose seed is the request's number, without
    documents: whoever doubts it can challenge it.
    """

    request: U32
    caller: AccountId
    host: AccountId
    model: ContentDigest
    question: ContentDigest
    answer: ContentDigest
    paid: Balance
    signature: MultiSignature


@frame.event(16)
class RequestExpired:
    """Nobody answered in time; the fee returned."""

    request: U32
    caller: AccountId
    returned: Balance


@frame.event(17)
class RoyaltiesPaid:
    """A model's royalties went to its contributors; `kept` was dust at who gets it."""

    model: ContentDigest
    paid: Balance
    kept: Balance


@frame.event(18)
class ParametersChanged:
    """The DAO changed the market's rules."""

    parameters: MarketParameters


@frame.event(19)
class RatingSealed:
    """A caller rated a host's day, in secret yet."""

    caller: AccountId
    host: AccountId
    day: U32


@frame.event(20)
class Rated:
    """A caller's rating in [0, 10^9] of a host's day."""

    caller: AccountId
    host: AccountId
    day: U32
    rating: U32


@frame.event(21)
class QualityChanged:
    """A host's quality, in [0, 10^9]."""

    host: AccountId
    quality: U32


@frame.event(22)
class JurorEnlisted:
    """A validator of a task stands ready for juries."""

    who: AccountId
    task: U32


@frame.event(23)
class JurorStruck:
    """An account stands ready no more."""

    who: AccountId


@frame.event(24)
class CaseOpened:
    """Somebody opened a case; its jury is drawn later."""

    case: U32
    opener: AccountId
    matter: Matter


@frame.event(25)
class CaseMoved:
    """A case entered a stage with this jury."""

    case: U32
    stage: CaseStage
    jurors: list[AccountId]


@frame.event(26)
class VerdictSealed:
    """A juror has decided, in secret yet."""

    case: U32
    juror: AccountId


@frame.event(27)
class VerdictOpened:
    """What a juror found."""

    case: U32
    juror: AccountId
    verdict: Verdict


@frame.event(28)
class CaseEnded:
    """How a case ended, and which jurors were paid."""

    case: U32
    outcome: CaseStage
    paid: list[AccountId]


@frame.event(29)
class HostSlashed:
    """A host lost a part of its stake; `reward` of it to who challenged, the rest burned."""

    host: AccountId
    slashed: Balance
    reward: Balance


@frame.event(30)
class Contributed:
    """Somebody contributed a data set for a model."""

    dataset: ContentDigest
    owner: AccountId
    model: ContentDigest


@frame.event(31)
class ContributionUsed:
    """A follow-up task trains on a contributed data set."""

    dataset: ContentDigest
    task: U32


@frame.event(32)
class ImpactMeasured:
    """A data set added so many score units to its task's model."""

    dataset: ContentDigest
    impact: U32


class NotAHost(frame.ModuleError, index=0):
    """The account is no host, or is leaving. Register with a stake."""


class AlreadyAHost(frame.ModuleError, index=1):
    """The account is a host, also while it leaves. Take the stake first."""


class TooManyHosts(frame.ModuleError, index=2):
    """There are as many hosts as there may be."""


class StakeTooSmall(frame.ModuleError, index=3):
    """The host's stake is less than the least, after a slash or a change of rules. Add to it."""


class UnknownModel(frame.ModuleError, index=4):
    """No completed task has this consensus model."""


class TooManyOffers(frame.ModuleError, index=5):
    """The host offers as many models as it may. Withdraw an offer."""


class BadEndpoint(frame.ModuleError, index=6):
    """The endpoint is empty or has more than 200 bytes."""


class UnknownOffer(frame.ModuleError, index=7):
    """The host does not offer the model."""


class NotASuccessor(frame.ModuleError, index=8):
    """The offer follows no lineage, or the new model did not come of the offered one."""


class NotYetFree(frame.ModuleError, index=9):
    """What is asked for is not on its way out, or not free yet."""


class NothingStaked(frame.ModuleError, index=10):
    """The caller has not so much staked, or nothing was asked for."""


class TooManyParts(frame.ModuleError, index=11):
    """So many parts of the stake are on their way out already. Take what is free."""


class NoDeposit(frame.ModuleError, index=12):
    """A channel is filled with more than nothing, and a new one with the price of a call."""


class OwnHost(frame.ModuleError, index=13):
    """Nobody opens a channel to itself."""


class UnknownChannel(frame.ModuleError, index=14):
    """The caller has no channel to the host for this model. Open one."""


class ChannelOpen(frame.ModuleError, index=15):
    """There is such a channel. Top it up, or take back what is left of it when it has closed."""


class ChannelIsClosing(frame.ModuleError, index=16):
    """The channel is closing. Take back the rest, then fill it anew."""


class BadSignature(frame.ModuleError, index=17):
    """The signature is not over this voucher or answer, or is somebody else's."""


class NothingNew(frame.ModuleError, index=18):
    """A voucher of this total, or a higher one, was settled. Present the highest."""


class AboveDeposit(frame.ModuleError, index=19):
    """The voucher's total is above what was ever deposited. Present a lower one."""


class NothingSettled(frame.ModuleError, index=20):
    """None of the claims earns anything."""


class UnknownRequest(frame.ModuleError, index=21):
    """There is no such request of the caller, it was answered, or its time is over."""


class FeeTooSmall(frame.ModuleError, index=22):
    """The fee is below the least one, or the price of whom it names; or of who would answer."""


class NotAsked(frame.ModuleError, index=23):
    """The request names another host."""


class NoRoyalties(frame.ModuleError, index=24):
    """The model has no royalties that wait."""


class ParametersOutOfBounds(frame.ModuleError, index=25):
    """A parameter lies outside of its hard bounds."""


class NotSampled(frame.ModuleError, index=26):
    """The caller is not in the sample of those who paid the host yesterday."""


class RatingClosed(frame.ModuleError, index=27):
    """Ratings are sealed while the arena's submit window is open, and opened after it."""


class BadOpening(frame.ModuleError, index=28):
    """What is opened is not what was sealed, or out of range."""


class InDispute(frame.ModuleError, index=29):
    """An answer of the host is challenged. Wait for the verdict."""


class NotAValidator(frame.ModuleError, index=30):
    """The account is no validator of this task with a stake from before today."""


class TooManyJurors(frame.ModuleError, index=31):
    """As many validators stand ready as there may be."""


class NotAJuror(frame.ModuleError, index=32):
    """The account does not stand ready, or is not in this jury."""


class AlreadyDisputed(frame.ModuleError, index=33):
    """This answer was challenged already."""


class TooManyCases(frame.ModuleError, index=34):
    """As many cases are on their way as there may be. Try when one has ended."""


class UnknownCase(frame.ModuleError, index=35):
    """There is no such case, or it ended long ago."""


class NotNow(frame.ModuleError, index=36):
    """The case is at another stage."""


class AlreadyContributed(frame.ModuleError, index=37):
    """This data set was contributed before."""


class TooManyContributions(frame.ModuleError, index=38):
    """The account has contributed as many data sets as it may."""


class UnknownContribution(frame.ModuleError, index=39):
    """Nobody contributed this data set."""


class AlreadyUsed(frame.ModuleError, index=40):
    """The data set counts for another task already."""


class NotInUse(frame.ModuleError, index=41):
    """No task that follows the model trains on the data set, or none was noted."""


class AlreadyMeasured(frame.ModuleError, index=42):
    """The data set's impact is known, or being measured."""


class ContributedLate(frame.ModuleError, index=43):
    """The task's terms named the data set before it was contributed."""


class NotTheOwner(frame.ModuleError, index=44):
    """Only who contributed a data set has it measured."""


class StruckOff(frame.ModuleError, index=45):
    """The account was drawn for a jury and said nothing. Some days must pass first."""
