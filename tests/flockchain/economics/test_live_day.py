"""`live_day` against the chain itself: what a copy foretells is what is paid, to the planck."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flockchain.economics.evaluate import evaluate
from flockchain.economics.fields import ScenarioError
from flockchain.economics.live_day import vesting_parts
from flockchain.economics.live_scenario import account_of
from flockchain.economics.live_state import LiveState
from runtime.api import runtime_at
from runtime.economy.tasks import Hardware, Role
from runtime.frame.origin import ROOT, signed
from runtime.pallets.arena.records import DayKey
from runtime.primitives.rational import Rational
from runtime.primitives.ss58 import encode_address
from runtime.primitives.types import FML
from tests.flockchain.economics.live_world import (
    SHEETS,
    address,
    begin,
    live_state,
    paid_on,
    score_day,
)
from tests.runtime.pallets.alias_world import set_ring_keys, submit_blind
from tests.runtime.pallets.world import World, account, open_key, submit


class Source:
    """A chain whose state is at hand."""

    def __init__(self, world: World) -> None:
        self._live = live_state(world)
        self.blocks: list[tuple[int, int]] = []

    def rules(self) -> LiveState:
        return self._live

    def state(self) -> LiveState:
        return self._live

    def on_block(self, done: int, total: int) -> None:
        self.blocks.append((done, total))


def ask(world: World, *settings: str, **fields: object) -> Any:
    return evaluate({"kind": "live_day", "task": 0, **fields}, settings, Source(world))


def sides(answer: Any, key: str = "payouts") -> tuple[dict[str, int], dict[str, int]]:
    """(without, with), those who get something."""
    found = answer[key].items()
    for name, each in found:
        assert int(each["difference"]) == int(each["with"]) - int(each["without"]), name
    return tuple(  # type: ignore[return-value]
        {name: int(each[side]) for name, each in found if int(each[side])}
        for side in ("without", "with")
    )


def test_without_a_change_a_copy_pays_what_the_chain_pays() -> None:
    world = begin()
    answer = ask(world)
    without, changed = sides(answer)
    score_day(world, 2)
    score_day(world, 3)
    world.go_to(4, 3)
    assert without == changed == paid_on(world, 3)
    (day,) = answer["days"]
    report = world.arena.views.day_report(0, 3)
    assert report is not None
    assert day["day"] == 3
    assert day["reward"]["without"] == str(report.result.reward)
    assert day["vested"]["with"] == str(report.result.vested)
    assert day["ranking"]["with"] == [address("n1"), address("n2")]
    assert answer["at"]["number"] == 40
    assert answer["at"]["proven"] is False


def test_a_delegation_is_paid_what_was_foretold() -> None:
    world = begin()
    backing = {"operator": address("v2"), "amount": str(70 * FML)}
    answer = ask(world, delegate=[backing])
    without, changed = sides(answer)
    world.balances.mint(account_of("you"), 71 * FML)
    world.ledger.delegate(signed(account_of("you")), 0, account("v2"), 70 * FML)
    score_day(world, 2)
    score_day(world, 3)
    world.go_to(4, 3)
    paid = paid_on(world, 3)
    paid["you"] = paid.pop(encode_address(account_of("you")))
    assert changed == paid
    assert "you" not in without
    assert answer["payouts"]["you"]["without"] == "0"
    assert int(answer["payouts"][address("idle")]["difference"]) != 0


def test_an_account_of_the_chain_delegates_its_own() -> None:
    world = begin()
    backing = {"operator": address("n1"), "amount": str(9 * FML), "by": address("idle")}
    with pytest.raises(ScenarioError, match=r"^scenario\.delegate\[0\]: TiedAccount"):
        ask(world, delegate=[{**backing, "by": address("v1")}])
    with pytest.raises(ScenarioError, match=r"^scenario\.delegate\[0\]: "):
        ask(world, delegate=[{**backing, "amount": str(10**9 * FML)}])
    answer = ask(world, delegate=[backing])
    assert "you" not in answer["payouts"]


def test_new_participants_are_paid_what_was_foretold() -> None:
    world = begin()
    for name in ("n4", "v4", "d4"):
        world.balances.mint(account(name), 500 * FML)
    joining = [
        {"role": "node", "id": address("n4"), "own": str(15 * FML), "score": 900_000_000},
        {
            "role": "validator",
            "id": address("v4"),
            "own": str(150 * FML),
            "share": "1/4",
            "delegations": {address("d4"): str(50 * FML)},
            "scores": {address("n4"): 890_000_000, address("n1"): 951_000_000},
        },
    ]
    answer = ask(world, add=joining)
    without, changed = sides(answer)
    world.register("n4", 0, Role.TRAINING_NODE, 15 * FML)
    world.tasks.register(
        signed(account("v4")), 0, Role.TASK_VALIDATOR, 150 * FML, Rational(1, 4), Hardware()
    )
    world.set_sealing_key("v4")
    world.ledger.delegate(signed(account("d4")), 0, account("v4"), 50 * FML)
    score_day(world, 2)
    submit(world, 3, 0, {"n4": "novel"})
    sheets = {name: {**sheet, "novel": 900_000_000} for name, sheet in SHEETS.items()}
    sheets["v4"] = {"novel": 890_000_000, "good": 951_000_000, **consensus_of(world, 1)}
    score_day(world, 3, sheets)
    world.go_to(4, 3)
    assert changed == paid_on(world, 3)
    assert set(changed) - set(without) == {address("n4"), address("v4"), address("d4")}
    assert answer["days"][0]["ranking"]["with"] == [address("n1"), address("n4"), address("n2")]


def consensus_of(world: World, day: int) -> dict[str, int | None]:
    """The floored consensus on the second and third model, which a newcomer takes over."""
    scores: dict[str, int | None] = {}
    for number, model in ((1, "fair"), (2, "noise")):
        found = world.arena.results.get((DayKey(0, day), number))
        scores[model] = found.numerator // found.denominator
    return scores


def test_models_keep_their_behaviour_in_tasks_that_compare_it() -> None:
    world = begin(duplicate_distance=4)
    joining = [{"role": "node", "own": str(15 * FML), "score": 900_000_000, "id": "novice"}]
    answer = ask(world, add=joining)
    without, _ = sides(answer)
    assert answer["days"][0]["ranking"]["with"] == [address("n1"), "novice", address("n2")]
    score_day(world, 2)
    score_day(world, 3)
    world.go_to(4, 3)
    assert without == paid_on(world, 3)


@pytest.mark.parametrize("days", [5, 4])
def test_aliases_that_nobody_opens_leave_their_nodes_as_they_were(days: int) -> None:
    """A model under an alias on day 3, which waits for day 4 if that is the last."""
    world = begin(days=days)
    set_ring_keys(world, ["n2"])
    score_day(world, 2)
    submit_blind(world, 3, 0, {"n2": "novel"})
    world.go_to(3, 9)
    without, changed = sides(ask(world))
    assert without == changed
    sheets = {name: {**scores, "novel": 700_000_000} for name, scores in SHEETS.items()}
    score_day(world, 3, sheets)
    if days == 4:
        open_key(world, 4, 0)
    score_day(world, 4, sheets)
    world.go_to(5, 3)
    assert without == paid_on(world, 4)


def test_somebody_new_is_given_what_it_stakes() -> None:
    world = begin()
    joining = [{"role": "node", "own": str(15 * FML), "score": 900_000_000}]
    answer = ask(world, add=joining)
    assert int(answer["payouts"]["node 1"]["with"]) > 0
    assert answer["payouts"]["node 1"]["without"] == "0"
    assert answer["days"][0]["ranking"]["with"] == [address("n1"), "node 1", address("n2")]


def test_a_change_in_the_middle_of_a_day_sees_what_is_sealed() -> None:
    """The copy begins when scores are sealed and not opened: nobody may be slashed for that."""
    world = begin()
    world.go_to(2, 10)
    made = {name: world.sheet(name, 0, scores) for name, scores in SHEETS.items()}
    for name, sheet in made.items():
        world.seal_sheet(name, 0, sheet)
    world.go_to(2, 15)
    world.open_sheet("v1", 0, made["v1"])
    without, _ = sides(ask(world))
    for name in ("v2", "v3"):
        world.open_sheet(name, 0, made[name])
    score_day(world, 3)
    world.go_to(4, 3)
    assert without == paid_on(world, 3)
    assert world.ledger.operators.get((0, account("v2"))).own.amount == 200 * FML


def test_rules_change_from_tomorrow_on() -> None:
    world = begin()
    _, changed = sides(ask(world, "lambda=2000", "gamma=0"))
    rules = world.tasks.parameters_on(2)
    world.tasks.set_parameters(
        ROOT, replace(rules, distance_lambda=Rational(2000, 1), gamma=Rational(0, 1))
    )
    score_day(world, 2)
    score_day(world, 3)
    world.go_to(4, 3)
    assert changed == paid_on(world, 3)


def test_a_decision_that_is_under_way_is_not_taken_back() -> None:
    world = begin()
    rules = replace(world.tasks.parameters_on(2), distance_lambda=Rational(2000, 1))
    world.tasks.set_parameters(ROOT, rules)
    without, changed = sides(ask(world))
    assert without == changed
    _, softer = sides(ask(world, "lambda=1"))
    assert softer != changed


def test_a_ranking_or_scores_may_be_given() -> None:
    world = begin()
    order = [address("n3"), address("n1")]
    answer = ask(world, ranking=order)
    assert answer["days"][0]["ranking"] == {
        "with": order,
        "without": [address("n1"), address("n2")],
    }
    answer = ask(world, scores={address("n2"): 960_000_000})
    assert answer["days"][0]["ranking"]["with"] == [address("n2"), address("n1")]
    assert ask(world, ranking="as yesterday")["payouts"] == ask(world)["payouts"]


def test_days_go_on_until_the_task_ends() -> None:
    world = begin()
    source = Source(world)
    answer: Any = evaluate({"kind": "live_day", "task": 0, "days": 30}, [], source)
    assert [day["day"] for day in answer["days"]] == [3, 4]
    assert answer["vesting"] == {}  # it is paid
    without, _ = sides(answer)
    score_day(world, 2)
    score_day(world, 3)
    open_key(world, 4, 0)
    score_day(world, 4)
    world.go_to(5, 3)
    paid = paid_on(world, 3)
    for name, amount in paid_on(world, 4).items():
        paid[name] = paid.get(name, 0) + amount
    assert without == paid
    done = [each for each, _ in source.blocks]
    assert done == list(range(1, len(done) + 1))
    assert 2 * 57 == len(done) <= source.blocks[0][1] == 2 * 59


def test_what_vests_by_the_mean_f_i_is_what_a_last_day_without_ranking_pays() -> None:
    world = begin()
    vesting, _ = sides(ask(world), "vesting")
    score_day(world, 2)
    score_day(world, 3)
    world.go_to(4)
    found = vesting_parts(runtime_at(live_state(world).state), 0, 3)
    assert vesting == {encode_address(who): amount for who, amount in found.items()}
    assert sum(found.values()) == world.arena.vested.get(0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"task": 9}, "scenario.task: there is no live task 9"),
        ({"task": 2**32}, "scenario.task: an integer of 32 bits, not 4294967296"),
        ({"days": 31}, "scenario.days: 1 to 30, not 31"),
        ({"add": [{"role": "miner", "own": 1}]}, "scenario.add[0].role: 'miner' is none of node"),
        ({"add": [{"role": "node", "own": 1, "score": 1}]}, "scenario.add[0]: StakeTooLow: "),
        (
            {"add": [{"role": "node", "own": str(15 * FML)}]},
            "scenario.add[0].score: what validators give node 1's model",
        ),
        (
            {"add": [{"role": "validator", "own": 1, "id": "x"}] * 2},
            "scenario.add[1].id: x joins twice",
        ),
        ({"scores": {"x": 10**9 + 1}}, "scenario.scores.x: 1000000001 is above 1000000000"),
        ({"ranking": [1]}, 'scenario.ranking: "as yesterday" or names, the best first'),
        ({"ranking": ["x"], "scores": {"x": 1}}, "scenario.scores: give scores or a ranking"),
        (
            {"delegate": [{"operator": "nobody", "amount": str(FML)}]},
            "scenario.delegate[0]: NotReg",
        ),
        ({"lambda": "10000001"}, "scenario.parameters: distance_lambda is 10000001/1, at most"),
        ({"creator_share": "1/2"}, "scenario.creator_share: no such field; there are add, "),
    ],
)
def test_refusals(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        ask(WORLD, **fields)
    assert str(refusal.value).startswith(message)


def test_a_change_must_have_a_day_to_act_on() -> None:
    world = begin(days=2)
    node = [{"role": "node", "own": str(15 * FML), "score": 900_000_000}]
    with pytest.raises(ScenarioError, match=r"^scenario\.task: its last day is today"):
        ask(world)
    earlier = begin(days=3)
    with pytest.raises(ScenarioError, match=r"^scenario\.add: on its last day a task takes no"):
        ask(earlier, add=node)


def test_it_needs_a_chain() -> None:
    with pytest.raises(ScenarioError, match=r"^scenario\.kind: live_day needs a chain: name a"):
        evaluate({"kind": "live_day", "task": 0})


WORLD = begin()
