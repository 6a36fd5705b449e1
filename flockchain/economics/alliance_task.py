"""One self-funded FL Alliance task on an in-memory chain, played round by round.

Owns the story of a task whose roles are given instead of drawn: created, joined by all, and in each
round proposals, reports and votes through the pallet's own calls. Each participant joins while the
task's quantity is its stake, since a scenario may start from grown balances.
Source: WP VI.B to VI.F, Algorithm 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from flockchain.economics.day_scenario import make_account
from flockchain.economics.memory_chain import MemoryChain
from runtime.economy.tasks import Metric, SealedDataset, TaskStatus, TaskTerms
from runtime.frame.origin import ROOT, signed
from runtime.pallets.fl_alliance.events import RoundSettled, RoundTallied
from runtime.pallets.fl_alliance.records import Vote
from runtime.pallets.fl_alliance.seals import possession_message, seal_proposal, seal_vote
from runtime.pallets.fl_alliance.stages import Outcome, Stage
from runtime.pallets.fl_alliance.terms import (
    AllianceParameters,
    AllianceTerms,
    Mode,
    RoundWindows,
)
from runtime.primitives import vrf
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.rational import Rational
from runtime.primitives.types import AccountId, Hash

ORIGIN: Final = 0  # the Arena task that it starts from
TASK: Final = 1
CREATOR: Final = AccountId(b"\xff" * 32)
SALT: Final = bytes(32)
NOTHING: Final = Rational(0, 1)
_LEAST: Final = Rational(1, 10**6)


@dataclass(frozen=True, slots=True)
class AllianceRules:
    """What a scenario may choose of a task; `pool` in base units."""

    pool: int
    rounds: int
    slash: Rational
    absence_slash: Rational
    quorum: Rational


@dataclass(frozen=True, slots=True)
class SettledRound:
    """What a round came to; amounts in base units."""

    outcome: Outcome
    balances: Mapping[str, int]
    pool: int


class AllianceTask:
    """A task with its members, before the first round."""

    def __init__(self, rules: AllianceRules, stakes: Mapping[str, int]) -> None:
        """`stakes` are balances by name, each at least 1. Raises DispatchError."""
        self.rules = rules
        self.chain = MemoryChain(0)
        names = sorted(stakes)
        self.accounts = {name: make_account(index) for index, name in enumerate(names, start=1)}
        finish_origin(self.chain, self.rules.pool)
        self._create()
        for name in names:
            self._join(name, stakes[name])

    @property
    def pool(self) -> int:
        """The reward pool before the next round."""
        return self.chain.alliance.purses.get(TASK).pool

    def balances(self) -> dict[str, int]:
        """Every member's balance by name."""
        members = self.chain.alliance.members
        return {name: members.get((TASK, who)).balance for name, who in self.accounts.items()}

    # -- the eve

    def _create(self) -> None:
        chain, rules = self.chain, self.rules
        terms = AllianceTerms(
            name="scenario",
            spec=bytes(32),
            mode=Mode.OPEN,
            origin=ORIGIN,
            quantity=1,
            rounds=rules.rounds,
            days=365,
            participation=Rational(1, 1),
            proposing=_LEAST,
            voters_min=1,
            quorum=rules.quorum,
            tolerance=Rational(1, 20),
            slash=rules.slash,
            threshold=NOTHING,
            windows=RoundWindows(1, 1, 1, 1, 0, 1, 1),
            fraction_bits=14,
            unit_samples=1,
            units_max=1,
            attributes=False,
            zero_update=bytes(32),
        )
        chain.alliance.set_parameters(ROOT, AllianceParameters(rules.absence_slash))
        chain.alliance.create_task(signed(CREATOR), terms, rules.pool)
        chain.advance()

    def _join(self, name: str, stake: int) -> None:
        chain, who = self.chain, self.accounts[name]
        found = chain.alliance.tasks.get(TASK)
        chain.alliance.tasks.put(TASK, replace(found, terms=replace(found.terms, quantity=stake)))
        chain.fund(who, stake)
        seed = blake2b_256(name.encode())
        message = possession_message(chain.system.genesis_hash(), TASK, who)
        possession = vrf.prove(seed, message)
        chain.alliance.join(signed(who), TASK, vrf.public_key(seed), possession, 1)

    # -- a round

    def play_round(self, proposers: Sequence[str], votes: Mapping[str, int | None]) -> SettledRound:
        """Proposals of all proposers, and votes of +1 or −1; None seals nothing."""
        alliance = self.chain.alliance
        self._go_to(Stage.CHECK_IN)
        key = alliance.key_of(TASK)
        place = (key.task, key.round)
        alliance.playing.draw.seat(
            key,
            [self.accounts[name] for name in proposers],
            [self.accounts[name] for name in votes],
            0,
        )
        self._propose(place, proposers)
        self._go_to(Stage.REPORT)
        for name in votes:
            who = signed(self.accounts[name])
            alliance.report(who, *place, alliance.progress.get(TASK).mask)
        return self._vote(place, votes)

    def _propose(self, place: tuple[int, int], proposers: Sequence[str]) -> None:
        alliance, genesis = self.chain.alliance, self.chain.system.genesis_hash()
        for name in proposers:
            who, content = self.accounts[name], _update_of(name, place)
            seal = seal_proposal(genesis, place, who, content, content, SALT)
            alliance.commit_proposal(signed(who), *place, seal)
        self._go_to(Stage.DISCLOSE)
        for name in proposers:
            who, content = self.accounts[name], _update_of(name, place)
            alliance.reveal_proposal(signed(who), *place, content, content, SALT)

    def _vote(self, place: tuple[int, int], votes: Mapping[str, int | None]) -> SettledRound:
        alliance, genesis = self.chain.alliance, self.chain.system.genesis_hash()
        aggregate = _update_of("aggregate", place)
        given = {
            self.accounts[name]: Vote(vote > 0, aggregate, 0)
            for name, vote in votes.items()
            if vote is not None
        }
        self._go_to(Stage.VOTE)
        for who, ballot in given.items():
            seal = seal_vote(genesis, place, who, ballot, SALT)
            alliance.commit_vote(signed(who), *place, seal)
        events = self._go_to(Stage.OPEN) if given else []
        for who, ballot in given.items():
            alliance.reveal_vote(signed(who), *place, ballot, SALT)
        while not any(isinstance(event, RoundSettled) for event in events):
            events += self.chain.advance()
        tallied = next(event for event in events if isinstance(event, RoundTallied))
        settled = next(event for event in events if isinstance(event, RoundSettled))
        return SettledRound(tallied.outcome, self.balances(), settled.pool)

    def _go_to(self, stage: Stage) -> list[object]:
        """Blocks until the stage; their events."""
        events: list[object] = []
        while self.chain.alliance.progress.get(TASK).stage is not stage:
            events += self.chain.advance()
        return events


def finish_origin(chain: MemoryChain, pool: int) -> None:
    """The finished Arena task that the alliance's starts from; its creator gets `pool` planck."""
    none = bytes(32)
    chain.fund(CREATOR, pool)
    terms = TaskTerms(
        name="origin",
        spec=none,
        metric=Metric.ACCURACY,
        baseline=0,
        days=2,
        validation_a=none,
        validation_b=SealedDataset(none, none, Hash(none)),
        training=[],
        parents=[],
        seats=0,
        final_seats=0,
    )
    chain.tasks.create_verified_task(ROOT, CREATOR, terms)
    chain.tasks.end_task(ORIGIN, TaskStatus.COMPLETED)


def _update_of(name: str, place: tuple[int, int]) -> Hash:
    return blake2b_256(f"{name} {place}".encode())
