"""The nested splits of a day's reward: the published figures, conservation, delegation."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.pallets.arena.split import (
    RewardSplit,
    split_delegation,
    split_reward,
    split_vesting,
)
from runtime.primitives.rational import Rational
from tests.runtime.pallets.arena import exact_model

FML = 10**18
HALF = Rational(1, 2)
ZERO = Rational(0, 1)

AMOUNTS = st.integers(0, 10**27)
RATIOS = st.fractions(0, 1, max_denominator=1000)


def rational(value: Fraction) -> Rational:
    return Rational(value.numerator, value.denominator)


@pytest.mark.parametrize(
    ("gamma", "nodes", "validators"),
    [
        (HALF, 100 * FML, 100 * FML),
        (Rational(1, 4), 88461538461538461538, 111538461538461538462),
        (ZERO, 76923076923076923077, 123076923076923076923),
    ],
)
def test_published_split(gamma: Rational, nodes: int, validators: int) -> None:
    split = split_reward(200 * FML, 7500 * FML, 12000 * FML, gamma, ZERO)
    assert split == RewardSplit(0, nodes, validators)


def test_creator_takes_its_slice_first() -> None:
    split = split_reward(200 * FML, 1, 1, HALF, Rational(1, 50))
    assert split == RewardSplit(4 * FML, 98 * FML, 98 * FML)


@pytest.mark.parametrize(("node_stake", "validator_stake"), [(0, 5), (5, 0), (0, 0)])
def test_nothing_is_paid_without_stake_on_both_sides(node_stake: int, validator_stake: int) -> None:
    split = split_reward(100, node_stake, validator_stake, HALF, Rational(1, 2))
    assert split == RewardSplit(0, 0, 0)


def test_shares_above_one_are_errors() -> None:
    two = Rational(2, 1)
    with pytest.raises(ValueError, match="gamma 2/1 or the creator's share 0/1 is above 1"):
        split_reward(1, 1, 1, two, ZERO)
    with pytest.raises(ValueError, match="gamma 1/2 or the creator's share 2/1 is above 1"):
        split_reward(1, 1, 1, HALF, two)
    with pytest.raises(ValueError, match="the share ratio 2/1 is above 1"):
        split_delegation(1, 1, [1], two)


@pytest.mark.parametrize(
    ("amount", "delta", "parts"),
    [
        (100, Rational(1, 10), (10, 90)),
        (101, Rational(1, 2), (51, 50)),
        (7, ZERO, (0, 7)),
        (7, Rational(1, 1), (7, 0)),
    ],
)
def test_vesting(amount: int, delta: Rational, parts: tuple[int, int]) -> None:
    assert split_vesting(amount, delta) == parts


def test_published_delegation() -> None:
    parts = split_delegation(1000, 3000, [1000, 500, 500], Rational(3, 5))
    assert parts == [760, 120, 60, 60]


@pytest.mark.parametrize(("ratio", "parts"), [(ZERO, [100, 0, 0]), (Rational(1, 1), [50, 30, 20])])
def test_delegation_at_the_ends_of_the_ratio(ratio: Rational, parts: list[int]) -> None:
    assert split_delegation(100, 50, [30, 20], ratio) == parts


def test_operator_alone_has_everything() -> None:
    assert split_delegation(100, 50, [], Rational(1, 1)) == [100]


def test_a_split_of_nothing_staked_is_an_error() -> None:
    with pytest.raises(ValueError, match="cannot apportion 1 among 1 weights that sum to 0"):
        split_delegation(1, 0, [], HALF)


@given(AMOUNTS, st.integers(1, 10**27), st.integers(1, 10**27), RATIOS, RATIOS, RATIOS)
def test_parts_are_conserved_and_exact_to_one_unit(
    reward: int,
    node_stake: int,
    validator_stake: int,
    gamma: Fraction,
    creator_share: Fraction,
    delta: Fraction,
) -> None:
    split = split_reward(
        reward, node_stake, validator_stake, rational(gamma), rational(creator_share)
    )
    whole = node_stake + validator_stake
    exact = reward * (1 - creator_share) * (gamma + (1 - 2 * gamma) * Fraction(node_stake, whole))
    assert split.creator + split.nodes + split.validators == reward
    assert abs(split.creator - reward * creator_share) < 1
    assert abs(split.nodes - exact) < 1
    paid, vested = split_vesting(split.nodes, rational(delta))
    assert paid + vested == split.nodes
    assert abs(paid - split.nodes * delta) < 1


@given(AMOUNTS, st.integers(1, 10**27), st.lists(st.integers(1, 10**27), max_size=8), RATIOS)
def test_delegation_is_conserved_and_exact_to_one_unit(
    amount: int, own: int, delegations: list[int], ratio: Fraction
) -> None:
    parts = split_delegation(amount, own, delegations, rational(ratio))
    assert sum(parts) == amount
    for part, share in zip(
        parts, exact_model.delegation_shares(own, delegations, ratio), strict=True
    ):
        assert abs(part - amount * share) < 1
