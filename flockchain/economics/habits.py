"""What the participants of tasks do on a copied chain: they go on as they did.

Owns the assumptions about people that a preview needs. Nobody submits a new model or opens an
alias. Every drawn validator seals and opens its scores, and gives a model what it last gave it;
else the model's last consensus; else what its node's last ranked model had; else the baseline,
which ranks nobody. The creator opens Dataset B in time, and on it models score as before.
Source: WP V.B to V.H; WP Fig. 3 (workflow).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from flockchain.economics.copied_chain import CopiedChain
from runtime.frame.origin import signed
from runtime.pallets.arena.records import (
    DayKey,
    Fingerprinted,
    GivenScore,
    Juror,
    Roster,
    RosterEntry,
    Score,
    ScoreSeal,
    Verdict,
)
from runtime.pallets.arena.seals import seal_scores
from runtime.primitives.hashing import blake2b_64
from runtime.primitives.types import AccountId, Hash

DAYS_BACK: Final = 7  # how far verdicts are looked for
_SALT: Final = bytes(32)
_KEY: Final = bytes(32)  # stands for a Dataset B's key, which only its creator has
ASSUMPTIONS: Final = (
    "nobody submits a new model or opens an alias, but for nodes that the scenario adds",
    "every drawn validator seals and opens its scores; it gives a model what it last gave it, else "
    "the model's last consensus, else what its node's last ranked model had, else the baseline",
    "creators open Dataset B in time, and on it models score as before",
    "tasks of the FL Alliance stand still: they hold no rounds and keep their stakes",
    "blocks hold nothing but that, one a slot; the draws of days to come are made up",
)


@dataclass(frozen=True, slots=True)
class Orders:
    """Scores that a scenario fixes in one task: by node for all validators, and by validator.

    `others` is what all nodes get that are not named; None leaves that to validators.
    """

    task: int
    by_node: Mapping[AccountId, int] = field(default_factory=dict)
    by_validator: Mapping[AccountId, Mapping[AccountId, int]] = field(default_factory=dict)
    others: int | None = None

    def find(self, task: int, validator: AccountId, owner: AccountId | None) -> int | None:
        """The score that a validator must give a node's model; None if that is left to it."""
        if task != self.task:
            return None
        if owner is None:
            return self.others
        by_all = self.by_node.get(owner, self.others)
        return self.by_validator.get(validator, {}).get(owner, by_all)


@dataclass(frozen=True, slots=True)
class _Memory:
    """What is remembered of a submission: each validator's last verdict, and what others give.

    `fingerprint` stands beside scores above 0 in tasks that compare behaviour.
    """

    verdicts: Mapping[AccountId, Verdict]
    otherwise: int
    fingerprint: int | None

    def score(self, value: int) -> Verdict:
        """A score as the task wants it."""
        if self.fingerprint is None or not value:
            return Score(value)
        return Fingerprinted(value, self.fingerprint)


