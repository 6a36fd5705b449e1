"""Every parameter: a passed proposal changes it, nothing else does, and payouts follow.

The records are walked, so that a parameter that somebody adds is tested here without being listed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

import runtime
from flockchain.cli.gov_rules import changed_rules
from runtime import frame
from runtime.economy.governance import Track
from runtime.economy.parameters import ArenaParameters, VestingRules
from runtime.economy.tasks import Hardware, Role
from runtime.frame.errors import BadOrigin
from runtime.frame.origin import signed
from runtime.frame.pallet import CallEntry
from runtime.pallets.emission import EmissionParameters
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from runtime.runtime import PALLETS
from runtime.track_calls import ON_TRACK
from tests.flockchain.economics.live_world import SHEETS, begin, score_day
from tests.runtime.block_chain import call_of
from tests.runtime.pallets.governance.dao_world import Dao, account
from tests.runtime.pallets.world import World
from tests.runtime.pallets.world import account as named

SETTERS: Final = {
    pallet.__name__: entry
    for pallet in PALLETS
    for entry in pallet.calls.values()
    if entry.name == "set_parameters"
}
CALLS: Final = {entry.indices: entry for pallet in PALLETS for entry in pallet.calls.values()}
OF_DAO: Final = sorted(indices for listed in ON_TRACK.values() for indices in listed)


def leaves(record: Any, prefix: str = "") -> Iterator[str]:
    """The names of a record's parameters, with dots."""
    for field in fields(record):
        value, name = getattr(record, field.name), f"{prefix}{field.name}"
        if is_dataclass(value) and not isinstance(value, Rational):
            yield from leaves(value, f"{name}.")
        else:
            yield name


def moved(value: Any) -> Any:
    """Another value, a little off."""
    if value is None:
        return 1
    if isinstance(value, list):
        return [Track.TREASURY] if not value else []
    if isinstance(value, Rational):
        if not value.numerator:
            return Rational(1, 1_000)
        return Rational.reduced(value.numerator, value.denominator + 1)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{each.name: moved(getattr(value, each.name)) for each in fields(value)}
        )
    assert isinstance(value, int)
    return value + 1


@pytest.mark.parametrize("name", sorted(SETTERS))
def test_a_passed_proposal_changes_every_parameter(name: str) -> None:
    world, entry = Dao(), SETTERS[name]
    pallet: Any = world.runtime.pallet(entry.pallet)
    before = pallet.parameters.get()
    wanted = moved(before)
    assert all(
        getattr(wanted, field.name) != getattr(before, field.name) for field in fields(before)
    )
    world.lock("ann", 400 * FML)
    world.next()
    number = world.open_vote("ben", track=Track.PARAMETERS, call=call_of(entry.function, wanted))
    world.vote("ann", number)
    world.close()
    assert pallet.parameters.get() == before, "a vote alone changes nothing"
    world.enact()
    tasks = world.runtime.tasks
    found = tasks.parameters_on(tasks.today() + 1) if name == "Tasks" else pallet.parameters.get()
    assert found == wanted


@pytest.mark.parametrize("indices", OF_DAO)
def test_nobody_makes_a_call_of_the_dao_with_a_signature(indices: tuple[int, int]) -> None:
    entry: CallEntry = CALLS[indices]
    pallet = Dao().runtime.pallet(entry.pallet)
    with pytest.raises(BadOrigin):
        entry.function(pallet, signed(account("ann")), *[None] * len(entry.parameters))


def test_only_the_dao_and_genesis_write_parameters() -> None:
    """No pallet's code but `set_parameters` and `genesis_build` puts a record of parameters."""
    writers = set()
    for path in sorted((Path(runtime.__file__).parent / "pallets").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef) and any(map(_puts, ast.walk(function))):
                writers.add(function.name)
    assert writers == {"set_parameters", "genesis_build"}


