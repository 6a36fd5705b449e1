"""The vote and the weights, exactly: tolerances, slow decay, and claims of too many samples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.economy.alliance import capped_weights, is_good_enough, lower_median
from runtime.economy.parameters import SCORE_MAX
from runtime.primitives.rational import Rational

TWENTIETH = Rational(1, 20)
EIGHTY = 800_000_000


@pytest.mark.parametrize(
    ("score", "previous", "best", "accepts"),
    [
        (760_000_000, EIGHTY, EIGHTY, True),
        (759_900_000, EIGHTY, EIGHTY, False),
        (759_999_999, EIGHTY, EIGHTY, False),
        (720_000_000, 757_894_736, EIGHTY, True),  # (1 − 2ε) of the best exactly
        (719_999_999, 757_894_735, EIGHTY, False),
        (0, 0, 0, True),
        (0, 0, 1, False),
        (0, 1, 1, False),
        (SCORE_MAX, SCORE_MAX, SCORE_MAX, True),
    ],
)
def test_the_vote(score: int, previous: int, best: int, accepts: bool) -> None:
    assert is_good_enough(score, previous, best, TWENTIETH) is accepts


def test_a_wide_tolerance_leaves_only_the_first_bound() -> None:
    wide = Rational(3, 4)
    assert is_good_enough(200, 800, SCORE_MAX, wide)
    assert not is_good_enough(199, 800, SCORE_MAX, wide)
    assert is_good_enough(0, 0, SCORE_MAX, wide)


@pytest.mark.parametrize("bad", [-1, SCORE_MAX + 1])
def test_scores_out_of_range_are_refused(bad: int) -> None:
    for scores, name in (((bad, 1, 1), "score"), ((1, bad, 1), "previous"), ((1, 1, bad), "best")):
        with pytest.raises(ValueError, match=rf"^{name} {bad} lies outside of 0 to 1000000000$"):
            is_good_enough(*scores, TWENTIETH)


def test_a_slow_ratchet_stops_within_two_tolerances() -> None:
    best = previous = EIGHTY
    accepted = 0
    for _ in range(40):
        score = previous - previous // 20 + 1  # a little better than the least that may follow
        if is_good_enough(score, previous, best, TWENTIETH):
            previous, accepted = score, accepted + 1
    assert accepted < 40
    assert best * 18 <= previous * 20  # lost at most 2ε in all


@given(
    st.integers(0, SCORE_MAX),
    st.integers(0, SCORE_MAX),
    st.integers(0, SCORE_MAX),
    st.fractions("1/1000", "999/1000", max_denominator=10**6),
)
def test_the_vote_agrees_with_exact_fractions(
    score: int, previous: int, best: int, part: object
) -> None:
    tolerance = Rational(part.numerator, part.denominator)  # type: ignore[attr-defined]
    bound = max((1 - part) * previous, (1 - 2 * part) * best)  # type: ignore[operator]
    assert is_good_enough(score, previous, best, tolerance) is (score >= bound)


def test_weights_are_those_of_the_samples_up_to_twice_the_lower_median() -> None:
    assert capped_weights([10, 30, 60]) == [10, 30, 60]
    assert capped_weights([10, 30, 61]) == [10, 30, 60]
    assert capped_weights([5, 7]) == [5, 7]
    assert capped_weights([5, 70]) == [5, 10]
    assert capped_weights([9]) == [9]
    assert capped_weights([]) == []


def test_the_example_of_three_proposers() -> None:
    weights = capped_weights([10, 30, 60])
    doubled = 2 * sum(weight * theta for weight, theta in zip(weights, (1, 2, 3), strict=True))
    assert (sum(weights), doubled) == (100, 500)  # 2.5


@given(st.lists(st.integers(1, 1_024), min_size=3, max_size=40))
def test_no_claim_weighs_more_than_twice_what_most_have(honest: list[int]) -> None:
    claimed = capped_weights([*honest, 10**6 * max(honest)])
    assert claimed[-1] <= 2 * lower_median([*honest, 10**12]) <= 2 * max(honest)
    assert all(0 < got <= asked for got, asked in zip(claimed, honest, strict=False))
