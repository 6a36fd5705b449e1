"""Evaluates `live_day`: what a change to a live task would pay, beside what is paid without it.

Goes on with the chain twice from one state, by its own pallets: as it is, and with the change made
in the first block. The days that are compared are the first on which the change acts. Amounts are
what the settlement tells that it paid, and what accounts have of the vesting pool by the mean f_i.
Source: WP II.D (delegation), WP V.A to V.H.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from flockchain.economics.copied_chain import CopiedChain
from flockchain.economics.fields import Fields, ScenarioError
from flockchain.economics.habits import ASSUMPTIONS, Habits, Orders
from flockchain.economics.live_change import make_change, submit_models
from flockchain.economics.live_rules import rules_of_tomorrow
from flockchain.economics.live_scenario import (
    LiveScenario,
    account_of,
    find_address,
    read_scenario,
)
from flockchain.economics.live_state import LiveState
from runtime.api import runtime_at
from runtime.economy.tasks import Role, Task
from runtime.pallets.arena.events import DaySettled, Paid
from runtime.pallets.arena.payout import divide
from runtime.pallets.arena.records import Payment, PaymentKind
from runtime.pallets.fl_alliance import FlAlliance
from runtime.primitives.apportion import apportion
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import AccountId
from runtime.runtime import Runtime

Progress = Callable[[int, int], None]
"""Told after each block how many blocks of how many are played."""

Amounts = dict[AccountId, int]
_NO_ORDERS: Final = Orders(-1)
_VESTING_ASSUMPTION: Final = (
    "vesting is what accounts have of Reward B so far if the final ranking equals the mean f_i"
)


@dataclass(frozen=True, slots=True)
class _Day:
    """A settled day, planck; `ranking` the best first."""

    day: int
    reward: int
    vested: int
    ranking: list[AccountId]


@dataclass
class _Played:
    """What the compared days paid by account, and what accounts have of the pool after them."""

    payouts: Amounts = field(default_factory=dict)
    vesting: Amounts = field(default_factory=dict)
    days: list[_Day] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Span:
    """The days that are compared, both included."""

    first: int
    last: int


def evaluate_live_day(
    fields: Fields, live: LiveState, progress: Progress | None = None
) -> dict[str, object]:
    """{"payouts": {account: {"with", "without", "difference"}}, "vesting": the same of the pool,
    "days": [...], "assumptions": [...]}.

    Raises ScenarioError, also for what the chain would refuse.
    """
    runtime = runtime_at(live.state)
    scenario = read_scenario(fields, rules_of_tomorrow(runtime))
    task = runtime.tasks.tasks.find(scenario.task)
    if task is None or not task.status.is_live():
        raise ScenarioError(f"{fields.at('task')}: there is no live task {scenario.task}")
    runs = (
        _Run(live, scenario, task, is_changed=False),
        _Run(live, scenario, task, is_changed=True),
    )
    total, done = sum(run.blocks for run in runs), 0
    played = []
    for run in runs:
        for _ in run.play():
            done += 1
            if progress is not None:
                progress(min(done, total), total)
        played.append(run.played)
    return _compare(scenario, *played)


class _Run:
    """One way of going on."""

    def __init__(
        self, live: LiveState, scenario: LiveScenario, task: Task, *, is_changed: bool
    ) -> None:
        """Raises ScenarioError for a change that the chain refuses, or that acts on no day."""
        self.played = _Played()
        self._scenario = scenario
        self._is_changed = is_changed
        # Members of the FL Alliance would be slashed for what they cannot do on a copy.
        self._chain = CopiedChain(live.state, live.head.hash, still=[FlAlliance])
        self._span = _span_of(scenario, task, self._chain.arena.today())
        orders = _orders_of(scenario, task) if is_changed else _NO_ORDERS
        self._habits = Habits(self._chain, orders)
        if is_changed:
            make_change(self._chain, scenario)

    @property
    def blocks(self) -> int:
        """About how many there are to play."""
        end = self._chain.arena.config.calendar.first_block(self._span.last + 1)
        return end - self._chain.system.block_number()

    def play(self) -> Iterable[None]:
        """Go on, block by block, until the last compared day is settled."""
        chain, span, task = self._chain, self._span, self._scenario.task
        is_settled = False
        while not is_settled:
            if self._is_changed and chain.arena.today() == span.first:
                submit_models(chain, self._scenario)
            self._habits.act()
            for event in chain.advance():
                if isinstance(event, Paid):
                    self._note_paid(event)
                elif isinstance(event, DaySettled) and event.task == task:
                    self._note_settled(event.day)
                    is_settled = event.day == span.last
            assert chain.arena.today() <= span.last + 1, (
                "a day is settled before the next one's end"
            )
            yield

    def _note_paid(self, event: Paid) -> None:
        if event.task == self._scenario.task and event.day >= self._span.first:
            payouts = self.played.payouts
            payouts[event.who] = payouts.get(event.who, 0) + event.amount

    def _note_settled(self, day: int) -> None:
        if day < self._span.first:
            return
        arena, task = self._chain.arena, self._scenario.task
        report = arena.views.day_report(task, day)
        assert report is not None, "a settled day has a report"
        found = report.result
        ranking = [node.owner for node in found.ranking]
        self.played.days.append(_Day(day, found.reward, found.vested, ranking))
        self.played.vesting = vesting_parts(self._chain.runtime, task, day)


def _span_of(scenario: LiveScenario, task: Task, today: int) -> _Span:
    """From tomorrow, or the task's first day if that is later, for the scenario's days."""
    first = max(today + 1, task.start_day)
    if first > task.final_day():
        raise ScenarioError("scenario.task: its last day is today, a change acts from tomorrow on")
    has_nodes = any(joiner.role is Role.TRAINING_NODE for joiner in scenario.joiners)
    if has_nodes and first == task.final_day():
        raise ScenarioError("scenario.add: on its last day a task takes no models")
    return _Span(first, min(first + scenario.days - 1, task.final_day()))


def _orders_of(scenario: LiveScenario, task: Task) -> Orders:
    fixed = scenario.fixed_scores(task.terms.baseline)
    by_validator = {
        account_of(joiner.name): {account_of(name): score for name, score in joiner.scores.items()}
        for joiner in scenario.joiners
    }
    by_node = {account_of(name): score for name, score in fixed.items()}
    others = None if scenario.ranking is None else task.terms.baseline
    return Orders(scenario.task, by_node, by_validator, others)


def vesting_parts(runtime: Runtime, task: int, day: int) -> Amounts:
    """What accounts have of the vesting pool after a day, if it is paid by the mean f_i so far.

    As the arena pays it when the last day ranks nobody. `day` is today or yesterday.
    """
    arena, ledger = runtime.arena, runtime.delegation
    amount = arena.vested.get(task)
    records = sorted(arena.node_records.items_of(task))
    if not amount or not any(record.share_sum for _, record in records):
        return {}
    parts = apportion(amount, [record.share_sum for _, record in records])
    sums: Amounts = {}
    for (owner, _), part in zip(records, parts, strict=True):
        payment = Payment(owner, Role.TRAINING_NODE, PaymentKind.REWARD_B, part)
        for who, each in divide(payment, ledger.shares_through(task, owner, day)):
            sums[who] = sums.get(who, 0) + each
    return sums


# -- the answer


def _compare(scenario: LiveScenario, without: _Played, with_: _Played) -> dict[str, object]:
    names = _names_of(scenario)

    def name(who: AccountId) -> str:
        return names.get(who) or encode_address(who)

    return {
        "task": scenario.task,
        "payouts": _beside(without.payouts, with_.payouts, name),
        "vesting": _beside(without.vesting, with_.vesting, name),
        "days": [
            {
                "day": changed.day,
                "reward": _pair(former.reward, changed.reward),
                "vested": _pair(former.vested, changed.vested),
                "ranking": {
                    "with": [name(who) for who in changed.ranking],
                    "without": [name(who) for who in former.ranking],
                },
            }
            for former, changed in zip(without.days, with_.days, strict=True)
        ],
        "assumptions": [*ASSUMPTIONS, _VESTING_ASSUMPTION],
    }


def _names_of(scenario: LiveScenario) -> dict[AccountId, str]:
    """The names that the scenario gives, by account."""
    names = [joiner.name for joiner in scenario.joiners]
    names += [name for joiner in scenario.joiners for name in joiner.delegations]
    names += [backing.by for backing in scenario.backings]
    return {account_of(each): each for each in names if find_address(each) is None}


def _beside(
    without: Amounts, with_: Amounts, name: Callable[[AccountId], str]
) -> dict[str, dict[str, str]]:
    """Both amounts by name, in the order of names."""
    found = {
        name(who): _pair(without.get(who, 0), with_.get(who, 0))
        for who in without.keys() | with_.keys()
    }
    return {key: found[key] for key in sorted(found)}


def _pair(without: int, with_: int) -> dict[str, str]:
    return {"with": str(with_), "without": str(without), "difference": str(with_ - without)}