def _puts(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    item = node.func.value
    return (
        node.func.attr == "put"
        and isinstance(item, ast.Attribute)
        and item.attr in ("parameters", "scheduled_parameters")
    )


# -- payouts

SPLITS: Final = {
    "vesting.rank_ratio": "1/2",
    "vesting.node_alpha": "3",
    "vesting.ranked_max": "1",
    "distance_lambda": "500",
    "validator_alpha": "3",
    "paid_validators_max": "1",
    "gamma": "1/10",
    "outlier_kappa": "none",
    "outlier_tolerance": "900000000",
    "no_reveal_slash": "1/3",
    "no_commit_slash": "1/3",
    "creator_share": "1/3",
}
"""What each parameter of the day's settlement is set to; all show on the day after."""
ELSEWHERE: Final = {
    "vesting.paid_daily": "of tasks that are created later",
    "creator_decay": "acts from the second month on",
    "share_ratio.usual": "of who registers",
    "share_ratio.least": "of who registers",
    "share_ratio.most": "of who registers",
}
WRONG: Final = {**SHEETS, "v3": {"good": 100_000_000, "fair": 100_000_000, "noise": 900_000_000}}


def play(change: str | None) -> tuple[dict[str, int], dict[str, int]]:
    """What everybody owns after day 2 and after day 3, with the change decided on day 2."""
    world = begin()
    if change is not None:
        rules = changed_rules(world.tasks.parameters_on(2), [change])
        world.tasks.set_parameters(frame.ROOT, rules)
    score_day(world, 2)
    world.go_to(3)
    second = owned(world)
    name = "" if change is None else change.partition("=")[0]
    misbehave(world, name)
    world.go_to(4)
    return second, owned(world)


def misbehave(world: World, name: str) -> None:
    """Day 3, on which somebody does what the parameter is about."""
    sheets = WRONG if name.startswith("outlier") else SHEETS
    world.go_to(3, 10)
    made = {who: world.sheet(who, 0, scores) for who, scores in sheets.items()}
    if name == "no_commit_slash":
        made.pop("v3")
    for who, sheet in made.items():
        world.seal_sheet(who, 0, sheet)
    if name == "no_reveal_slash":
        made.pop("v3")
    world.go_to(3, 14)
    for who, sheet in made.items():
        world.open_sheet(who, 0, sheet)


def owned(world: World) -> dict[str, int]:
    names = ("creator", "idle", "n1", "n2", "n3", "v1", "v2", "v3")
    return {name: world.owned(name) for name in names}


def test_every_parameter_of_the_arena_is_looked_at() -> None:
    known = set(leaves(ArenaParameters(vesting=VestingRules())))
    assert known == SPLITS.keys() | ELSEWHERE.keys()


@pytest.mark.parametrize("name", sorted(SPLITS))
def test_the_next_days_payouts_follow_and_todays_do_not(name: str) -> None:
    unchanged = f"{name}={_text(name)}"
    before, without = play(unchanged)
    same, with_ = play(f"{name}={SPLITS[name]}")
    assert same == before, "day 2 is settled by the rules that it began with"
    assert with_ != without, "day 3 by the new ones"


def _text(name: str) -> str:
    """The parameter as it is, so that the day is played alike."""
    value: Any = begin().tasks.parameters_on(2)
    for part in name.split("."):
        value = getattr(value, part)
    return "none" if value is None else str(value)


def test_what_a_day_pays_at_once_is_that_of_the_tasks_creation() -> None:
    world = begin()
    rules = changed_rules(world.tasks.parameters_on(2), ["vesting.paid_daily=1/3"])
    world.tasks.set_parameters(frame.ROOT, rules)
    world.go_to(3)
    made = world.tasks.get_task(0)
    world.tasks.create_verified_task(frame.ROOT, named("creator"), made.terms)
    assert made.vesting.paid_daily == Rational(1, 10)
    assert world.tasks.get_task(1).vesting.paid_daily == Rational(1, 3)


def test_the_creators_share_decays_from_the_second_month_on() -> None:
    rules = changed_rules(ArenaParameters(), ["creator_decay=1/2"])
    assert rules.creator_share_in(0) == ArenaParameters().creator_share_in(0)
    assert rules.creator_share_in(1) == Rational(1, 100)


def test_share_ratios_bind_who_registers_from_the_next_day_on() -> None:
    world = begin()
    changes = ["share_ratio.least=1/4", "share_ratio.most=3/4", "share_ratio.usual=2/3"]
    rules = changed_rules(world.tasks.parameters_on(2), changes)
    world.tasks.set_parameters(frame.ROOT, rules)

    def register(name: str, ratio: Rational | None) -> None:
        who, hardware = signed(named(name)), Hardware(memory_gib=8)
        world.tasks.register(who, 0, Role.TRAINING_NODE, 10 * FML, ratio, hardware)

    world.balances.mint(named("early"), 100 * FML)
    world.balances.mint(named("late"), 100 * FML)
    register("early", Rational(1, 1))
    world.go_to(3)
    for ratio in (Rational(1, 5), Rational(4, 5)):
        with pytest.raises(frame.DispatchError):
            register("late", ratio)
    register("late", None)
    found = world.ledger.operators.get((0, named("late")))
    assert found.ratio.at(4) == Rational(2, 3)


def test_emission_follows_the_exponent_at_once_and_the_curve_with_the_month() -> None:
    shares = []
    for exponent in (Rational(1, 1), Rational(2, 1)):
        world = begin()
        world.tasks.create_verified_task(
            frame.ROOT, named("creator"), world.tasks.get_task(0).terms
        )
        world.emission.set_parameters(
            frame.ROOT, EmissionParameters(daily=7 * FML, stake_exponent=exponent)
        )
        assert world.emission.emission_of(29) == 100_000 * FML
        assert world.emission.emission_of(30) == 7 * FML
        world.go_to(3)
        shares.append([each.amount for each in world.emission.allotments.get(3).arena])
    assert shares[0] != shares[1]
    assert sum(shares[0]) == sum(shares[1])
