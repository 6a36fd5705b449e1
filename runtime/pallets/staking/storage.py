"""Staking's storage, and the writes that keep its counts.

Invariant: what is held for a stash is its ledger's total; candidates and nominators are counted.
Source: WP II.A; Substrate `pallet_staking`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from runtime import frame
from runtime.frame.traits import BlockInfo, Currency, HoldReason, pallet_account
from runtime.pallets.staking.records import (
    ActiveEra,
    Chilled,
    DeferredSlash,
    Exposure,
    Fractions,
    Ledger,
    Nominations,
    NotStash,
    SlashJob,
    StakingParameters,
    ValidatorPrefs,
)
from runtime.primitives.types import U32, AccountId, Balance

POT: Final = pallet_account(b"staking")
SLASH_POT: Final = pallet_account(b"staking", b"slash")
REASON: Final = HoldReason.CHAIN_STAKE


class Keys(Protocol):
    """What staking asks of session."""

    def has_keys(self, who: AccountId) -> bool:
        """Whether `who` could act if it were elected."""

    def is_acting(self, who: AccountId) -> bool:
        """Whether `who` acts in this session or the next one."""

    def forget_keys(self, who: AccountId) -> None:
        """`who` has left."""


@dataclass(frozen=True)
class Config:
    """Sizes and times of staking.

    `sessions_per_era`, `bonding_eras` from unbonding to free, `history_eras` in which rewards can
    be claimed. At most `validators_max` are elected of `candidates_max`; at most `nominators_max`
    back them.
    """

    treasury: AccountId
    sessions_per_era: U32
    bonding_eras: U32
    history_eras: U32
    validators_max: U32 = 100
    candidates_max: U32 = 300
    nominators_max: U32 = 1_000


class StakingStorage(frame.Pallet[Config], index=7):
    """Items and single writes."""

    ledger = frame.StorageMap[AccountId, Ledger](
        AccountId, Ledger, docs="What an account has bonded."
    )
    validators = frame.StorageMap[AccountId, ValidatorPrefs](
        AccountId, ValidatorPrefs, docs="Candidates for the next election."
    )
    counter_for_validators = frame.StorageValue[int](U32, default=0)
    nominators = frame.StorageMap[AccountId, Nominations](
        AccountId, Nominations, docs="Whom nominators back at the next election."
    )
    counter_for_nominators = frame.StorageValue[int](U32, default=0)
    current_era = frame.StorageValue[int](
        U32, default=0, docs="The newest era with elected validators; it may not have begun."
    )
    active_era = frame.StorageValue[ActiveEra](ActiveEra, default=ActiveEra(0, 0))
    eras_stakers = frame.StorageDoubleMap[tuple[int, AccountId], Exposure](
        U32, AccountId, Exposure, docs="What was behind a validator in an era."
    )
    eras_validator_prefs = frame.StorageDoubleMap[tuple[int, AccountId], ValidatorPrefs](
        U32, AccountId, ValidatorPrefs, docs="A validator's commission in an era."
    )
    eras_total_stake = frame.StorageMap[int, int](
        U32, Balance, default=0, hasher=frame.Hasher.TWOX_64_CONCAT
    )
    eras_blocks = frame.StorageDoubleMap[tuple[int, AccountId], int](
        U32, AccountId, U32, default=0, docs="How many blocks a validator made in an era."
    )
    eras_payouts = frame.StorageDoubleMap[tuple[int, AccountId], int](
        U32, AccountId, Balance, docs="What waits to be paid to a validator and its nominators."
    )
    owed = frame.StorageValue[int](Balance, default=0, docs="The sum of what waits.")
    treasury_noted = frame.StorageValue[int](
        Balance, default=0, docs="What the treasury had when the era began."
    )
    fractions = frame.StorageDoubleMap[tuple[int, AccountId], Fractions](
        U32, AccountId, Fractions, default=Fractions(0, 0), docs="Slashes of an era's exposures."
    )
    deferred_slashes = frame.StorageDoubleMap[tuple[int, AccountId], DeferredSlash](
        U32, AccountId, DeferredSlash, docs="Slashes of an era's exposures that wait for an era."
    )
    slash_jobs = frame.StorageMap[int, SlashJob](
        U32, SlashJob, hasher=frame.Hasher.TWOX_64_CONCAT, docs="Slashes that are due, in order."
    )
    first_job = frame.StorageValue[int](U32, default=0)
    next_job = frame.StorageValue[int](U32, default=0)
    parameters = frame.StorageValue[StakingParameters](
        StakingParameters, default=StakingParameters()
    )

    keys: Keys

    def __init__(
        self, ext: frame.Externalities, config: Config, *, currency: Currency, block: BlockInfo
    ) -> None:
        super().__init__(ext, config)
        self.currency = currency
        self.block = block

    def connect(self, keys: Keys) -> None:
        """Session asks staking too, so one of the two comes later."""
        self.keys = keys

    # -- reads

    def ledger_of(self, who: AccountId) -> Ledger:
        """What `who` has bonded. Raises NotStash."""
        ledger = self.ledger.find(who)
        if ledger is None:
            raise NotStash
        return ledger

    def is_bonded(self, who: AccountId) -> bool:
        """Whether `who` has stake."""
        return self.ledger.contains(who)

    def is_candidate(self, who: AccountId) -> bool:
        """Whether `who` wants to be elected."""
        return self.validators.contains(who)

    def exposure_of(self, era: int, validator: AccountId) -> Exposure | None:
        """What is behind a validator in an era."""
        return self.eras_stakers.find((era, validator))

    # -- writes

    def put_ledger(self, who: AccountId, ledger: Ledger) -> None:
        """Keep a ledger; none where nothing is left, and no role without one."""
        if ledger.total:
            self.ledger.put(who, ledger)
            return
        self.ledger.remove(who)
        self.drop_roles(who)
        self.keys.forget_keys(who)

    def put_validator(self, who: AccountId, prefs: ValidatorPrefs) -> None:
        """Make a candidate."""
        if not self.validators.contains(who):
            self.counter_for_validators.put(self.counter_for_validators.get() + 1)
        self.validators.put(who, prefs)

    def put_nominator(self, who: AccountId, nominations: Nominations) -> None:
        """Make a nominator."""
        if not self.nominators.contains(who):
            self.counter_for_nominators.put(self.counter_for_nominators.get() + 1)
        self.nominators.put(who, nominations)

    def put_job(self, job: SlashJob) -> None:
        """Have a slash carried out by one of the next blocks."""
        place = self.next_job.get()
        self.slash_jobs.put(place, job)
        self.next_job.put(place + 1)

    def drop_roles(self, who: AccountId) -> bool:
        """Take candidates and nominators out; whether `who` was one. Emits Chilled then."""
        if self.validators.contains(who):
            self.validators.remove(who)
            self.counter_for_validators.put(self.counter_for_validators.get() - 1)
        elif self.nominators.contains(who):
            self.nominators.remove(who)
            self.counter_for_nominators.put(self.counter_for_nominators.get() - 1)
        else:
            return False
        self.deposit_event(Chilled(who))
        return True
