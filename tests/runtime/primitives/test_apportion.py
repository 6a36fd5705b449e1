"""Apportionment: published vectors, and no unit lost or invented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.primitives.apportion import apportion

WEIGHTS = st.lists(st.integers(0, 2**300), min_size=1, max_size=40).filter(any)


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        (1000, [1, 2], [333, 667]),
        (100, [1, 1, 1], [34, 33, 33]),
        (
            10**18,
            [400, 340, 289],
            [388726919339164237, 330417881438289602, 280855199222546161],
        ),
        (0, [5, 0], [0, 0]),
        (7, [0, 1, 0], [0, 7, 0]),
        (1, [1, 1], [1, 0]),
        (2, [1, 1, 1], [1, 1, 0]),
        (3, [2**200, 2**200], [2, 1]),
    ],
)
def test_vectors(total: int, weights: list[int], shares: list[int]) -> None:
    assert apportion(total, weights) == shares


@given(st.integers(0, 2**128), WEIGHTS)
def test_shares_sum_to_the_total_and_are_within_one_unit(total: int, weights: list[int]) -> None:
    shares = apportion(total, weights)
    weight_sum = sum(weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert 0 <= share - total * weight // weight_sum <= 1
        assert weight or not share


@given(st.integers(0, 2**128), WEIGHTS, st.integers(1, 2**64))
def test_only_the_proportion_of_weights_counts(total: int, weights: list[int], factor: int) -> None:
    assert apportion(total, [weight * factor for weight in weights]) == apportion(total, weights)


def test_largest_remainder_wins_before_the_lowest_index() -> None:
    # Exact shares 1.4, 2.8, 2.8: the two units go to the equal remainders .8.
    assert apportion(7, [1, 2, 2]) == [1, 3, 3]


@pytest.mark.parametrize("weights", [[], [0], [0, 0, 0]])
def test_nobody_to_pay_is_an_error(weights: list[int]) -> None:
    message = f"^cannot apportion 5 among {len(weights)} weights that sum to 0$"
    with pytest.raises(ValueError, match=message):
        apportion(5, weights)


def test_negative_input_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^cannot apportion the negative amount -1$"):
        apportion(-1, [1])
    with pytest.raises(ValueError, match=r"^cannot apportion by a negative weight$"):
        apportion(1, [2, -1])
