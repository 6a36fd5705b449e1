"""The marketplace's state: every item, its constants, and the reads that its parts share.

Owns the items; `hosting`, `staking`, `channels`, `payments`, `ratings`, `requests`, `cases`,
`jury`, `decisions` and `contributions` work on them.
Source: WP II.C, III.B.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from runtime import frame
from runtime.economy.calendar import Calendar
from runtime.economy.market import MarketParameters
from runtime.economy.tasks import ContentDigest
from runtime.frame.executive import Verifier, verify_signature
from runtime.frame.traits import BlockInfo, Currency, HoldReason, Randomness, pallet_account
from runtime.pallets.marketplace import events
from runtime.pallets.marketplace.case_records import (
    Case,
    Contribution,
    FinishedCases,
    LiveCase,
    LiveCases,
    Silent,
    SilentJurors,
)
from runtime.pallets.marketplace.needs import HostedModel, Models, Stakes, Tasks, Trends
from runtime.pallets.marketplace.records import (
    CONTRIBUTIONS_MAX,
    CallerStake,
    Channel,
    Host,
    HostDay,
    Line,
    Offer,
    Request,
)
from runtime.primitives.scale import Limit
from runtime.primitives.types import U32, ZERO_HASH, AccountId, Balance, BlockNumber, Hash

ROYALTIES: Final = pallet_account(b"royalty")
_STAKES: Final = (
    *(HoldReason.HOST_STAKE, HoldReason.CHANNEL, HoldReason.CHALLENGE, HoldReason.CALLER_STAKE),
)


@dataclass(frozen=True)
class Config:
    """`unbonding_days` until a stake is free; `channel_fee` burns for a channel's record.

    It is the least fee of a request as well: what a record is worth, held while it stays.
    """

    calendar: Calendar
    unbonding_days: U32
    channel_fee: Balance
    royalties: AccountId = ROYALTIES


class Marketplace(frame.Pallet[Config], index=36):
    """Storage and neighbours."""

    parameters = frame.StorageValue[MarketParameters](
        MarketParameters, default=MarketParameters(), docs="Shares, stakes and periods."
    )
    hosts = frame.StorageMap[AccountId, Host](
        AccountId, Host, docs="Who serves models, also while it leaves."
    )
    host_count = frame.StorageValue[int](U32, default=0, docs="How many hosts there are.")
    offers = frame.StorageDoubleMap[tuple[AccountId, bytes], Offer](
        AccountId, ContentDigest, Offer, docs="Which models a host serves, and for what."
    )
    callers = frame.StorageMap[AccountId, CallerStake](
        AccountId, CallerStake, docs="Stakes that make calls free."
    )
    channels = frame.StorageDoubleMap[tuple[AccountId, Line], Channel](
        AccountId, Line, Channel, docs="Deposits by caller, host and model; settled for ever."
    )
    royalties = frame.StorageMap[bytes, int](
        ContentDigest, Balance, default=0, docs="Royalties that wait, by model, planck."
    )
    days = frame.StorageDoubleMap[tuple[int, AccountId], HostDay](
        U32,
        AccountId,
        HostDay,
        default=HostDay(0, 0, 0, []),
        docs="What hosts were paid yesterday and today, and who rates them.",
    )
    jurors = frame.StorageMap[AccountId, int](
        AccountId, U32, docs="Validators who stand ready for juries, and of which task."
    )
    juror_count = frame.StorageValue[int](U32, default=0, docs="How many these are.")
    silent = frame.StorageValue[list[Silent]](
        SilentJurors, default=[], docs="Who was drawn and said nothing lately, the latest last."
    )
    beacon = frame.StorageValue[Hash](
        Hash, default=ZERO_HASH, docs="VRF outputs of blocks in which a case waited to be drawn."
    )
    next_case = frame.StorageValue[int](U32, default=0, docs="The next case's number.")
    cases = frame.StorageMap[int, Case](
        U32, Case, docs="Cases on their way, and the last that ended."
    )
    live_cases = frame.StorageValue[list[LiveCase]](
        LiveCases, default=[], docs="Cases on their way, in order."
    )
    finished_cases = frame.StorageValue[list[int]](
        FinishedCases, default=[], docs="Cases that ended, the latest last."
    )
    disputed = frame.StorageMap[Hash, int](
        Hash, U32, docs="Answers that were challenged, by their hash, and the case."
    )
    contributions = frame.StorageMap[bytes, Contribution](
        ContentDigest, Contribution, docs="Data sets by content id."
    )
    contributed = frame.StorageMap[AccountId, list[bytes]](
        AccountId,
        Annotated[list[ContentDigest], Limit(CONTRIBUTIONS_MAX)],
        default=[],
        docs="Data sets of an account.",
    )
    data_of = frame.StorageMap[int, list[bytes]](
        U32,
        Annotated[list[ContentDigest], Limit(16)],
        default=[],
        docs="Contributed data sets that a task trains on.",
    )
    next_request = frame.StorageValue[int](U32, default=0, docs="The next request's number.")
    requests = frame.StorageMap[int, Request](U32, Request, docs="Requests that wait for a host.")
    deadlines = frame.StorageDoubleMap[tuple[int, int], bool](
        BlockNumber, U32, bool, docs="Requests by the block in which they expire."
    )
    next_deadline = frame.StorageValue[int](
        BlockNumber, default=0, docs="No request expires before this block."
    )

    def __init__(
        self,
        ext: frame.Externalities,
        config: Config,
        *,
        currency: Currency,
        block: BlockInfo,
        models: Models,
        randomness: Randomness,
        stakes: Stakes,
        tasks: Tasks,
        trends: Trends,
        verifier: Verifier = verify_signature,
    ) -> None:
        super().__init__(ext, config)
        self.currency, self.block, self.models = currency, block, models
        self.randomness, self.verifier = randomness, verifier
        self.stakes, self.tasks, self.trends = stakes, tasks, trends

    def today(self) -> int:
        """The current day."""
        return self.config.calendar.day_of(self.block.block_number())

    def free_at(self) -> int:
        """The block from which on a stake is free that begins to leave now."""
        blocks = self.config.unbonding_days * self.config.calendar.day_blocks
        return self.block.block_number() + blocks

    def model_of(self, content: bytes) -> HostedModel:
        """A completed task's consensus model. Raises UnknownModel."""
        found = self.models.find_model(content)
        if found is None:
            raise events.UnknownModel
        return found

    def serving(self, host: AccountId) -> Host:
        """A host that may offer and answer. Raises NotAHost, StakeTooSmall."""
        found = self.hosts.find(host)
        if found is None or found.leaving_at is not None:
            raise events.NotAHost
        if found.stake < self.parameters.get().host_stake:
            raise events.StakeTooSmall
        return found

    def offer_of(self, host: AccountId, model: bytes) -> Offer:
        """What a host that may serve asks for a model. Raises UnknownOffer as well."""
        self.serving(host)
        found = self.offers.find((host, model))
        if found is None:
            raise events.UnknownOffer
        return found

    def is_engaged(self, who: AccountId) -> bool:
        """Whether `who` is a host or a juror, or has anything held for the marketplace."""
        held = any(self.currency.held(reason, who) for reason in _STAKES)
        return held or self.hosts.contains(who) or self.jurors.contains(who)
