"""Slashing: all that is at stake behind an operator bears a fault, what is on its way out as well.

Invariant: what is taken of each staker is its part by `apportion`; sums are written once.
Source: WP III.A.3 (slashes), WP II.D, WP V.G (delegators bear their part).
"""

from __future__ import annotations

from runtime.economy.tasks import Role
from runtime.pallets.delegation.closing import Closing
from runtime.pallets.delegation.ledger import reason_of
from runtime.pallets.delegation.records import Operator, OperatorKey, Slashed, Unbonding
from runtime.primitives.apportion import apportion
from runtime.primitives.rational import Rational
from runtime.primitives.types import AccountId, Balance


class Slashing(Closing, index=31):
    """Takes stakes."""

    def slash(self, task: int, who: AccountId, rate: Rational, to: AccountId | None) -> Balance:
        """Take `rate` of all that is at stake behind an operator, floored; the amount taken.

        Own stake, delegations and what unbonds bear it pro rata. Burned if `to` is None. A day's
        snapshot does not change. Emits Slashed for every staker.
        """
        operator, key = self._operator(task, who), OperatorKey(task, who)
        stakes = {who: operator.own, **dict(self._delegations_of(task, who))}
        found = dict(self.unbonding.items_of(key))
        leaving = {staker: found.get(staker, []) for staker in stakes}
        pieces = {
            staker: [position.amount, *(chunk.amount for chunk in leaving[staker])]
            for staker, position in stakes.items()
        }
        amounts = [amount for each in pieces.values() for amount in each]
        cut = rate.mul_floor(sum(amounts))
        if not cut:
            return 0
        shares = iter(apportion(cut, amounts))
        cuts = {staker: [next(shares) for _ in each] for staker, each in pieces.items()}
        for staker, taken in cuts.items():
            if staker != who and taken[0]:
                left = stakes[staker].changed(self.today(), -taken[0])
                self.delegations.put((key, staker), left)
            self._take_leaving(key, staker, leaving[staker], taken[1:])
            self._take_held(key, operator.role, staker, sum(taken), to)
        own = cuts.pop(who)[0]
        self._lower_sums(key, operator, own, sum(taken[0] for taken in cuts.values()))
        return cut

    def _take_leaving(
        self, key: OperatorKey, staker: AccountId, chunks: list[Unbonding], taken: list[int]
    ) -> None:
        if any(taken):
            left = [
                Unbonding(chunk.amount - amount, chunk.free_day)
                for chunk, amount in zip(chunks, taken, strict=True)
            ]
            self._put_unbonding(key, staker, [chunk for chunk in left if chunk.amount])

    def _take_held(
        self, key: OperatorKey, role: Role, staker: AccountId, amount: int, to: AccountId | None
    ) -> None:
        if not amount:
            return
        reason = reason_of(role, is_own=staker == key.operator)
        if to is None:
            self.currency.burn_held(reason, staker, amount)
        else:
            self.currency.transfer_held(reason, staker, to, amount)
        self.deposit_event(Slashed(key.task, key.operator, staker, amount, to))

    def _lower_sums(self, key: OperatorKey, operator: Operator, own: int, delegated: int) -> None:
        """Take the cuts of the operator and of its delegators out of what sums them up."""
        total = operator.delegated.changed(self.today(), -delegated)
        changed = operator.with_delegated(total, operator.delegators)
        self._change_own(key.task, key.operator, changed, -own)
        self._change_total(key.task, operator.role, -delegated)
