"""One verified arena task on an in-memory chain, played day by day through the pallets' own calls.

Owns the story of a task: created, joined and backed on the eve, submitted on the first day, scored
every day, Dataset B opened on the last. Scores are entered as opened ballots, since a scenario may
leave scores out that a sealed sheet could not.
Source: WP Fig. 3 (workflow), WP V.E to V.H.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from flockchain.economics.day_scenario import DayScenario, Operator
from flockchain.economics.fields import ScenarioError
from flockchain.economics.memory_chain import CALENDAR, MemoryChain
from runtime import frame
from runtime.economy.tasks import Hardware, Metric, Role, SealedDataset, TaskTerms
from runtime.frame.origin import ROOT, signed
from runtime.pallets.arena.events import Paid
from runtime.pallets.arena.records import (
    Account,
    Ballot,
    DayKey,
    PaymentKind,
    Score,
    SubmittedModel,
)
from runtime.pallets.arena.seals import seal_submission
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.rational import Rational
from runtime.primitives.types import AccountId

TASK: Final = 0
CREATOR: Final = AccountId(b"\xff" * 32)
DATASET_KEY: Final = bytes(32)
SALT: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class SettledDay:
    """What a day paid: amounts in base units by kind and name; `vested` in the pool that day.

    `created` is the creator's slice.
    """

    payments: Mapping[PaymentKind, Mapping[str, int]]
    created: int
    vested: int
    ranking: tuple[str, ...]

    def of_kinds(self, *kinds: PaymentKind) -> dict[str, int]:
        """Payments of some kinds by name, summed."""
        sums: dict[str, int] = {}
        for kind in kinds:
            for name, amount in self.payments.get(kind, {}).items():
                sums[name] = sums.get(name, 0) + amount
        return sums


class ArenaTask:
    """A task of `days` days that gets the scenario's reward every day."""

    def __init__(self, scenario: DayScenario, days: int) -> None:
        """Set the task up and play until its first day. Raises: ScenarioError."""
        self.scenario = scenario
        self.chain = MemoryChain(scenario.reward)
        self.accounts = scenario.accounts()
        self._names = {account: name for name, account in self.accounts.items()}
        self._numbers: dict[str, int] = {}  # submission by node
        self.chain.set_parameters(
            replace(
                scenario.parameters, no_commit_slash=Rational(0, 1), no_reveal_slash=Rational(0, 1)
            )
        )
        self._create(days)
        for node in scenario.nodes:
            self._join(node, Role.TRAINING_NODE)
        for validator in scenario.validators:
            self._join(validator, Role.TASK_VALIDATOR)
        self.chain.advance_to(0)
        self._submit()

    # -- the eve of the first day

    def _create(self, days: int) -> None:
        dataset = SealedDataset(bytes(32), bytes(32), blake2b_256(DATASET_KEY))
        terms = TaskTerms(
            name="scenario",
            spec=bytes(32),
            metric=Metric.ACCURACY,
            baseline=self.scenario.baseline,
            days=days,
            validation_a=bytes(32),
            validation_b=dataset,
            training=[],
            parents=[],
            seats=0,
            final_seats=0,
        )
        self.chain.fund(CREATOR, 0)
        self.chain.tasks.create_verified_task(ROOT, CREATOR, terms)

    def _join(self, operator: Operator, role: Role) -> None:
        who = self.accounts[operator.name]
        self.chain.fund(who, operator.own)
        try:
            self.chain.tasks.register(
                signed(who), TASK, role, operator.own, operator.share, Hardware()
            )
            if role is Role.TASK_VALIDATOR:
                self.chain.set_sealing_key(who)
            for name, amount in sorted(operator.delegations.items()):
                delegator = self.accounts[name]
                self.chain.fund(delegator, amount)
                self.chain.ledger.delegate(signed(delegator), TASK, who, amount)
        except frame.DispatchError as error:
            raise ScenarioError(f"{operator.name}: {type(error).__doc__ or error}") from None

    # -- the first day

    def _submit(self) -> None:
        """Every node with stake seals one model, in the order of `committed_at`, and opens it."""
        chain = self.chain
        nodes = sorted(self.scenario.nodes, key=lambda node: node.committed_at)
        entrants = [node for node in nodes if node.own + sum(node.delegations.values())]
        genesis = chain.system.genesis_hash()
        for number, node in enumerate(entrants):
            who = self.accounts[node.name]
            seal = seal_submission(genesis, TASK, Account(who), _model_of(node.name), SALT)
            chain.arena.commit_submission(signed(who), TASK, seal)
            self._numbers[node.name] = number
        chain.advance_to(CALENDAR.submit_end)
        for node in entrants:
            who, made = self.accounts[node.name], _model_of(node.name)
            chain.arena.reveal_submission(
                signed(who), TASK, made.content, made.ciphertext, made.size_bytes, SALT
            )

    # -- every day

    def change_stake(self, name: str, amount: int) -> None:
        """Make an operator's own stake `amount` from the next day on."""
        who, ledger = self.accounts[name], self.chain.ledger
        found = ledger.operators.get((TASK, who)).own.amount
        if amount > found:
            self.chain.fund(who, amount - found)
            ledger.bond_extra(signed(who), TASK, amount - found)
        elif amount < found:
            ledger.unbond(signed(who), TASK, found - amount)

    def play_day(self, scores: Mapping[str, Mapping[str, int]]) -> SettledDay:
        """Score by validator and node, settle, and go on to the next day.

        After the last day the task is over.
        """
        chain = self.chain
        day = chain.tasks.today()
        task = chain.tasks.get_task(TASK)
        chain.advance_to(CALENDAR.commit_end)
        self._enter(DayKey(TASK, day), scores)
        before = chain.arena.vested.get(TASK)
        events = chain.advance_to(CALENDAR.day_blocks - 1)
        if day == task.final_day() - 1:
            chain.tasks.reveal_key(signed(CREATOR), TASK, DATASET_KEY)
        events += chain.advance_to(0)
        report = chain.arena.views.day_report(TASK, day)
        assert report is not None, "a day is settled before the next one begins"
        is_last = day == task.final_day()
        vested = 0 if is_last else chain.arena.vested.get(TASK) - before
        ranking = tuple(self._names[node.owner] for node in report.result.ranking)
        created = report.result.for_creator
        return SettledDay(self._sum_payments(events), created, vested, ranking)

    def _enter(self, key: DayKey, scores: Mapping[str, Mapping[str, int]]) -> None:
        arena = self.chain.arena
        ballots: dict[int, list[Ballot]] = {}
        for name in sorted(scores):
            who = self.accounts[name]
            weights = arena.scoring.weights_of(key, who)
            for node, score in scores[name].items():
                number = self._numbers.get(node)
                if number in weights:
                    ballot = Ballot(who, weights[number], Score(score))
                    ballots.setdefault(number, []).append(ballot)
        for number, given in ballots.items():
            arena.ballots.put((key, number), given)

    def _sum_payments(self, events: Sequence[object]) -> dict[PaymentKind, dict[str, int]]:
        sums: dict[PaymentKind, dict[str, int]] = {}
        for event in events:
            if isinstance(event, Paid) and event.who != CREATOR:
                of_kind = sums.setdefault(event.kind, {})
                name = self._names[event.who]
                of_kind[name] = of_kind.get(name, 0) + event.amount
        return sums


def _model_of(name: str) -> SubmittedModel:
    content = blake2b_256(name.encode())
    return SubmittedModel(content, content, 1)
