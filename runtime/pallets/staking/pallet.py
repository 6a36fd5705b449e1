"""Staking: bonds, candidates and nominators of the chain's own validators.

Whoever has bonded stake is a candidate, a nominator, or neither. What is unbonded can be slashed
until it matures.
Source: WP II.A, abstract (proof of stake); Substrate `pallet_staking`.
"""

from __future__ import annotations

from dataclasses import replace

from runtime import frame
from runtime.frame.traits import is_pot
from runtime.frame.weights import Weight
from runtime.pallets.staking.records import (
    BACKERS_MAX,
    CHUNKS_MAX,
    TARGETS_MAX,
    AlreadyBonded,
    BadStash,
    BadTargets,
    Bonded,
    BondTooLow,
    Exposure,
    InsufficientBond,
    Ledger,
    Nominated,
    Nominations,
    NoRole,
    NoSessionKeys,
    NothingToClaim,
    NothingToWithdraw,
    ParametersSet,
    PayoutStarted,
    SlashesPending,
    StakingParameters,
    StillActing,
    TooManyChunks,
    TooManyNominators,
    TooManyValidators,
    Unbonded,
    UnlockChunk,
    UnsoundParameters,
    ValidatorPrefs,
    ValidatorPrefsSet,
    Withdrawn,
)
from runtime.pallets.staking.slashing import Slashing
from runtime.pallets.staking.storage import POT, REASON, SLASH_POT
from runtime.primitives.apportion import apportion
from runtime.primitives.types import U32, U64, AccountId, Balance, CompactBalance

_BOND = Weight(150_000_000)
_PAID = Weight(70_000_000)  # per account
Genesis = list[tuple[AccountId, Balance, ValidatorPrefs]]


