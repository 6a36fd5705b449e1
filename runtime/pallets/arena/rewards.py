"""A day's ranking and payments, computed at once from the scored submissions, then only paid.

Invariant: payments and what vests sum to what entered the task's pot that day; money that nobody
can get is neither minted nor taken from the escrow.
Source: WP V.E (nodes), WP V.F (validators), WP V.H (Rewards A and B), WP IV.A (creators).
"""

from __future__ import annotations

from dataclasses import dataclass

from runtime.economy.parameters import ArenaParameters
from runtime.economy.tasks import Role, Task
from runtime.pallets.arena import events
from runtime.pallets.arena.bounty import BountyPayout
from runtime.pallets.arena.consensus import ConsensusScore
from runtime.pallets.arena.duplicates import Duplicates
from runtime.pallets.arena.payments import payments_by_weight
from runtime.pallets.arena.ranking import Entry, rank
from runtime.pallets.arena.records import (
    Best,
    Cursor,
    DayKey,
    DayResult,
    JurorResult,
    NodeRecord,
    Payment,
    PaymentKind,
    RankedNode,
    Roster,
    RosterEntry,
)
from runtime.pallets.arena.shares import floor_shares, keep_best, node_weights
from runtime.pallets.arena.split import RewardSplit, split_reward, split_vesting
from runtime.pallets.arena.storage import Arena, pot_of
from runtime.primitives.rational import Rational
from runtime.primitives.types import AccountId

MONTH_DAYS = 30
NOTHING = Rational(0, 1)


@dataclass(frozen=True, slots=True)
class _Ranked:
    """A ranked entry with its node's stake of the day, planck."""

    entry: RosterEntry
    consensus: ConsensusScore
    stake: int


@dataclass(frozen=True, slots=True)
class _Amounts:
    """What the day pays, planck; `shares` of validators after the cut to k_2."""

    reward: int
    creator: int
    paid_now: int
    vested: int
    validators: int
    shares: list[int]

    @property
    def total(self) -> int:
        """What enters the pot."""
        return self.creator + self.paid_now + self.vested + self.validators


