"""From era to era: elections, what an era earned, and what is forgotten.

The election for an era takes place one session before the era begins. When an era ends, what came
into the pot (the authors' part of fees), and a share of what the treasury gained, is divided among
the validators that made blocks; each one's part waits to be claimed.
Invariant: the pot holds at least what is owed.
Source: WP II.A, III.A (emission pays tasks, never the chain's validators); Substrate
`pallet_staking::{session, election}`.
"""

from __future__ import annotations

from runtime.economy.authorities import PLANCK_PER_WEIGHT
from runtime.frame.weights import Weight
from runtime.pallets.staking.election import elect
from runtime.pallets.staking.records import (
    TARGETS_MAX,
    ActiveEra,
    ElectionFailed,
    EraPaid,
    Exposure,
    SlashJob,
    StakersElected,
)
from runtime.pallets.staking.storage import POT, StakingStorage
from runtime.primitives.apportion import apportion
from runtime.primitives.types import AccountId, Balance

_PER_STAKER = Weight(40_000_000)  # its ledger and role are read
_PER_TARGET = Weight(4_000_000)
_PER_EXPOSURE = Weight(400_000_000)  # written, with all its backers, and one forgotten


class Eras(StakingStorage, index=7):
    """What happens at the borders of sessions."""

    # -- what session asks

    def start_session(self, index: int) -> tuple[int, int]:
        """The era of the session that begins, and the oldest that may still be reported."""
        active = self.active_era.get()
        if self.current_era.get() > active.index:
            self._end_era(active.index)
            active = ActiveEra(active.index + 1, index)
            self.active_era.put(active)
            self._forget(active.index - self.config.history_eras)
            self._bring_due(active.index)
        return active.index, max(active.index - self.config.bonding_eras + 1, 0)

    def _bring_due(self, era: int) -> None:
        """Slashes that waited for this era wait no longer."""
        due = [(key, slash) for key, slash in self.deferred_slashes.items() if slash.due_era <= era]
        for (of_era, validator), slash in due:
            self.deferred_slashes.remove((of_era, validator))
            self.put_job(SlashJob(of_era, validator, slash.reporter))

    def plan_session(self, index: int) -> list[tuple[AccountId, int]] | None:
        """Elected accounts with weights if session `index` begins an era, else None."""
        active = self.active_era.get()
        if index - active.first_session < self.config.sessions_per_era:
            return None
        if not self.parameters.get().validator_count:
            return None
        era = active.index + 1
        if self.current_era.get() == era:  # the session after an election: it begins the era
            return None
        return self._elect(era)

    def plan_weight(self) -> Weight:
        """What an election costs at most."""
        count, backers = self.counter_for_validators.get(), self.counter_for_nominators.get()
        seats = min(count, self.config.validators_max)
        return (
            _PER_STAKER.times(count + backers)
            + _PER_TARGET.times(2 * TARGETS_MAX * backers)
            + _PER_EXPOSURE.times(seats)
        )

    # -- elections

    def _elect(self, era: int) -> list[tuple[AccountId, int]] | None:
        parameters = self.parameters.get()
        candidates = self._candidates(parameters.validator_bond_min)
        votes = [
            (who, ledger.active, nominations.targets)
            for who, nominations in sorted(self.nominators.items(), key=lambda item: item[0])
            if (ledger := self.ledger.find(who)) is not None
            and ledger.active >= parameters.nominator_bond_min
        ]
        elected = elect(candidates, votes, parameters.validator_count)
        self.current_era.put(era)
        if len(elected) < parameters.minimum_count:
            self._carry_over(era)
            self.deposit_event(ElectionFailed(era, len(elected)))
            return None
        for who, exposure in elected.items():
            self._expose(era, who, exposure)
        self.deposit_event(StakersElected(era, len(elected)))
        return [(who, each.total // PLANCK_PER_WEIGHT) for who, each in elected.items()]

    def _candidates(self, minimum: Balance) -> dict[AccountId, Balance]:
        """Candidates with enough stake of their own and with keys, in account order."""
        found: dict[AccountId, Balance] = {}
        for who in sorted(self.validators.keys()):
            ledger = self.ledger.find(who)
            if ledger is not None and ledger.active >= minimum and self.keys.has_keys(who):
                found[who] = ledger.active
        return found

    def _carry_over(self, era: int) -> None:
        """The validators of the era before go on with what is left of what stood behind them."""
        for who, exposure in sorted(self.eras_stakers.items_of(era - 1), key=lambda item: item[0]):
            prefs = self.eras_validator_prefs.get((era - 1, who))
            self.eras_stakers.put((era, who), exposure)
            self.eras_validator_prefs.put((era, who), prefs)
        self.eras_total_stake.put(era, self.eras_total_stake.get(era - 1))

    def _expose(self, era: int, who: AccountId, exposure: Exposure) -> None:
        self.eras_stakers.put((era, who), exposure)
        self.eras_validator_prefs.put((era, who), self.validators.get(who))
        total = self.eras_total_stake.get(era) + exposure.total
        self.eras_total_stake.put(era, total)

    # -- what an era earned

    def note_author(self, who: AccountId) -> None:
        """`who` made a block."""
        era = self.active_era.get().index
        if self.eras_stakers.contains((era, who)):
            self.eras_blocks.put((era, who), self.eras_blocks.get((era, who)) + 1)

    def fee_receiver(self, author: AccountId) -> AccountId:
        """Who gets the author's part of fees: the era's pot, if the author has stake behind it."""
        era = self.active_era.get().index
        return POT if self.eras_stakers.contains((era, author)) else author

    def _end_era(self, era: int) -> None:
        blocks = sorted(self.eras_blocks.items_of(era), key=lambda item: item[0])
        self._take_share_of_treasury()
        income = self.currency.free(POT) - self.owed.get()
        if not blocks or income <= 0:
            return
        parameters = self.parameters.get()
        by_stake, by_blocks = apportion(
            income, [parameters.finalizer_percent, 100 - parameters.finalizer_percent]
        )
        stakes = [self.eras_stakers.get((era, who)).total for who, _ in blocks]
        one = apportion(by_stake, stakes)
        two = apportion(by_blocks, [count for _, count in blocks])
        for (who, _), first, second in zip(blocks, one, two, strict=True):
            if first + second:
                self.eras_payouts.put((era, who), first + second)
        self.owed.put(self.owed.get() + income)
        self.deposit_event(EraPaid(era, income))

    def _take_share_of_treasury(self) -> None:
        """The DAO's share of what the treasury gained, spending deducted, goes into the pot."""
        treasury = self.config.treasury
        before = self.currency.free(treasury)
        gained = max(before - self.treasury_noted.get(), 0)
        share = gained * self.parameters.get().treasury_percent // 100
        if share:
            self.currency.transfer(treasury, POT, share)
        self.treasury_noted.put(before - share)

    def _forget(self, era: int) -> None:
        """Drop an era that cannot be claimed any more; what nobody claimed goes to the treasury."""
        if era < 0:
            return
        unclaimed = sum(amount for _, amount in self.eras_payouts.items_of(era))
        if unclaimed:
            self.owed.put(self.owed.get() - unclaimed)
            self.currency.transfer(POT, self.config.treasury, unclaimed)
        for item in (
            *(self.eras_stakers, self.eras_validator_prefs, self.eras_blocks),
            *(self.eras_payouts, self.fractions),
        ):
            item.remove_all(era)
        self.eras_total_stake.remove(era)