class Staking(Slashing, index=7):
    # -- calls

    @frame.call(0, weight=_BOND)
    def bond(self, origin: frame.Origin, value: CompactBalance) -> None:
        """Hold `value` planck for the chain's proof of stake. Signed. Emits Bonded.

        Raises AlreadyBonded, BondTooLow, BadStash.
        """
        who = frame.ensure_signed(origin)
        if self.ledger.contains(who):
            raise AlreadyBonded
        if is_pot(who):
            raise BadStash
        if value < self.parameters.get().nominator_bond_min:
            raise BondTooLow
        self.currency.hold(REASON, who, value)
        self.put_ledger(who, Ledger(value, []))
        self.deposit_event(Bonded(who, value))

    @frame.call(1, weight=_BOND)
    def bond_extra(self, origin: frame.Origin, value: CompactBalance) -> None:
        """Bond more; it counts from the next election on. Signed. Emits Bonded.

        Raises NotStash, InsufficientBond.
        """
        who = frame.ensure_signed(origin)
        ledger = self.ledger_of(who)
        if not value:
            raise InsufficientBond
        self.currency.hold(REASON, who, value)
        self.put_ledger(who, replace(ledger, active=ledger.active + value))
        self.deposit_event(Bonded(who, value))

    @frame.call(2, weight=_BOND)
    def unbond(self, origin: frame.Origin, value: CompactBalance) -> None:
        """Begin to take `value` back; until it matures it can be slashed. Signed. Emits Unbonded.

        Raises NotStash, InsufficientBond, BondTooLow, TooManyChunks.
        """
        who = frame.ensure_signed(origin)
        ledger = self.ledger_of(who)
        left = ledger.active - value
        if not value or left < 0:
            raise InsufficientBond
        if left < self._least(who):
            raise BondTooLow
        free_era = self.current_era.get() + self.config.bonding_eras
        chunks = list(ledger.unlocking)
        if chunks and chunks[-1].era == free_era:
            chunks[-1] = UnlockChunk(chunks[-1].value + value, free_era)
        elif len(chunks) == CHUNKS_MAX:
            raise TooManyChunks
        else:
            chunks.append(UnlockChunk(value, free_era))
        self.put_ledger(who, Ledger(left, chunks))
        self.deposit_event(Unbonded(who, value, free_era))

    @frame.call(3, weight=_BOND)
    def withdraw_unbonded(self, origin: frame.Origin) -> None:
        """Get back what has matured. Signed. Emits Withdrawn.

        Raises NotStash, SlashesPending, NothingToWithdraw, StillActing.
        """
        who = frame.ensure_signed(origin)
        ledger = self.ledger_of(who)
        if self.is_slash_pending():
            raise SlashesPending
        active = self.active_era.get().index
        left = [chunk for chunk in ledger.unlocking if chunk.era > active]
        after = Ledger(ledger.active, left)
        amount = ledger.total - after.total
        if not amount:
            raise NothingToWithdraw
        if not after.total and self.keys.is_acting(who):
            raise StillActing
        self.currency.release(REASON, who, amount)
        self.put_ledger(who, after)
        self.deposit_event(Withdrawn(who, amount))

    @frame.call(4, weight=_BOND)
    def validate(self, origin: frame.Origin, prefs: ValidatorPrefs) -> None:
        """Be a candidate from the next election on, or change the commission. Signed.

        Emits ValidatorPrefsSet. Raises NotStash, BondTooLow, NoSessionKeys, TooManyValidators.
        """
        who = frame.ensure_signed(origin)
        if self.ledger_of(who).active < self.parameters.get().validator_bond_min:
            raise BondTooLow
        if not self.keys.has_keys(who):
            raise NoSessionKeys
        known = self.validators.contains(who)
        if not known and self.counter_for_validators.get() >= self.config.candidates_max:
            raise TooManyValidators
        if not known:
            self.drop_roles(who)
        self.put_validator(who, prefs)
        self.deposit_event(ValidatorPrefsSet(who, prefs))

    @frame.call(5, weight=_BOND)
    def nominate(self, origin: frame.Origin, targets: list[AccountId]) -> None:
        """Back candidates from the next election on, with equal parts. Signed. Emits Nominated.

        Raises NotStash, BondTooLow, BadTargets, TooManyNominators.
        """
        who = frame.ensure_signed(origin)
        if self.ledger_of(who).active < self.parameters.get().nominator_bond_min:
            raise BondTooLow
        is_named_once = len(set(targets)) == len(targets)
        if not (1 <= len(targets) <= TARGETS_MAX and is_named_once):
            raise BadTargets
        if not all(self.validators.contains(target) and target != who for target in targets):
            raise BadTargets
        known = self.nominators.contains(who)
        if not known and self.counter_for_nominators.get() >= self.config.nominators_max:
            raise TooManyNominators
        if not known:
            self.drop_roles(who)
        self.put_nominator(who, Nominations(targets, self.current_era.get()))
        self.deposit_event(Nominated(who, targets))

    @frame.call(6, weight=_BOND)
    def chill(self, origin: frame.Origin) -> None:
        """Be neither candidate nor nominator any more. Signed. Emits Chilled. Raises NoRole."""
        if not self.drop_roles(frame.ensure_signed(origin)):
            raise NoRole

    @frame.call(18, weight=_BOND + _PAID.times(BACKERS_MAX + 1))
    def payout_stakers(self, origin: frame.Origin, validator: AccountId, era: U32) -> None:
        """Pay what a validator and its nominators earned in an era. Signed by anybody.

        The commission is the validator's; the rest goes by stake. What would be dust at who gets it
        stays in the pot. Emits PayoutStarted. Raises NothingToClaim.
        """
        frame.ensure_signed(origin)
        amount = self.eras_payouts.find((era, validator))
        exposure = self.eras_stakers.find((era, validator))
        if amount is None or exposure is None:
            raise NothingToClaim
        commission = self.eras_validator_prefs.get((era, validator)).commission.mul_floor(amount)
        parts = exposure.parts(validator)
        shares = apportion(amount - commission, [value for _, value in parts])
        shares[0] += commission
        self.eras_payouts.remove((era, validator))
        self.owed.put(self.owed.get() - amount)
        paid = [(who, share) for (who, _), share in zip(parts, shares, strict=True) if share]
        self.currency.pay_out(POT, paid)
        self.deposit_event(PayoutStarted(era, validator, amount))

    @frame.call(30, weight=_BOND)
    def set_parameters(self, origin: frame.Origin, parameters: StakingParameters) -> None:
        """Change the rules. Root: only a passed proposal. Emits ParametersSet."""
        frame.ensure_root(origin)
        if not parameters.is_sound(self.config.validators_max, self.config.bonding_eras):
            raise UnsoundParameters
        self.parameters.put(parameters)
        self.deposit_event(ParametersSet(parameters))

    @frame.call(31, weight=_BOND)
    def cancel_slash(
        self, origin: frame.Origin, era: U32, validator: AccountId, fraction: U64
    ) -> None:
        """Forgive a slash that waits for an era. Root: only a passed proposal.

        What is due beyond `fraction` of 10^18 stays due: who voted did not know of it. The
        offender stays chilled until it asks again. Emits SlashCancelled. Raises
        NoDeferredSlash.
        """
        frame.ensure_root(origin)
        self.cancel(era, validator, fraction)

    def _least(self, who: AccountId) -> Balance:
        """What must stay bonded for the role of `who`."""
        parameters = self.parameters.get()
        if self.validators.contains(who):
            return parameters.validator_bond_min
        return parameters.nominator_bond_min if self.nominators.contains(who) else 0

    # -- genesis and invariants

    def genesis_build(self, parameters: StakingParameters, validators: Genesis) -> None:
        """Bond the first validators and put them into era 0. Raises TokenError, ValueError."""
        if not parameters.is_sound(self.config.validators_max, self.config.bonding_eras):
            raise ValueError("staking: the parameters are not sound")
        self.parameters.put(parameters)
        for who, stake, prefs in validators:
            if stake < parameters.validator_bond_min:
                raise ValueError(f"staking: 0x{who.hex()} bonds {stake} planck, too few")
            self.currency.hold(REASON, who, stake)
            self.put_ledger(who, Ledger(stake, []))
            self.put_validator(who, prefs)
            self._expose(0, who, Exposure(stake, stake, []))
        self.treasury_noted.put(self.currency.free(self.config.treasury))

    def try_state(self) -> None:
        for who, ledger in self.ledger.items():
            assert ledger.total > 0, f"an empty ledger of 0x{who.hex()}"
            assert self.currency.held(REASON, who) == ledger.total, f"bond of 0x{who.hex()}"
        candidates, nominators = list(self.validators.keys()), list(self.nominators.keys())
        assert len(candidates) == self.counter_for_validators.get()
        assert len(nominators) == self.counter_for_nominators.get()
        assert not {*candidates} & {*nominators}, "a role each"
        assert all(self.is_bonded(who) for who in (*candidates, *nominators))
        waiting = sum(amount for _, amount in self.eras_payouts.items())
        assert waiting == self.owed.get() <= self.currency.free(POT)
        assert self.currency.free(SLASH_POT) == 0
        for key, slash in self.deferred_slashes.items():
            known = self.fractions.get(key)
            assert known.due > known.done, "what waits is due"
            assert slash.due_era > self.active_era.get().index, "and not yet"
        for (era, who), exposure in self.eras_stakers.items():
            parts = sum(value for _, value in exposure.parts(who))
            assert parts == exposure.total, f"exposure of 0x{who.hex()} in era {era}"
