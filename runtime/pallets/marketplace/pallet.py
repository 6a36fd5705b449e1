"""Marketplace: hosts serve models that won, callers pay them by signed vouchers and rate them.

A host stakes and offers models pinned by their hash, each call at its price. A stake makes some
calls a day free; beyond them a caller deposits once and signs, call by call, what it owes in all.
Five drawn validators decide whether a signed answer is wrong, which costs its host a part of its
stake, and what contributed data added to a model.
Invariant (`try_state`): holds for HOST_STAKE, CALLER_STAKE, CHANNEL and CHALLENGE are the hosts'
stakes, the callers' stakes, the unsettled deposits and fees, and the bonds of open cases; the
royalties' pot holds what waits in it.

Source: WP II.C, II.D.6, III.B.2.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from runtime import frame
from runtime.economy.market import HostClaim, MarketParameters
from runtime.economy.parameters import ParameterOutOfBounds
from runtime.economy.tasks import ContentDigest
from runtime.frame.weights import Weight
from runtime.pallets.marketplace import events, storage
from runtime.pallets.marketplace.case_records import CASES_MAX, Verdict
from runtime.pallets.marketplace.cases import Cases
from runtime.pallets.marketplace.channels import Channels
from runtime.pallets.marketplace.contributions import Contributions
from runtime.pallets.marketplace.hosting import Hosting
from runtime.pallets.marketplace.invariants import check
from runtime.pallets.marketplace.ratings import Ratings
from runtime.pallets.marketplace.records import OFFERS_MAX, Claim, Claims, Line
from runtime.pallets.marketplace.requests import Requests
from runtime.pallets.marketplace.staking import Staking
from runtime.primitives.multi import MultiSignature
from runtime.primitives.types import U32, AccountId, BlockNumber, Bytes32, CompactBalance
from runtime.primitives.vouchers import Answer

HOST: Final = Weight(250_000_000)
LINEAGE: Final = Weight(1_300_000_000)  # 64 models are read
REMOVAL: Final = Weight(20_000_000)
CHANNEL: Final = Weight(250_000_000)
SETTLE: Final = Weight(700_000_000)  # a signature, three transfers of held tokens, a list
ANSWER: Final = Weight(900_000_000)
PAY_PART: Final = Weight(60_000_000)
LINEAGE_MAX: Final = 64
SETS_MAX: Final = 16  # of a model
MOVE: Final = Weight(15_000_000_000)  # a draw reads the stakes of 256 validators
LOOK: Final = Weight(100_000_000)


class Marketplace(storage.Marketplace, index=36):
    @cached_property
    def hosting(self) -> Hosting:
        """Hosts and offers."""
        return Hosting(self)

    @cached_property
    def staking(self) -> Staking:
        """Callers' stakes."""
        return Staking(self)

    @cached_property
    def channeling(self) -> Channels:
        """Channels and royalties."""
        return Channels(self)

    @cached_property
    def inference(self) -> Requests:
        """Calls that the chain makes."""
        return Requests(self)

    @cached_property
    def ratings(self) -> Ratings:
        """Days of hosts."""
        return Ratings(self)

    @cached_property
    def judging(self) -> Cases:
        """Challenges and measurements."""
        return Cases(self)

    @cached_property
    def contributing(self) -> Contributions:
        """Contributed data."""
        return Contributions(self)

    # -- calls of hosts

    @frame.call(0, weight=HOST)
    def register_host(self, origin: frame.Origin) -> None:
        """Become a host with the least stake. Signed.

        Emits HostRegistered. Raises AlreadyAHost, TooManyHosts, TokenError.
        """
        self.hosting.register(frame.ensure_signed(origin))

    @frame.call(1, weight=HOST)
    def add_host_stake(self, origin: frame.Origin, amount: CompactBalance) -> None:
        """Stake more, after a slash or a change of rules. Signed by a host.

        Emits HostRegistered. Raises NotAHost, TokenError.
        """
        self.hosting.add_stake(frame.ensure_signed(origin), amount)

    @frame.call(2, weight=HOST)
    def offer(
        self,
        origin: frame.Origin,
        model: ContentDigest,
        endpoint: str,
        price: CompactBalance,
        follows: bool,
    ) -> None:
        """Serve a completed task's consensus model, for `price` planck a call. Signed by a host.

        An offer that `follows` may be moved on by its host to models that come of this one. A
        second call replaces the offer. Emits Offered. Raises NotAHost, StakeTooSmall, UnknownModel,
        BadEndpoint, TooManyOffers.
        """
        self.hosting.offer(frame.ensure_signed(origin), model, endpoint, price, follows=follows)

    @frame.call(3, weight=HOST)
    def withdraw_offer(self, origin: frame.Origin, model: ContentDigest) -> None:
        """Serve a model no more. Signed by a host. Emits OfferWithdrawn. Raises UnknownOffer."""
        self.hosting.withdraw_offer(frame.ensure_signed(origin), model)

    @frame.call(4, weight=HOST + LINEAGE)
    def update_offer(
        self,
        origin: frame.Origin,
        model: ContentDigest,
        successor: ContentDigest,
    ) -> None:
        """Move an offer that follows its lineage to a model that came of it. Signed by its host.

        Channels stay with the model that they were opened for. Emits OfferMoved. Raises NotAHost,
        StakeTooSmall, UnknownOffer, NotASuccessor.
        """
        self.hosting.update_offer(frame.ensure_signed(origin), model, successor)

    @frame.call(5, weight=HOST + REMOVAL.times(OFFERS_MAX))
    def leave(self, origin: frame.Origin) -> None:
        """Offer nothing more; the stake is free, and slashable, after its notice. Signed.

        Vouchers can still be settled. Emits HostLeaving. Raises NotAHost.
        """
        self.hosting.leave(frame.ensure_signed(origin))

    @frame.call(6, weight=HOST)
    def withdraw_host_stake(self, origin: frame.Origin) -> None:
        """Take the stake after the notice. Signed. Emits HostLeft. Raises NotAHost, NotYetFree."""
        self.hosting.withdraw(frame.ensure_signed(origin))

    # -- calls of callers

    @frame.call(7, weight=HOST)
    def stake(self, origin: frame.Origin, amount: CompactBalance) -> None:
        """Stake for free calls, from the next day on. Signed.

        Emits CallerStaked. Raises NothingStaked, TokenError.
        """
        self.staking.stake(frame.ensure_signed(origin), amount)

    @frame.call(8, weight=HOST)
    def unstake(self, origin: frame.Origin, amount: CompactBalance) -> None:
        """Give notice for a part of the stake: it counts no more. Signed.

        Emits CallerUnstaking. Raises NothingStaked, TooManyParts.
        """
        self.staking.unstake(frame.ensure_signed(origin), amount)

    @frame.call(9, weight=HOST)
    def withdraw_stake(self, origin: frame.Origin) -> None:
        """Take what is free of the stake. Signed. Emits CallerUnstaked. Raises NotYetFree."""
        self.staking.withdraw(frame.ensure_signed(origin))

    @frame.call(10, weight=CHANNEL)
    def open_channel(
        self, origin: frame.Origin, host: AccountId, model: ContentDigest, amount: CompactBalance
    ) -> None:
        """Deposit for calls of a host's model, at least the price of one. Signed.

        The first one for a host and model burns `channel_fee`, since its record stays. Emits
        ChannelFunded. Raises OwnHost, NotAHost, StakeTooSmall, UnknownOffer, ChannelOpen,
        NoDeposit, TokenError.
        """
        self.channeling.open(frame.ensure_signed(origin), Line(host, model), amount)

    @frame.call(11, weight=CHANNEL)
    def top_up(
        self, origin: frame.Origin, host: AccountId, model: ContentDigest, amount: CompactBalance
    ) -> None:
        """Deposit more. Signed by the caller.

        Emits ChannelFunded. Raises UnknownChannel, ChannelIsClosing, NoDeposit, TokenError.
        """
        self.channeling.top_up(frame.ensure_signed(origin), Line(host, model), amount)

    @frame.call(12, weight=CHANNEL)
    def close_channel(self, origin: frame.Origin, host: AccountId, model: ContentDigest) -> None:
        """Take the deposit back a day later; the host settles until then. Signed by the caller.

        Emits ChannelClosing. Raises UnknownChannel, ChannelIsClosing.
        """
        self.channeling.close(frame.ensure_signed(origin), Line(host, model))

    @frame.call(13, weight=CHANNEL)
    def withdraw_channel(self, origin: frame.Origin, host: AccountId, model: ContentDigest) -> None:
        """Take back what no voucher claimed of a closed channel. Signed by the caller.

        What was settled counts on if it is opened again. Emits ChannelClosed. Raises
        UnknownChannel, NotYetFree.
        """
        self.channeling.withdraw(frame.ensure_signed(origin), Line(host, model))

    # -- payment

    @frame.call(14, weight=SETTLE)
    def settle(
        self,
        origin: frame.Origin,
        caller: AccountId,
        model: ContentDigest,
        total: CompactBalance,
        signature: MultiSignature,
    ) -> None:
        """Be paid what a caller's voucher claims beyond what was settled. Signed by the host.

        Emits Settled. Raises UnknownChannel, NothingNew, AboveDeposit, BadSignature.
        """
        claim = Claim(caller, model, total, signature)
        self.channeling.settle(frame.ensure_signed(origin), claim)

    @frame.call(15, weight=lambda claims: SETTLE.times(len(claims)))
    def settle_many(self, origin: frame.Origin, claims: Claims) -> None:
        """Settle vouchers of up to 256 callers and models; what earns nothing is skipped. Signed.

        Emits Settled and ClaimRefused. Raises NothingSettled.
        """
        self.channeling.settle_many(frame.ensure_signed(origin), claims)

    # -- calls by the chain

    @frame.call(16, weight=CHANNEL)
    def request_inference(
        self,
        origin: frame.Origin,
        model: ContentDigest,
        question: ContentDigest,
        max_fee: CompactBalance,
        host: AccountId | None,
    ) -> None:
        """Ask a model a question, by content id; the fee is held until a host answers. Signed.

        `host`: who may answer; None: whoever is first among the model's hosts that ask no more
        than the fee. That is at least `channel_fee`. Emits InferenceRequested. Raises
        UnknownModel, OwnHost, NotAHost, StakeTooSmall, UnknownOffer, FeeTooSmall, TokenError.
        """
        self.inference.request(frame.ensure_signed(origin), host, model, question, max_fee)

    @frame.call(17, weight=ANSWER)
    def answer_request(
        self, origin: frame.Origin, request: U32, answer: ContentDigest, signature: MultiSignature
    ) -> None:
        """Answer a request and be paid one's price; the rest of the fee returns. Signed by a host.

        `signature` is over the `Answer` whose seed is the request's number. Emits
        InferenceAnswered. Raises UnknownRequest, NotAsked, OwnHost, NotAHost, StakeTooSmall,
        UnknownOffer, FeeTooSmall, BadSignature.
        """
        self.inference.answer(frame.ensure_signed(origin), request, answer, signature)

    @frame.call(18, weight=LINEAGE + PAY_PART.times(LINEAGE_MAX * (1 + SETS_MAX)))
    def pay_royalties(self, origin: frame.Origin, model: ContentDigest) -> None:
        """Give the royalties of a model to its contributors. Signed by anybody.

        Emits RoyaltiesPaid. Raises NoRoyalties.
        """
        frame.ensure_signed(origin)
        self.channeling.payments.pay_royalties(model)

    @frame.call(30, weight=CHANNEL)
    def withdraw_request(self, origin: frame.Origin, request: U32) -> None:
        """Take back the fee of a request whose time is over, at once. Signed by its caller.

        Emits RequestExpired. Raises UnknownRequest, NotYetFree.
        """
        self.inference.withdraw(frame.ensure_signed(origin), request)

    # -- ratings

    @frame.call(20, weight=CHANNEL)
    def seal_rating(self, origin: frame.Origin, host: AccountId, seal: Bytes32) -> None:
        """Rate a host in secret, in the submit window. Signed by one of yesterday's sample.

        Emits RatingSealed. Raises RatingClosed, NotSampled.
        """
        self.ratings.seal(frame.ensure_signed(origin), host, seal)

    @frame.call(21, weight=CHANNEL)
    def open_rating(
        self, origin: frame.Origin, host: AccountId, rating: U32, salt: Bytes32
    ) -> None:
        """Open a sealed rating in [0, 10^9], after the submit window. Signed.

        Emits Rated. Raises RatingClosed, NotSampled, BadOpening.
        """
        self.ratings.open(frame.ensure_signed(origin), host, rating, salt)

    # -- juries

    @frame.call(22, weight=CHANNEL + SETTLE)
    def challenge(self, origin: frame.Origin, answer: Answer, signature: MultiSignature) -> None:
        """Doubt an answer that its host signed: five drawn validators run the model again. Signed.

        Holds a bond, and the jurors' fees. Emits CaseOpened. Raises NotAHost, OwnHost,
        AlreadyDisputed, BadSignature, UnknownModel, TooManyCases, TokenError.
        """
        self.judging.challenge(frame.ensure_signed(origin), answer, signature)

    @frame.call(23, weight=CHANNEL)
    def enlist(self, origin: frame.Origin, task: U32) -> None:
        """Stand ready for juries. Signed by a validator of a live task.

        Emits JurorEnlisted. Raises StruckOff, NotAValidator, TooManyJurors.
        """
        self.judging.jury.enlist(frame.ensure_signed(origin), task)

    @frame.call(24, weight=CHANNEL)
    def stand_down(self, origin: frame.Origin) -> None:
        """Stand ready no more. Signed. Emits JurorStruck. Raises NotAJuror.

        Whoever is drawn already still has to say something, or is struck off.
        """
        self.judging.jury.strike(frame.ensure_signed(origin))

    @frame.call(25, weight=CHANNEL)
    def seal_verdict(self, origin: frame.Origin, case: U32, seal: Bytes32) -> None:
        """Decide in secret. Signed by a juror of the case.

        Emits VerdictSealed. Raises UnknownCase, NotNow, NotAJuror.
        """
        self.judging.seal(frame.ensure_signed(origin), case, seal)

    @frame.call(26, weight=CHANNEL)
    def open_verdict(
        self, origin: frame.Origin, case: U32, verdict: Verdict, salt: Bytes32
    ) -> None:
        """Open a sealed verdict. Signed by a juror of the case.

        Emits VerdictOpened. Raises UnknownCase, NotNow, NotAJuror, BadOpening.
        """
        self.judging.open_verdict(frame.ensure_signed(origin), case, verdict, salt)

    # -- contributed data

    @frame.call(27, weight=CHANNEL)
    def contribute(
        self, origin: frame.Origin, dataset: ContentDigest, model: ContentDigest
    ) -> None:
        """Record a data set that could make a model better. Signed by its owner; burns a fee.

        Emits Contributed. Raises UnknownModel, AlreadyContributed, TooManyContributions,
        TokenError.
        """
        self.contributing.contribute(frame.ensure_signed(origin), dataset, model)

    @frame.call(28, weight=CHANNEL)
    def use_contribution(self, origin: frame.Origin, dataset: ContentDigest, task: U32) -> None:
        """Note that a task which follows the model trains on the data set. Signed by anybody.

        Only what was contributed before the task was created. Emits ContributionUsed. Raises
        UnknownContribution, AlreadyUsed, NotInUse, ContributedLate, UnknownTask.
        """
        frame.ensure_signed(origin)
        self.contributing.use(dataset, task)

    @frame.call(29, weight=CHANNEL + LOOK.times(CASES_MAX))
    def measure_contribution(
        self, origin: frame.Origin, dataset: ContentDigest, without: ContentDigest
    ) -> None:
        """Have five drawn validators score the task's model, and one without the set. Signed.

        By the set's owner. Holds the jurors' fees. Emits CaseOpened. Raises NotInUse,
        AlreadyMeasured, NotTheOwner, TooManyCases, TokenError.
        """
        self.judging.measure(frame.ensure_signed(origin), dataset, without)

    # -- calls of the DAO

    @frame.call(19, weight=HOST)
    def set_parameters(self, origin: frame.Origin, parameters: MarketParameters) -> None:
        """Change the market's rules, from now on. Root.

        Emits ParametersChanged. Raises ParametersOutOfBounds.
        """
        frame.ensure_root(origin)
        try:
            parameters.ensure_within_bounds()
        except ParameterOutOfBounds:
            raise events.ParametersOutOfBounds from None
        self.parameters.put(parameters)
        self.deposit_event(events.ParametersChanged(parameters))

    # -- HostRewards of the arena, which begins the day

    def begin_day(self, day: int) -> list[HostClaim]:
        """What hosts may claim of the day's emission, for what they were paid the day before."""
        return self.ratings.begin_day(day)

    # -- hooks and genesis

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Let requests expire, and cases go on."""
        looks = LOOK.times(self.inference.expire(number))
        return looks + MOVE.times(self.judging.move_on(number))

    def genesis_build(self, parameters: MarketParameters) -> None:
        """Set the rules. Raises ParameterOutOfBounds."""
        parameters.ensure_within_bounds()
        self.parameters.put(parameters)

    def try_state(self) -> None:
        check(self)
