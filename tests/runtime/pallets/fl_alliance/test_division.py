"""Algorithm 2 in whole units: shares by balance, floored losses, nothing lost or made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.pallets.fl_alliance.division import divide, loss, pool_share
from runtime.pallets.fl_alliance.stages import Standing
from runtime.primitives.rational import Rational

GOOD, LOSING, ABSENT, EXEMPT = Standing
TENTH, QUARTER = Rational(1, 10), Rational(1, 4)


def test_shares_of_the_pool() -> None:
    assert [pool_share(100, 3, round_) for round_ in range(3)] == [33, 50, 100]
    assert pool_share(0, 5, 4) == 0


def test_good_ones_share_by_balance_and_the_others_lose() -> None:
    standings = [GOOD, LOSING, ABSENT, EXEMPT, GOOD]
    amounts = divide(100, [100, 109, 109, 50, 300], standings, TENTH, QUARTER)
    assert amounts == [25, 10, 27, 0, 75]


def test_odd_units_go_to_the_largest_remainder_then_to_the_first() -> None:
    assert divide(100, [1, 1, 1], [GOOD] * 3, TENTH, TENTH) == [34, 33, 33]
    assert divide(2, [1, 2, 1], [GOOD] * 3, TENTH, TENTH) == [1, 1, 0]


def test_without_anybody_good_nothing_is_paid() -> None:
    assert divide(100, [10, 20], [LOSING, EXEMPT], TENTH, TENTH) == [1, 0]
    assert divide(100, [0, 20], [GOOD, ABSENT], TENTH, TENTH) == [0, 2]
    assert divide(100, [], [], TENTH, TENTH) == []


def test_a_loss_needs_a_rate() -> None:
    assert (loss(99, None), loss(99, TENTH), loss(99, Rational(1, 1))) == (0, 9, 99)


@given(
    st.integers(0, 10**30),
    st.lists(st.tuples(st.integers(0, 10**27), st.sampled_from(list(Standing))), max_size=40),
    st.fractions(0, 1, max_denominator=10**6),
)
def test_gains_add_up_and_no_loss_exceeds_its_balance(
    reward: int, participants: list[tuple[int, Standing]], rate: object
) -> None:
    slash = Rational(rate.numerator, rate.denominator)  # type: ignore[attr-defined]
    balances = [balance for balance, _ in participants]
    standings = [standing for _, standing in participants]
    amounts = divide(reward, balances, standings, slash, TENTH)
    gains = [
        amount for amount, standing in zip(amounts, standings, strict=True) if standing is GOOD
    ]
    losses = [
        (amount, balance)
        for amount, balance, standing in zip(amounts, balances, standings, strict=True)
        if standing is not GOOD
    ]
    good = sum(b for b, standing in participants if standing is GOOD)
    assert sum(gains) == (reward if good else 0)
    assert all(0 <= amount <= balance for amount, balance in losses)


@pytest.mark.parametrize("slash", [Rational(0, 1), Rational(1, 1)])
def test_the_extreme_rates(slash: Rational) -> None:
    assert divide(0, [7], [LOSING], slash, TENTH) == [7 * slash.numerator]
