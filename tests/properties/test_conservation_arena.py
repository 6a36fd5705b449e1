"""Random days of the arena through the real pallets: conserved to the unit, exact to rounding."""

from typing import Any

import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from flockchain.economics.arena_task import ArenaTask, SettledDay
from flockchain.economics.day_scenario import read_day
from flockchain.economics.evaluate import evaluate
from flockchain.economics.fields import Fields
from runtime.economy.tasks import TaskStatus
from runtime.frame.traits import HoldReason
from runtime.pallets.arena.storage import pot_of
from tests.properties.exact_day import exact_day

FML = 10**18
ROUNDINGS = 3  # pot, operator, delegator: each division rounds by less than a unit
LONG_PARTS, PART_DAYS = 200, 500
NODES = [f"n{index}" for index in range(5)]
VALIDATORS = [f"v{index}" for index in range(4)]
DELEGATORS = ["a-first", "d1", "z-last"]

STAKES = st.one_of(st.just(0), st.integers(1, 10**6), st.integers(1, 10**25))
SHARES = st.fractions(0, 1, max_denominator=50).map(str)
ALPHAS = st.sampled_from(["0", "1/3", "1/2", "1", "2"])
CUTS = st.one_of(st.none(), st.integers(1, 4))


@st.composite
def operators(draw: st.DrawFn, names: list[str]) -> list[dict[str, Any]]:
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    return [
        {
            "id": name,
            "own": str(draw(STAKES)),
            "share": draw(SHARES),
            "delegations": {
                delegator: str(draw(st.integers(1, 10**25)))
                for delegator in draw(st.lists(st.sampled_from(DELEGATORS), unique=True))
            },
        }
        for name in chosen
    ]


@st.composite
def days(draw: st.DrawFn) -> dict[str, Any]:
    nodes, validators = draw(operators(NODES)), draw(operators(VALIDATORS))
    for node, place in zip(nodes, draw(st.permutations(range(len(nodes)))), strict=True):
        node["committed_at"] = place
    full_scale = draw(st.sampled_from([100, 10**6, 10**9]))
    # Few different scores, so that ties, medians and outliers come up.
    scores = st.integers(0, 20).map(lambda part: part * full_scale // 20)
    for validator in validators:
        judged = [node["id"] for node in nodes if draw(st.integers(0, 5))]
        validator["scores"] = {name: draw(scores) for name in judged}
    return {
        "kind": "arena_day",
        "reward": str(draw(st.integers(0, 10**24))),
        "q": draw(SHARES),
        "alpha_t": draw(ALPHAS),
        "alpha_v": draw(ALPHAS),
        "lambda": str(draw(st.fractions(0, 100, max_denominator=10))),
        "delta": draw(SHARES),
        "gamma": draw(SHARES),
        "k1": draw(CUTS),
        "k2": draw(CUTS),
        "baseline": draw(st.sampled_from([0, full_scale // 4])),
        "full_scale": full_scale,
        "outliers": draw(st.booleans()),
        "nodes": nodes,
        "validators": validators,
    }


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
    only_generated = [Phase.generate, Phase.shrink]

    @seed(part)
    @settings(max_examples=PART_DAYS, deadline=None, database=None, phases=only_generated)
    @given(days())
    def check(scenario: dict[str, Any]) -> None:
        ensure_exact(scenario)

    check()


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
