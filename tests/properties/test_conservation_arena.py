"""Random days of the arena through the real pallets: conserved to the unit, exact to rounding."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flockchain.economics.arena_task import ArenaTask, SettledDay
from flockchain.economics.day_scenario import read_day
from flockchain.economics.evaluate import evaluate
from flockchain.economics.fields import Fields
from runtime.economy.tasks import TaskStatus
from runtime.frame.traits import HoldReason
from runtime.pallets.arena.storage import pot_of
from tests.properties.exact_day import exact_day
from tests.properties.random_day import DELEGATORS, Drawn, Seeded, random_day

FML = 10**18
ROUNDINGS = 3  # pot, operator, delegator: each division rounds by less than a unit
LONG_PARTS, PART_DAYS = 200, 500


@st.composite
def days(draw: st.DrawFn) -> dict[str, Any]:
    return random_day(Drawn(draw))


def ensure_exact(scenario: dict[str, Any]) -> None:
    """The ledger's integers are those of the formulas, but for rounding."""
    answer: Any = evaluate(scenario)
    payouts, vesting, ranking = exact_day(scenario)
    assert answer["ranking"] == ranking
    assert abs(int(answer["vesting"]) - vesting) < ROUNDINGS
    backed = len(scenario["nodes"]) + len(scenario["validators"])
    for name in {*payouts, *answer["payouts"]}:
        limit = ROUNDINGS * (backed if name in DELEGATORS else 1)
        assert abs(int(answer["payouts"].get(name, "0")) - payouts.get(name, 0)) < limit, name


@settings(max_examples=80, deadline=None)
@given(days())
def test_a_day_agrees_with_the_whitepapers_formulas(scenario: dict[str, Any]) -> None:
    ensure_exact(scenario)


@pytest.mark.long
@pytest.mark.parametrize("part", range(LONG_PARTS))
def test_many_days_agree_with_the_whitepapers_formulas(part: int) -> None:
    """A hundred thousand days; `-k` chooses as many parts as there is time for."""
    for number in range(part * PART_DAYS, (part + 1) * PART_DAYS):
        scenario = random_day(Seeded(Random(number)))
        try:
            ensure_exact(scenario)
        except AssertionError as error:
            raise AssertionError(f"day {number}: {scenario}") from error


@settings(max_examples=40, deadline=None)
@given(days(), st.data())
def test_a_whole_task_conserves_every_unit(scenario: dict[str, Any], data: st.DataObject) -> None:
    fields = Fields(scenario, "scenario")
    fields.allow("kind")
    task = ArenaTask(read_day(fields), days=3)
    chain = task.chain
    before, settled = chain.balances.issuance(), list[SettledDay]()
    validators = {each["id"]: each["scores"] for each in scenario["validators"]}
    for _ in range(3):
        silent = data.draw(st.sets(st.sampled_from(sorted(validators))))
        judging = {name: scores for name, scores in validators.items() if name not in silent}
        settled.append(task.play_day(judging))
        chain.try_state()
    paid = sum(
        amount for day in settled for kind in day.payments.values() for amount in kind.values()
    )
    assert chain.balances.issuance() == before + paid
    assert chain.balances.free(pot_of(0)) == 0
    assert chain.arena.vested.get(0) == 0
    assert chain.tasks.get_task(0).status in (TaskStatus.COMPLETED, TaskStatus.FAILED)
    assert chain.emission.minted.get() <= 3 * int(scenario["reward"])
    for account in task.accounts.values():
        assert chain.balances.held(HoldReason.STAKE, account) == 0