class Rewards:
    """Turns scores into payments."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.bounty = BountyPayout(arena)
        self.duplicates = Duplicates(arena)

    def plan(self, key: DayKey, cursor: Cursor) -> None:
        """Rank, fund the pot, store the day's result and payments. Emits DayScored."""
        arena = self.arena
        task = arena.tasks.get_task(key.task)
        parameters, roster = arena.tasks.parameters_on(key.day), arena.rosters.get(key)
        is_final = key.day == task.final_day()
        ranked = self._rank(key, task, roster, parameters.vesting.ranked_max)
        weights = node_weights(
            [node.stake for node in ranked],
            parameters.vesting.rank_ratio,
            parameters.vesting.node_alpha,
        )
        amounts = self._amounts(key, task, parameters, any(weights), cursor.shares)
        self._fund(key, task, amounts)
        self._note_ranks(key, ranked, floor_shares(weights), is_final=is_final)
        payments = self._pay_nodes(ranked, weights, amounts.paid_now)
        payments += self._pay_validators(roster, amounts)
        payments += payments_by_weight(
            [task.creator], [1], amounts.creator, Role.CREATOR, PaymentKind.CREATION
        )
        payments += self._pass_on_slashes(key, roster, cursor)
        self.bounty.note_shares(key, roster, amounts.shares)
        if is_final:
            nodes = self._final_weights(key, task, roster)
            payments += self._pay_vested(key, *nodes)
            payments += self.bounty.plan(key, parameters.gamma, nodes)
        arena.payments.put(key, payments)
        self._store(key, parameters, roster, cursor, ranked, weights, amounts)

    # -- the ranking

    def _rank(
        self, key: DayKey, task: Task, roster: Roster, ranked_max: int | None
    ) -> list[_Ranked]:
        arena, scored = self.arena, []
        compares = task.terms.duplicate_distance is not None
        for entry in roster.entries:
            found = arena.results.find((key, entry.submission))
            is_out = compares and self.duplicates.is_copy(key, entry.submission)
            consensus = (
                None
                if found is None or is_out
                else ConsensusScore(found.numerator, found.denominator, tuple(found.kept))
            )
            scored.append((entry, consensus))
        order = rank(
            [
                Entry(consensus, entry.submission, entry.content, entry.dealt)
                for entry, consensus in scored
            ],
            task.terms.baseline,
            ranked_max,
        )
        ranked = []
        for index in order:
            entry, consensus = scored[index]
            stake = arena.stakes.stake_of(key.task, entry.owner, key.day)
            assert consensus is not None, "only scored submissions are ranked"
            assert stake is not None, "a node keeps its role until the task ends"
            ranked.append(_Ranked(entry, consensus, stake.total))
        return ranked

    def _note_ranks(
        self, key: DayKey, ranked: list[_Ranked], shares: list[int], *, is_final: bool
    ) -> None:
        """Remember the best, and before the final day each node's ranked days and f_i."""
        arena = self.arena
        if ranked:
            first, score = ranked[0].entry, ranked[0].consensus
            arena.best.put(
                key.task,
                Best(
                    first.submission, first.owner, first.content, score.numerator, score.denominator
                ),
            )
        if is_final:
            return
        for node, share in zip(ranked, shares, strict=True):
            place = (key.task, node.entry.owner)
            before = arena.node_records.get(place)
            arena.node_records.put(
                place, NodeRecord(before.days_ranked + 1, before.share_sum + share)
            )

    # -- the money

    def _amounts(
        self,
        key: DayKey,
        task: Task,
        parameters: ArenaParameters,
        has_ranking: bool,
        shares: list[int],
    ) -> _Amounts:
        arena = self.arena
        if task.is_verified_on(key.day):
            reward = arena.emission.reward_of(key.day, key.task)
            creator_share = parameters.creator_share_in(key.day // MONTH_DAYS)
        else:
            reward, creator_share = arena.tasks.daily_budget(key.task, key.day), NOTHING
        split: RewardSplit = split_reward(
            reward,
            arena.stakes.total_of(key.task, Role.TRAINING_NODE, key.day),
            arena.stakes.total_of(key.task, Role.TASK_VALIDATOR, key.day),
            parameters.gamma,
            creator_share,
        )
        paid, vested = split_vesting(split.nodes if has_ranking else 0, task.vesting.paid_daily)
        best = keep_best(shares, parameters.paid_validators_max)
        validators = split.validators if any(best) else 0
        creator = split.creator if has_ranking or validators else 0
        return _Amounts(reward, creator, paid, vested, validators, best)

    def _fund(self, key: DayKey, task: Task, amounts: _Amounts) -> None:
        arena, pot = self.arena, pot_of(key.task)
        if not amounts.total:
            return
        if task.is_verified_on(key.day):
            arena.emission.mint(key.day, key.task, pot, amounts.total)
        else:
            arena.tasks.pay_from_escrow(key.task, pot, amounts.total)
            own = arena.vested_own.get(key.task) + amounts.vested
            arena.vested_own.put(key.task, own)
        arena.vested.put(key.task, arena.vested.get(key.task) + amounts.vested)

    def _pay_nodes(self, ranked: list[_Ranked], weights: list[int], amount: int) -> list[Payment]:
        owners = [node.entry.owner for node in ranked]
        return payments_by_weight(owners, weights, amount, Role.TRAINING_NODE, PaymentKind.REWARD_A)

    def _pay_validators(self, roster: Roster, amounts: _Amounts) -> list[Payment]:
        accounts = [juror.account for juror in roster.jurors]
        return payments_by_weight(
            accounts,
            amounts.shares,
            amounts.validators,
            Role.TASK_VALIDATOR,
            PaymentKind.VALIDATION,
        )

    def _pass_on_slashes(self, key: DayKey, roster: Roster, cursor: Cursor) -> list[Payment]:
        """To the day's honest validators by their shares; to the treasury if there are none."""
        arena, amount = self.arena, cursor.slashed
        if not amount:
            return []
        if not any(cursor.shares):
            arena.currency.transfer(pot_of(key.task), arena.config.treasury, amount)
            return []
        accounts = [juror.account for juror in roster.jurors]
        return payments_by_weight(
            accounts, cursor.shares, amount, Role.TASK_VALIDATOR, PaymentKind.SLASHED_STAKE
        )

    def _final_weights(
        self, key: DayKey, task: Task, roster: Roster
    ) -> tuple[list[AccountId], list[int]]:
        """Nodes by the final ranking and time-weighted stake, else by mean f_i; their weights.

        The rules are those of the task's creation, so the ranking is cut anew.
        """
        arena, rules = self.arena, task.vesting
        ranked = self._rank(key, task, roster, rules.ranked_max)
        owners = [node.entry.owner for node in ranked]
        stakes = [arena.stakes.stake_days_of(key.task, owner, key.day) for owner in owners]
        weights = node_weights(stakes, rules.rank_ratio, rules.node_alpha)
        if not any(weights):
            records = sorted(arena.node_records.items_of(key.task))
            owners = [owner for owner, _ in records]
            weights = [record.share_sum for _, record in records]
        return owners, weights

    def _pay_vested(
        self, key: DayKey, owners: list[AccountId], weights: list[int]
    ) -> list[Payment]:
        """Reward B, by the final weights."""
        arena, amount = self.arena, self.arena.vested.get(key.task)
        if not amount or not any(weights):
            return []
        arena.vested.remove(key.task)
        arena.vested_own.remove(key.task)
        return payments_by_weight(owners, weights, amount, Role.TRAINING_NODE, PaymentKind.REWARD_B)

    # -- the explanation

    def _store(
        self,
        key: DayKey,
        parameters: ArenaParameters,
        roster: Roster,
        cursor: Cursor,
        ranked: list[_Ranked],
        weights: list[int],
        amounts: _Amounts,
    ) -> None:
        stakes = self.arena.stakes
        ranking = [
            RankedNode(
                node.entry.submission,
                node.entry.owner,
                node.entry.content,
                node.consensus.numerator,
                node.consensus.denominator,
                node.stake,
                share,
            )
            for node, share in zip(ranked, floor_shares(weights), strict=True)
        ]
        jurors = [
            JurorResult(juror.account, juror.stake, share, paid > 0)
            for juror, share, paid in zip(roster.jurors, cursor.shares, amounts.shares, strict=True)
        ]
        self.arena.day_results.put(
            key,
            DayResult(
                parameters,
                amounts.reward,
                stakes.total_of(key.task, Role.TRAINING_NODE, key.day),
                stakes.total_of(key.task, Role.TASK_VALIDATOR, key.day),
                amounts.creator,
                amounts.paid_now + amounts.vested,
                amounts.vested,
                amounts.validators,
                cursor.slashed,
                cursor.scored,
                ranking,
                jurors,
            ),
        )
        self.arena.deposit_event(
            events.DayScored(key.task, key.day, len(ranking), amounts.reward, amounts.vested)
        )
