"""Consensus scores: the published example, the outlier rule, exactness."""

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.pallets.arena.consensus import (
    ConsensusScore,
    consensus_score,
    weighted_lower_median,
)
from runtime.primitives.rational import Rational
from tests.runtime.pallets.arena import exact_model

THREE = Rational(3, 1)
PERCENT = 10**7

SCORES = st.lists(
    st.tuples(st.integers(0, 10**27), st.integers(0, 10**9)), min_size=1, max_size=12
).filter(lambda pairs: any(weight for weight, _ in pairs))


def test_published_example_drops_the_liar() -> None:
    scores = [(1, 800_000_000), (1, 820_000_000), (1, 810_000_000), (1, 50_000_000)]
    result = consensus_score(scores, THREE, PERCENT)
    assert result == ConsensusScore(3 * 810_000_000, 3, (True, True, True, False))


def test_published_example_counts_everyone_without_the_rule() -> None:
    scores = [(1, 800_000_000), (1, 820_000_000), (1, 810_000_000), (1, 50_000_000)]
    assert consensus_score(scores, None, 0) == ConsensusScore(2_480_000_000, 4, (True,) * 4)


@pytest.mark.parametrize(
    ("pairs", "median"),
    [
        ([(1, 5)], 5),
        ([(1, 5), (1, 7)], 5),
        ([(1, 7), (2, 5), (1, 9)], 5),
        ([(1, 1), (1, 2), (3, 3)], 3),
        ([(0, 1), (1, 2)], 2),
        ([(1, 9), (1, 1), (1, 4), (1, 6)], 4),
    ],
)
def test_median_is_the_lower_one_and_weighted(pairs: list[tuple[int, int]], median: int) -> None:
    assert weighted_lower_median(pairs) == median


@pytest.mark.parametrize(
    ("distance", "is_kept"), [(PERCENT - 1, True), (PERCENT, True), (PERCENT + 1, False)]
)
def test_tolerance_is_inclusive(distance: int, is_kept: bool) -> None:
    scores = [(1, 10**8), (1, 10**8), (1, 10**8), (1, 10**8 + distance)]
    result = consensus_score(scores, THREE, PERCENT)
    assert result is not None
    assert result.kept == (True, True, True, is_kept)


@pytest.mark.parametrize(("distance", "is_kept"), [(35, True), (36, False)])
def test_kappa_may_be_a_fraction(distance: int, is_kept: bool) -> None:
    # Median 100, distances 10, 0, 10, d: MAD 10, limit 3.5 * 10.
    scores = [(1, 90), (1, 100), (1, 110), (1, 100 + distance)]
    result = consensus_score(scores, Rational(7, 2), 0)
    assert result is not None
    assert result.kept[3] is is_kept


def test_scores_without_weight_count_for_nothing() -> None:
    assert consensus_score([], THREE, 0) is None
    assert consensus_score([(0, 5), (0, 6)], THREE, 0) is None
    assert consensus_score([(0, 5), (2, 6)], None, 0) == ConsensusScore(12, 2, (False, True))


@pytest.mark.parametrize(("scores", "tolerance"), [([(-1, 5)], 0), ([(1, -5)], 0), ([(1, 5)], -1)])
def test_negative_input_is_an_error(scores: list[tuple[int, int]], tolerance: int) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        consensus_score(scores, THREE, tolerance)


def test_no_median_without_weight() -> None:
    with pytest.raises(ValueError, match="no median of 1 values without weight"):
        weighted_lower_median([(0, 3)])


def test_comparison_is_exact_where_floats_are_equal() -> None:
    low = ConsensusScore(10**27, 3 * 10**18, (True,))
    high = ConsensusScore(10**27 + 1, 3 * 10**18, (True,))
    assert low.numerator / low.denominator == high.numerator / high.denominator
    assert low < high
    assert not high < low
    assert not ConsensusScore(2, 4, ()) < ConsensusScore(1, 2, ())


@pytest.mark.parametrize(("baseline", "above"), [(4, True), (5, False), (6, False)])
def test_baseline_must_be_exceeded(baseline: int, above: bool) -> None:
    assert ConsensusScore(10, 2, ()).is_above(baseline) is above


@given(SCORES, st.fractions(0, 5, max_denominator=20), st.integers(0, 10**8))
def test_agrees_with_the_exact_model(
    scores: list[tuple[int, int]], kappa: Fraction, tolerance: int
) -> None:
    result = consensus_score(scores, Rational(kappa.numerator, kappa.denominator), tolerance)
    kept = exact_model.kept_scores(scores, kappa, tolerance)
    assert result is not None
    assert list(result.kept) == kept
    assert Fraction(result.numerator, result.denominator) == exact_model.mean(scores, kept)


@given(SCORES, st.randoms())
def test_order_of_the_scores_does_not_matter(scores: list[tuple[int, int]], prng: Random) -> None:
    result = consensus_score(scores, THREE, PERCENT)
    order = list(range(len(scores)))
    prng.shuffle(order)
    shuffled = consensus_score([scores[index] for index in order], THREE, PERCENT)
    assert result is not None
    assert shuffled is not None
    assert (shuffled.numerator, shuffled.denominator) == (result.numerator, result.denominator)
    assert shuffled.kept == tuple(result.kept[index] for index in order)