class Habits:
    """The participants of all tasks of the AI Arena on one chain."""

    def __init__(self, chain: CopiedChain, orders: Orders) -> None:
        self._chain = chain
        self._orders = orders
        self._memories: dict[tuple[int, int], _Memory] = {}

    def act(self) -> None:
        """Do what is due in the open block; call it once a block."""
        chain = self._chain
        calendar, position = chain.arena.config.calendar, chain.position
        if position == calendar.commit_end - 1:  # the draw is finished by then
            for key, roster in self._rosters():
                self._seal(key, roster)
        elif position == calendar.score_reveal_end - 1:
            for key, roster in self._rosters():
                self._open(key, roster)
        elif position < calendar.reveal_end:
            self._open_datasets()

    # -- scores

    def _rosters(self) -> Iterator[tuple[DayKey, Roster]]:
        """The tasks that are scored today."""
        arena = self._chain.arena
        today = arena.today()
        for task in self._chain.tasks.tasks_on(today):
            key = DayKey(task, today)
            roster = arena.rosters.find(key)
            if roster is not None and roster.entries:
                yield key, roster

    def _seal(self, key: DayKey, roster: Roster) -> None:
        for juror in roster.jurors:
            if self._chain.arena.score_seals.contains((key, juror.account)):
                continue  # sealed on the chain itself
            sheet = self._sheet(key, roster, juror)
            if sheet:
                seal = self._seal_of(key, juror, sheet)
                self._chain.arena.commit_scores(signed(juror.account), key.task, seal)

    def _open(self, key: DayKey, roster: Roster) -> None:
        arena = self._chain.arena
        for juror in roster.jurors:
            sealed = arena.score_seals.find((key, juror.account))
            if sealed is None or sealed.is_revealed:
                continue
            sheet = self._sheet(key, roster, juror)
            # What was sealed before the chain was copied is known to its validator alone.
            made = ScoreSeal(self._seal_of(key, juror, sheet))
            arena.score_seals.put((key, juror.account), made)
            arena.reveal_scores(signed(juror.account), key.task, sheet, _SALT)

    def _seal_of(self, key: DayKey, juror: Juror, sheet: list[GivenScore]) -> Hash:
        genesis = self._chain.system.genesis_hash()
        return seal_scores(genesis, key.task, key.day, juror.account, sheet, _SALT)

    def _sheet(self, key: DayKey, roster: Roster, juror: Juror) -> list[GivenScore]:
        weights = self._chain.arena.scoring.weights_of(key, juror.account)
        entries = {entry.submission: entry for entry in roster.entries}
        return [
            GivenScore(number, self._verdict(key, juror.account, entries[number]))
            for number in weights
        ]

    def _verdict(self, key: DayKey, validator: AccountId, entry: RosterEntry) -> Verdict:
        place = (key.task, entry.submission)
        if place not in self._memories:
            self._memories[place] = self._remember(key, entry)
        memory = self._memories[place]
        ordered = self._orders.find(key.task, validator, entry.owner)
        if ordered is not None:
            return memory.score(ordered)
        return memory.verdicts.get(validator, memory.score(memory.otherwise))

    def _remember(self, key: DayKey, entry: RosterEntry) -> _Memory:
        """What the days before tell of a submission."""
        arena, verdicts = self._chain.arena, dict[AccountId, Verdict]()
        consensus: int | None = None
        of_owner: int | None = None
        fingerprint: int | None = None
        for day in range(key.day - 1, max(key.day - DAYS_BACK, 0) - 1, -1):
            place = (DayKey(key.task, day), entry.submission)
            for ballot in arena.ballots.get(place):
                verdicts.setdefault(ballot.validator, ballot.verdict)
            found, behaviour = arena.results.find(place), arena.behaviours.find(place)
            if consensus is None and found is not None and found.denominator:
                consensus = found.numerator // found.denominator
            if consensus is None and of_owner is None:
                of_owner = self._find_rank_score(place[0], entry.owner)
            if fingerprint is None and behaviour is not None:
                fingerprint = behaviour.fingerprint
        terms = self._chain.tasks.get_task(key.task).terms
        if terms.duplicate_distance is None:
            fingerprint = None
        elif fingerprint is None:  # as far from others' as unrelated models are
            fingerprint = int.from_bytes(blake2b_64(entry.content), "little")
        known = (score for score in (consensus, of_owner, terms.baseline) if score is not None)
        return _Memory(verdicts, next(known), fingerprint)

    def _find_rank_score(self, key: DayKey, owner: AccountId | None) -> int | None:
        """The score that ranked a node on a day."""
        ranking = self._chain.arena.views.leaderboard(key.task, key.day)
        scores = (node.numerator // node.denominator for node in ranking if node.owner == owner)
        return next(scores, None)

    # -- Dataset B

    def _open_datasets(self) -> None:
        """Enter a key for tasks whose last day is today: the call would ask for the true one."""
        tasks = self._chain.tasks
        today = tasks.today()
        for task in tasks.tasks_on(today):
            found = tasks.get_task(task)
            if found.final_day() == today and found.key is None:
                tasks.tasks.put(task, replace(found, key=_KEY))
