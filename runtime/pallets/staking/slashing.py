"""Slashing: what stood behind an offender bears its fault, what is on its way out as well.

A report sets the fraction that is due of an era's exposure, the largest of all its offences there;
it waits for an era in which the DAO may still cancel it, then
one exposure a block is brought up to it. Every backer loses that fraction of its part, floored,
out of what counts and what was unbonded since, pro rata. What cannot be found any more is not owed.
Invariant: what is taken is burned, paid to the treasury or to the reporter, to the last planck.
Source: WP III.A.3 (slashes are rewarded or burned), II.A; Substrate `pallet_staking::slashing`.
"""

from __future__ import annotations

from dataclasses import replace

from runtime.frame.weights import Weight
from runtime.pallets.staking.eras import Eras
from runtime.pallets.staking.records import (
    BACKERS_MAX,
    PARTS,
    DeferredSlash,
    Fractions,
    Ledger,
    NoDeferredSlash,
    SlashCancelled,
    SlashDeferred,
    SlashDivided,
    Slashed,
    SlashJob,
    SlashReported,
    UnlockChunk,
)
from runtime.pallets.staking.storage import REASON, SLASH_POT
from runtime.primitives.apportion import apportion
from runtime.primitives.types import AccountId, Balance

_PER_BACKER = Weight(150_000_000)


class Slashing(Eras, index=7):
    """Takes stakes."""

    def is_slash_pending(self) -> bool:
        """Whether slashes are due and not carried out."""
        return self.first_job.get() < self.next_job.get()

    def slash(
        self, era: int, validator: AccountId, fraction: int, reporter: AccountId | None
    ) -> None:
        """Have a validator lose at least `fraction` of 10^18 of what was behind it in `era`.

        Emits SlashReported if that is more than what is due already, SlashDeferred if it waits.
        """
        if not self.eras_stakers.contains((era, validator)):
            return
        known = self.fractions.get((era, validator))
        if fraction <= known.due:
            return
        if known.due == known.done:  # else a job waits, which takes the larger fraction
            self._defer(era, validator, reporter)
        self.fractions.put((era, validator), replace(known, due=fraction))
        self.deposit_event(SlashReported(era, validator, fraction))

    def _defer(self, era: int, validator: AccountId, reporter: AccountId | None) -> None:
        due_era = era + self.parameters.get().slash_defer_eras
        if due_era <= self.active_era.get().index:
            self.put_job(SlashJob(era, validator, reporter))
            return
        self.deferred_slashes.put((era, validator), DeferredSlash(due_era, reporter))
        self.deposit_event(SlashDeferred(era, validator, due_era))

    def cancel(self, era: int, validator: AccountId, fraction: int) -> None:
        """Forgive at most `fraction` of what waits, which counts as taken when more becomes due."""
        known = self.fractions.get((era, validator))
        if not self.deferred_slashes.contains((era, validator)) or fraction <= known.done:
            raise NoDeferredSlash
        forgiven = min(known.due, fraction)
        if forgiven == known.due:
            self.deferred_slashes.remove((era, validator))
        self.fractions.put((era, validator), Fractions(known.due, forgiven))
        self.deposit_event(SlashCancelled(era, validator, forgiven))

    def chill_offender(self, who: AccountId) -> bool:
        """Whoever has offended is no candidate until it asks again; whether it was one."""
        return self.drop_roles(who)

    def on_initialize(self, number: int) -> Weight:
        """Carry out one slash that waits."""
        place = self.first_job.get()
        if place >= self.next_job.get():
            return Weight(1_000_000)
        job = self.slash_jobs.get(place)
        self.slash_jobs.remove(place)
        self.first_job.put(place + 1)
        self._carry_out(job)
        return _PER_BACKER.times(BACKERS_MAX + 1)

    def _carry_out(self, job: SlashJob) -> None:
        era, validator = job.era, job.validator
        exposure = self.eras_stakers.find((era, validator))
        if exposure is None:  # forgotten meanwhile: reports come long before that
            return
        known = self.fractions.get((era, validator))
        self.fractions.put((era, validator), Fractions(known.due, known.due))
        taken = 0
        for who, part in exposure.parts(validator):
            cut = part * known.due // PARTS - part * known.done // PARTS
            taken += self._take(who, era, cut)
        if taken:
            self._divide(job, taken)

    def _take(self, who: AccountId, era: int, cut: Balance) -> Balance:
        """Take up to `cut` of what was bonded in `era`; what was taken. Emits Slashed."""
        ledger = self.ledger.find(who)
        if ledger is None:
            return 0
        free_from = era + self.config.bonding_eras  # what was unbonded before, era did not count
        at_stake = [chunk.value if chunk.era >= free_from else 0 for chunk in ledger.unlocking]
        amounts = [ledger.active, *at_stake]
        cut = min(cut, sum(amounts))
        if not cut:
            return 0
        active, *rest = apportion(cut, amounts)
        chunks = [
            UnlockChunk(chunk.value - part, chunk.era)
            for chunk, part in zip(ledger.unlocking, rest, strict=True)
            if chunk.value > part
        ]
        self.currency.transfer_held(REASON, who, SLASH_POT, cut)
        self.put_ledger(who, Ledger(ledger.active - active, chunks))
        self.deposit_event(Slashed(who, cut))
        return cut

    def _divide(self, job: SlashJob, taken: Balance) -> None:
        """Burn and pay out all of the slash. A reporter that does not exist gets nothing."""
        rules = self.parameters.get()
        shares = [rules.slash_burn_percent, rules.slash_treasury_percent]
        burned, treasury, reward = apportion(taken, [*shares, 100 - sum(shares)])
        refused = reward
        if reward and job.reporter is not None:
            left = self.currency.pay_out(SLASH_POT, [(job.reporter, reward)])
            refused = sum(amount for _, amount in left)
        treasury, reward = treasury + refused, reward - refused
        if burned:
            self.currency.burn(SLASH_POT, burned)
        if treasury:
            self.currency.transfer(SLASH_POT, self.config.treasury, treasury)
        self.deposit_event(SlashDivided(job.era, job.validator, burned, treasury, reward))
