"""Scripted rounds of a task on the chain, to measure what a way of misbehaving earns.

Nobody trains: a proposal is a content id, and whether voters find it harmful is part of the script.
Invariant: amounts are what the pallet left on the members' balances and the creator's account.
Source: WP Algorithm 2; WP VI.D to VI.F.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from flockchain.economics.alliance_task import CREATOR
from flockchain.simulation.fl.task import Roles, SimulatedTask, TaskRules
from runtime.pallets.fl_alliance.records import Ballot, NoData, Vote
from runtime.pallets.fl_alliance.sortition import proposers_of
from runtime.pallets.fl_alliance.stages import Outcome
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML

QUANTITY: Final = 100 * FML
POOL: Final = 1_500 * FML
ROUNDS: Final = 10
PROPOSING: Final = Rational(1, 3)
ZERO: Final = blake2b_256(b"zero")
UNITS: Final = 10


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What attackers do otherwise than honest members.

    `chooses`: posts a proof after the others, and only if it would propose. `update`: own, zero,
    copy, poison or none. `serves`: voters can have its proposal. `reports`: tells what it holds;
    `denies`: but only of friends. `vote`: honest, accept, reject, none, missing (says that others'
    proposals cannot be had). `frames`: marks all but friends. `units`: the n_p that it claims.
    """

    chooses: bool = False
    update: str = "own"
    serves: bool = True
    denies: bool = False
    vote: str = "honest"
    frames: bool = False
    units: int = UNITS


@dataclass(frozen=True, slots=True)
class Drilled:
    """Changes of balances in planck, all attackers and all others together; the creator's account
    at the end; outcomes by round, and the greatest part of an aggregate that attackers weighed."""

    attackers: int
    others: int
    creator: int
    outcomes: Sequence[Outcome]
    weight: Fraction


class Drill:
    """One task with `attackers` among its members, from the first round to its end."""

    def __init__(
        self,
        behaviour: Behaviour,
        attackers: int,
        members: int = 15,
        seed: int = 1,
        bad_rounds: frozenset[int] = frozenset(),
        rounds: int = ROUNDS,
    ) -> None:
        """In `bad_rounds` honest voters find the aggregate bad, whoever proposed."""
        self.behaviour = behaviour
        self.members = members
        self.rounds = rounds
        # Not the first ones: the order of accounts must not help them.
        self.attackers = frozenset(range(members - attackers, members))
        self.bad_rounds = bad_rounds
        rules = TaskRules(QUANTITY, POOL, rounds, PROPOSING, Rational(1, 5), True, ZERO)
        units = [behaviour.units if at in self.attackers else UNITS for at in range(members)]
        self.task = SimulatedTask(rules, units, seed)
        self.outcomes: list[Outcome] = []
        self.weight = Fraction(0)
        self.copied: bytes = ZERO

    def play(self) -> Drilled:
        """All rounds, until the task ends or has too few members."""
        while len(self.outcomes) < self.rounds and self.task.open_round():
            self.outcomes.append(self._play_round(len(self.outcomes)))
        self.task.wait_for_end()
        others = [at for at in range(self.members) if at not in self.attackers]
        return Drilled(
            self._change(sorted(self.attackers)),
            self._change(others),
            self.task.chain.balances.free(CREATOR),
            self.outcomes,
            self.weight,
        )

    def _change(self, clients: Sequence[int]) -> int:
        return sum(self.task.member(at).balance - QUANTITY for at in clients)

    # -- a round

    def _play_round(self, number: int) -> Outcome:
        task = self.task
        self._check_in()
        roles = task.roles()
        if not roles.proposers:
            return task.settle().outcome
        if task.lacks_model():
            task.initialise(roles.proposers[0], blake2b_256(b"start"))
        taken = task.propose(self._contents(roles, number))
        if taken:
            mask = task.report({voter: self._held(voter, roles, taken) for voter in roles.voters})
            if mask:
                self._note_weight(roles, mask)
                self._vote(roles, mask, number)
        return task.settle().outcome

    def _check_in(self) -> None:
        task, candidates = self.task, self.task.candidates()
        honest = [at for at in candidates if at not in self.attackers]
        others = [at for at in candidates if at in self.attackers]
        task.check_in(honest)
        if self.behaviour.chooses:
            lowest = sorted(candidates, key=task.output)
            seats = proposers_of(len(candidates), PROPOSING)
            others = [at for at in others if at in lowest[:seats]]
        task.check_in(others)

    def _contents(self, roles: Roles, number: int) -> dict[int, bytes]:
        contents: dict[int, bytes] = {}
        own = {at: blake2b_256(f"{number}/{at}".encode()) for at in roles.proposers}
        for at in roles.proposers:
            kind = self.behaviour.update if at in self.attackers else "own"
            if kind == "none":
                continue
            copied = self.copied if kind == "copy" and self.copied != ZERO else own[at]
            contents[at] = ZERO if kind == "zero" else copied
        # What an attacker can copy is what was opened: sealing hides the others' of this round.
        self.copied = own[roles.proposers[0]]
        return contents

    def _held(self, voter: int, roles: Roles, taken: set[int]) -> int:
        is_attacker = voter in self.attackers
        bits = 0
        for index, at in enumerate(roles.proposers):
            is_friend = at in self.attackers
            is_served = self.behaviour.serves or not is_friend or is_attacker
            is_denied = is_attacker and self.behaviour.denies and not is_friend
            if at in taken and is_served and not is_denied:
                bits |= 1 << index
        return bits

    def _note_weight(self, roles: Roles, mask: int) -> None:
        weights = [(at, roles.weights[i]) for i, at in enumerate(roles.proposers) if mask >> i & 1]
        bad = sum(weight for at, weight in weights if at in self.attackers)
        self.weight = max(self.weight, Fraction(bad, sum(weight for _, weight in weights)))

    def _vote(self, roles: Roles, mask: int, number: int) -> None:
        proposed = {1 << i: at for i, at in enumerate(roles.proposers) if mask >> i & 1}
        friends = sum(bit for bit, at in proposed.items() if at in self.attackers)
        harmful = friends if self.behaviour.update == "poison" else 0
        honest = Vote(number not in self.bad_rounds, blake2b_256(b"%d" % number), harmful)
        ballots: dict[int, Ballot] = {}
        for voter in roles.voters:
            given = self._ballot(honest, mask & ~friends) if voter in self.attackers else honest
            if given is not None:
                ballots[voter] = given
        self.task.vote(ballots)

    def _ballot(self, honest: Vote, strangers: int) -> Ballot | None:
        marks = strangers if self.behaviour.frames else honest.marks
        match self.behaviour.vote:
            case "none":
                return None
            case "missing":
                return NoData(strangers)
            case "accept" | "reject" as said:
                return Vote(said == "accept", honest.aggregate, strangers * self.behaviour.frames)
        return Vote(honest.accepts, honest.aggregate, marks)
