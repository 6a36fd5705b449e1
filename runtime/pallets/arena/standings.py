"""Whose submissions a day ranks, and in which order.

Owners are known when the day is settled: of one owner only the standing submission is ranked, the
latest commitment; what is still under an alias, and who had no stake that day, never is.
Invariant: with all aliases opened a ranking is what it were had the nodes used their names.
Source: WP V.E ("rank amongst its peers"), Table I (blind validation, top k_1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from runtime.economy.parameters import VestingRules
from runtime.economy.tasks import Role, Task
from runtime.pallets.arena.budget import Budget
from runtime.pallets.arena.consensus import ConsensusScore
from runtime.pallets.arena.cursor import Cursor
from runtime.pallets.arena.duplicates import Duplicates
from runtime.pallets.arena.payments import payments_by_weight
from runtime.pallets.arena.ranking import Entry, rank
from runtime.pallets.arena.records import (
    Best,
    DayKey,
    NodeRecord,
    Payment,
    PaymentKind,
    RankedNode,
    Roster,
    RosterEntry,
)
from runtime.pallets.arena.shares import floor_shares, node_weights
from runtime.pallets.arena.storage import Arena
from runtime.primitives.types import AccountId

RESOLVE_STEPS: Final = 6  # a submission, its owner's stake and what stands of it
ENTRIES_PER_STEP: Final = 2  # stored again


@dataclass(frozen=True, slots=True)
class Ranked:
    """A ranked submission with its owner's stake of the day, planck."""

    submission: int
    owner: AccountId
    content: bytes
    consensus: ConsensusScore
    stake: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """A day's ranked nodes, the best first, and the weights in the ratio of their f_i."""

    nodes: list[Ranked]
    weights: list[int]

    def is_paid(self) -> bool:
        """Whether anybody is there to be paid."""
        return any(self.weights)

    def payments(self, amount: int) -> list[Payment]:
        """Reward A."""
        owners = [node.owner for node in self.nodes]
        role, kind = Role.TRAINING_NODE, PaymentKind.REWARD_A
        return payments_by_weight(owners, self.weights, amount, role, kind)

    def records(self) -> list[RankedNode]:
        """What is stored of it."""
        return [
            RankedNode(
                node.submission,
                node.owner,
                node.content,
                node.consensus.numerator,
                node.consensus.denominator,
                node.stake,
                share,
            )
            for node, share in zip(self.nodes, floor_shares(self.weights), strict=True)
        ]


NOBODY = Ranking([], [])


class Standings:
    """Resolves owners, ranks, and remembers ranks."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.duplicates = Duplicates(arena)

    def resolve(self, key: DayKey, roster: Roster, cursor: Cursor, budget: Budget) -> Cursor:
        """Enter the owners as they are known now, if aliases are on the roster.

        The cursor's index is that of the first entry whose owner is still to be found.
        """
        entries, index = list(roster.entries), cursor.index
        if not index and all(entry.owner is not None for entry in entries):
            return replace(cursor, index=len(entries))  # as they stood, of nodes with stake
        budget.spend(len(entries) // ENTRIES_PER_STEP)
        count = budget.take_some(RESOLVE_STEPS, len(entries) - index)
        for at in range(index, index + count):
            entries[at] = self._resolve(key, entries[at])
        self.arena.rosters.put(key, replace(roster, entries=entries))
        return replace(cursor, index=index + count)

    def _resolve(self, key: DayKey, entry: RosterEntry) -> RosterEntry:
        arena = self.arena
        # Not the roster's: of a day that is held an owner may have moved to a new key since.
        owner = arena.submissions.get((key.task, entry.submission)).owner
        if owner is None:
            return entry
        stake = arena.stakes.stake_of(key.task, owner, key.day)
        stands = (
            arena.standing.find((key.task, owner)) == entry.submission
            and stake is not None
            and stake.total > 0
        )
        return replace(entry, owner=owner, stands=stands)

    def rank(self, key: DayKey, task: Task, roster: Roster, rules: VestingRules) -> Ranking:
        """The day's ranking by these rules, with the stakes of the day."""
        ranked = self.best_of(key, task, roster, rules.ranked_max)
        stakes = [node.stake for node in ranked]
        return Ranking(ranked, node_weights(stakes, rules.rank_ratio, rules.node_alpha))

    def best_of(
        self, key: DayKey, task: Task, roster: Roster, ranked_max: int | None
    ) -> list[Ranked]:
        """The ranked submissions of the day, the best first."""
        candidates, compares = candidates_of(roster), task.terms.duplicate_distance is not None
        scores = [
            None
            if compares and self.duplicates.is_copy(key, entry.submission)
            else self._consensus(key, entry.submission)
            for entry, _ in candidates
        ]
        order = rank(
            [
                Entry(consensus, entry.submission, entry.content, entry.dealt)
                for (entry, _), consensus in zip(candidates, scores, strict=True)
            ],
            task.terms.baseline,
            ranked_max,
        )
        ranked = []
        for index in order:
            (entry, owner), consensus = candidates[index], scores[index]
            stake = self.arena.stakes.stake_of(key.task, owner, key.day)
            assert consensus is not None, "only scored submissions are ranked"
            assert stake is not None, "a node keeps its role until the task ends"
            ranked.append(Ranked(entry.submission, owner, entry.content, consensus, stake.total))
        return ranked

    def _consensus(self, key: DayKey, submission: int) -> ConsensusScore | None:
        found = self.arena.results.find((key, submission))
        if found is None:
            return None
        return ConsensusScore(found.numerator, found.denominator, tuple(found.kept))

    def note_best(self, task: int, ranking: Ranking) -> None:
        """Remember the first rank, if there is one."""
        if ranking.nodes:
            first = ranking.nodes[0]
            score = first.consensus.numerator, first.consensus.denominator
            self.arena.best.put(task, Best(first.submission, first.owner, first.content, *score))

    def remember(self, task: int, node: RankedNode) -> None:
        """Add a day before the final one to what is known of a ranked node."""
        arena, place = self.arena, (task, node.owner)
        before = arena.node_records.get(place)
        arena.node_records.put(
            place, NodeRecord(before.days_ranked + 1, before.share_sum + node.share)
        )


def candidates_of(roster: Roster) -> list[tuple[RosterEntry, AccountId]]:
    """The entries of a settled day that may be ranked, with their owners."""
    return [
        (entry, entry.owner) for entry in roster.entries if entry.owner is not None and entry.stands
    ]
