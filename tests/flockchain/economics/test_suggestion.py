"""The ranking of operators for a delegator, against outlooks computed by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from flockchain.economics.suggestion import Delegator, TaskOutlook, suggest
from runtime.api import runtime_at
from runtime.economy.parameters import ArenaParameters, VestingRules
from runtime.economy.tasks import Role
from runtime.frame.externalities import DictState
from runtime.frame.origin import signed
from runtime.pallets.arena.events import Paid
from runtime.pallets.arena.records import PaymentKind
from runtime.pallets.delegation.ratio import RatioFrom
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML, AccountId
from runtime.yields import YIELD_UNIT, OperatorYield, SlashedOn, TaskBooks
from tests.flockchain.economics.delegated_task import play_delegated
from tests.runtime.pallets.world import World, account, open_key, score
from tests.runtime.played_state import SAME, play, top_of

THIRD = Rational(1, 3)


def outlook_of(state: DictState, rules: ArenaParameters | None = None) -> TaskOutlook:
    runtime = runtime_at(state)
    yields = TaskBooks(runtime, 0, 30).yields()
    rules = runtime.tasks.parameters_on(yields.today + 1) if rules is None else rules
    return TaskOutlook(yields, runtime.tasks.get_task(0), rules)


@pytest.fixture(scope="module")
def outlook() -> TaskOutlook:
    """After the second of three days: nodes and validators with delegations, v2 slashed."""
    state = play_delegated().settled[2][-1].state
    assert isinstance(state, DictState)
    return outlook_of(state)


def changed(outlook: TaskOutlook, name: str, **changes: object) -> TaskOutlook:
    """The outlook with another row of one operator."""
    rows = [
        replace(row, **changes) if row.operator == account(name) else row  # type: ignore[arg-type]
        for row in outlook.yields.operators
    ]
    return replace(outlook, yields=replace(outlook.yields, operators=rows))


def row_of(outlook: TaskOutlook, name: str) -> OperatorYield:
    return next(row for row in outlook.yields.operators if row.operator == account(name))


def named(who: AccountId) -> str:
    return who.rstrip(b".").decode()


def test_the_best_come_first_and_idle_ones_last(outlook: TaskOutlook) -> None:
    ranking = suggest([outlook], 10 * FML, None)
    names = [named(each.row.operator) for each in ranking.suggestions]
    assert set(names) == {"creator", "n1", "n2", "n3", "v1", "v2", "v3"}
    assert names[:2] == ["n1", "n2"]
    daily = [each.daily for each in ranking.suggestions]
    assert (names[-2:], daily[-2:]) == (["n3", "v1"], [0, 0])  # not ranked; an outlier
    assert daily == sorted(daily, reverse=True)
    assert ranking.left_out == {}


def test_the_outlook_of_a_node_by_hand(outlook: TaskOutlook) -> None:
    amount, row = 10 * FML, row_of(outlook, "n1")
    (found,) = [
        each
        for each in suggest([outlook], amount, None).suggestions
        if each.row.operator == account("n1")
    ]
    stake = row.own + row.delegated
    # alpha is 1: the part of all weight dilutes every planck behind the operator.
    daily = Fraction(row.paid, outlook.yields.nodes.paid)
    share = Fraction(3, 5) * amount / YIELD_UNIT
    assert found.ratio == Rational(3, 5)
    assert found.paid == int(share * row.staked.paid / (1 + daily * amount / stake))
    # Reward B of three days, two of which have vested; the amount counts on the third. Stake-days:
    # those of two days, and of today's stake and the amount on the last one.
    part = Fraction(row.vesting, outlook.yields.vested)
    grown = Fraction(stake + amount, 1) / (stake + part * amount)
    part = part * (2 + grown) / 3
    pool = Fraction(outlook.yields.vested * 3, 2)
    stake_days = row.stake_days + stake + amount
    assert row.stake_days == (10 + 10) * FML * 2
    assert stake == (10 + 8) * FML  # a delegator took 2 FML back today
    assert found.expected == int(Fraction(3, 5) * amount * part * pool / stake_days)
    assert found.yearly == 365 * found.daily
    assert found.days_left == 1


def test_the_amount_dilutes_its_own_yield(outlook: TaskOutlook) -> None:
    small, large = (suggest([outlook], amount, None) for amount in (FML, 1_000 * FML))
    for few, many in zip(small.suggestions, large.suggestions, strict=True):
        assert many.daily <= 1_000 * few.daily + 1_000
    # A thousand FML behind a node of 18 cannot earn more than all that its role is paid.
    assert large.suggestions[0].paid < outlook.yields.nodes.paid


@pytest.mark.parametrize(
    ("alpha", "growth"), [(Rational(0, 1), 1), (Rational(1, 2), 2), (Rational(2, 1), 16)]
)
def test_alpha_says_how_a_larger_stake_is_paid(
    outlook: TaskOutlook, alpha: Rational, growth: int
) -> None:
    rules = replace(outlook.rules, vesting=VestingRules(node_alpha=alpha))
    row = row_of(outlook, "n1")
    stake = row.own + row.delegated
    ranking = suggest([replace(outlook, rules=rules)], 3 * stake, None)  # four times the stake
    found = next(each for each in ranking.suggestions if each.row.operator == account("n1"))
    part = Fraction(row.paid, outlook.yields.nodes.paid)
    factor = Fraction(growth) / (1 + part * (growth - 1)) / 4
    share = Fraction(3, 5) * 3 * stake / YIELD_UNIT
    assert found.paid == int(share * row.staked.paid * factor)


def test_a_creators_slice_does_not_grow(outlook: TaskOutlook) -> None:
    row = row_of(outlook, "creator")
    amount = row.own + row.delegated
    found = next(
        each
        for each in suggest([outlook], amount, None).suggestions
        if each.row.role is Role.CREATOR
    )
    assert found.paid == int(Fraction(amount * row.staked.paid, 4 * YIELD_UNIT))  # half of a half
    assert found.expected == 0


def test_ties_and_the_account_itself_are_left_out(outlook: TaskOutlook) -> None:
    def backable(name: str, role: Role) -> set[str]:
        delegator = Delegator(account(name), {0: role}, frozenset())
        ranking = suggest([outlook], FML, delegator)
        return {named(each.row.operator) for each in ranking.suggestions}

    assert backable("n1", Role.TRAINING_NODE) == {"creator", "n2", "n3"}
    assert backable("v1", Role.TASK_VALIDATOR) == {"creator", "v2", "v3"}
    assert backable("creator", Role.CREATOR) == {"n1", "n2", "n3", "v1", "v2", "v3"}
    ranking = suggest(
        [outlook], FML, Delegator(account("v1"), {0: Role.TASK_VALIDATOR}, frozenset())
    )
    assert ranking.left_out == {
        "are the account itself": 1,
        "the account's own role in the task forbids": 3,
    }
    stranger = Delegator(account("d3"), {}, frozenset())
    assert len(suggest([outlook], FML, stranger).suggestions) == 7


def test_full_operators_are_only_for_who_backs_them_already(outlook: TaskOutlook) -> None:
    full = changed(outlook, "n1", slots_left=0)
    assert suggest([full], FML, None).left_out == {"have no free slot": 1}
    backer = Delegator(account("d1"), {}, frozenset({(0, account("n1"))}))
    assert suggest([full], FML, backer).left_out == {}


def test_what_left_or_ends_is_left_out(outlook: TaskOutlook) -> None:
    gone = changed(outlook, "n2", own=0)
    assert suggest([gone], FML, None).left_out == {"have no stake of their own": 1}
    over = replace(outlook, yields=replace(outlook.yields, today=3))
    ranking = suggest([over], FML, None)
    assert ranking.suggestions == ()
    assert ranking.left_out == {"could earn on no further day: the task ends today": 7}


def test_warnings(outlook: TaskOutlook) -> None:
    announced = changed(
        outlook,
        "n1",
        announced=[RatioFrom(3, Rational(4, 5)), RatioFrom(9, THIRD)],
        own=FML,
        days=30,
        slashes=[SlashedOn(1, THIRD), SlashedOn(2, THIRD)],
    )
    far = replace(announced, yields=replace(announced.yields, final_day=10))
    found = next(
        each for each in suggest([far], FML, None).suggestions if each.row.operator == account("n1")
    )
    assert found.ratio == Rational(4, 5)  # the rise acts tomorrow
    assert found.warnings == (
        "share cut to 1/3 from day 9",
        "slashed on day 1, 2",
        "own stake below the minimum",
    )
    found = next(
        each
        for each in suggest([outlook], FML, None).suggestions
        if each.row.operator == account("n1")
    )
    assert found.warnings == ("2 days of history", "task ends in 1 day")


def test_the_outlook_is_what_a_further_day_pays() -> None:
    world: World = play(days=1)
    world.go_to(2, 1)
    world.tasks.set_share_ratio(signed(account("n1")), 0, Rational(1, 1))
    ranking = suggest([outlook_of(DictState(top_of(world)))], 10 * FML, None)
    foretold = next(each for each in ranking.suggestions if each.row.operator == account("n1"))
    world.ledger.delegate(signed(account("idle")), 0, account("n1"), 10 * FML)
    score(world, 2, 0, SAME)
    open_key(world, 3, 0)
    score(world, 3, 0, SAME)
    paid = {
        event.kind: event.amount
        for event in world.events(Paid)
        if isinstance(event, Paid) and event.who == account("idle")
    }
    # The whole of its part of the node's day, which twice the stake has made larger.
    amount = paid[PaymentKind.REWARD_A]
    assert abs(amount - foretold.paid) <= 10  # a yield is floored to 10^-18
    assert abs(amount - 4_900 * FML * 200 // 740) <= 10
    # Reward B goes by the last day's ranks, which the mean f_i comes near, by the stakes and by the
    # share ratios of all days: 0, 0 and 1.
    assert foretold.days_left == 1
    assert abs(paid[PaymentKind.REWARD_B] - foretold.expected) * 20 < paid[PaymentKind.REWARD_B]


def test_the_share_ratios_of_all_days_divide_reward_b(outlook: TaskOutlook) -> None:
    """Three fifths until day 4, a fifth from then on, in a task that ends on day 6."""

    def expected(final_day: int, announced: list[RatioFrom]) -> Fraction:
        found = changed(outlook, "n1", announced=announced)
        found = replace(found, yields=replace(found.yields, final_day=final_day))
        row = next(
            each
            for each in suggest([found], FML, None).suggestions
            if each.row.operator == account("n1")
        )
        return Fraction(row.expected)

    cut = expected(6, [RatioFrom(5, Rational(1, 5))])
    full = expected(6, [])
    mean = Fraction(4 * 3 + 2 * 1, 6 * 5)
    assert abs(cut - full * mean / Fraction(3, 5)) <= 2
    assert expected(6, [RatioFrom(7, THIRD)]) == full  # after the end
