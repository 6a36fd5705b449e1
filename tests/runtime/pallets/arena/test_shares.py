"""Shares of nodes and validators: the published figures, and an 80-digit model."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf

from runtime.pallets.arena.consensus import ConsensusScore, consensus_score
from runtime.pallets.arena.records import Juror
from runtime.pallets.arena.shares import (
    floor_shares,
    keep_best,
    node_weights,
    pay_by_draws,
    rank_weights,
    validator_shares,
)
from runtime.primitives.apportion import apportion
from runtime.primitives.fixed_point import ONE_Q128
from runtime.primitives.rational import Rational
from runtime.primitives.types import AccountId
from tests.runtime.pallets.arena import exact_model

FML = 10**18
FULL_SCALE = 10**9
Q = Rational(17, 20)

RATIOS = st.fractions(0, 1, max_denominator=100)
ALPHAS = st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1), Fraction(2), Fraction(2, 3)])
ONE_UNIT = mpf(1) + mpf(10) ** -6  # sums are floored to 2^-128 and powers are good to 2^-120
STAKES = st.lists(st.integers(1, 10**27), min_size=1, max_size=20)


def rational(value: Fraction) -> Rational:
    return Rational(value.numerator, value.denominator)


@pytest.mark.parametrize(
    ("q", "count", "weights"),
    [
        (Q, 3, [400, 340, 289]),
        (Rational(1, 1), 4, [1, 1, 1, 1]),
        (Rational(0, 1), 3, [1, 0, 0]),
        (Rational(1, 2), 1, [1]),
        (Q, 0, []),
    ],
)
def test_rank_weights(q: Rational, count: int, weights: list[int]) -> None:
    assert rank_weights(q, count) == weights


def test_ratio_above_one_is_an_error() -> None:
    with pytest.raises(ValueError, match="the ratio q = 3/2 of the ranks is above 1"):
        rank_weights(Rational(3, 2), 2)


@pytest.mark.parametrize(
    ("alpha", "shares"),
    [
        ("1", (".326663944467", ".555328705594", ".118007349939")),
        ("1/2", (".368600245857", ".443087546767", ".188312207376")),
    ],
)
def test_published_node_shares(alpha: str, shares: tuple[str, ...]) -> None:
    weights = node_weights([1000 * FML, 2000 * FML, 500 * FML], Q, Rational.parse(alpha))
    for share, published in zip(floor_shares(weights), shares, strict=True):
        assert abs(Fraction(share, ONE_Q128) - Fraction(published)) < Fraction(1, 10**12)


@pytest.mark.parametrize(("clones", "percent"), [(1, 39), (10, 60)])
def test_what_cloning_the_winner_pays_without_the_rules_against_it(
    clones: int, percent: int
) -> None:
    # One stake split among n copies of the best of three models that rank one after the other.
    weights = node_weights([1000 // clones] * clones + [1000, 1000], Q, Rational(1, 1))
    assert round(100 * sum(weights[:clones]) / sum(weights)) == percent


def test_a_node_without_stake_earns_nothing_even_if_stakes_do_not_count() -> None:
    assert node_weights([0, 5], Q, Rational(0, 1)) == [0, 17]
    assert node_weights([0, 0], Q, Rational(1, 1)) == [0, 0]
    assert floor_shares([0, 0]) == [0, 0]


def summed_shares(lambda_: str, alpha: str) -> list[int]:
    """The published scenario: stakes 100, 200, 300; two submissions, all scores counted."""
    stakes = (100 * FML, 200 * FML, 300 * FML)
    totals = [0, 0, 0]
    for row in ((9, 8, 7), (5, 6, 6)):
        scores = [(s, r * FULL_SCALE // 10) for s, r in zip(stakes, row, strict=True)]
        consensus = consensus_score(scores, None, 0)
        assert consensus is not None
        shares = validator_shares(
            scores, consensus, Rational.parse(lambda_), Rational.parse(alpha), FULL_SCALE
        )
        totals = [total + share for total, share in zip(totals, shares, strict=True)]
    return totals


@pytest.mark.parametrize(
    ("lambda_", "alpha", "shares"),
    [
        ("10", "1", (".087278088822", ".402738397267", ".509983513911")),
        ("0", "1", (".166666666667", ".333333333333", ".5")),
        ("10", "0", (".190380708128", ".438808305892", ".370810985980")),
    ],
)
def test_published_validator_shares(lambda_: str, alpha: str, shares: tuple[str, ...]) -> None:
    for total, published in zip(summed_shares(lambda_, alpha), shares, strict=True):
        assert abs(Fraction(total, 2 * ONE_Q128) - Fraction(published)) < Fraction(1, 10**12)


def test_a_dropped_score_earns_nothing() -> None:
    scores = [(1, 810_000_000), (1, 50_000_000), (1, 810_000_000)]
    consensus = consensus_score(scores, Rational(3, 1), 10**7)
    assert consensus is not None
    half = ONE_Q128 // 2
    parameters = (Rational(10, 1), Rational(1, 1), FULL_SCALE)
    assert validator_shares(scores, consensus, *parameters) == [half, 0, half]


def test_the_closest_keeps_its_share_when_every_exponential_would_vanish() -> None:
    scores = [(1, 0), (1, FULL_SCALE)]
    consensus = ConsensusScore(FULL_SCALE, 2, (True, True))
    shares = validator_shares(scores, consensus, Rational(10**6, 1), Rational(1, 1), FULL_SCALE)
    assert shares == [ONE_Q128 // 2, ONE_Q128 // 2]


@pytest.mark.parametrize(
    ("drawn", "held", "paid"),
    [(3, 3, 900), (9, 3, 2_700), (1, 3, 300), (0, 3, 0), (0, 0, 0), (2, 7, 257)],
)
def test_pay_goes_by_the_seats_drawn(drawn: int, held: int, paid: int) -> None:
    juror = Juror(AccountId(bytes(32)), 1, 0, held, drawn)
    assert pay_by_draws([900], [juror]) == [paid]


@pytest.mark.parametrize(
    ("shares", "k_2", "kept"),
    [
        ([3, 1, 2], None, [3, 1, 2]),
        ([3, 1, 2], 2, [3, 0, 2]),
        ([3, 3, 3], 2, [3, 3, 0]),
        ([1, 2], 5, [1, 2]),
        ([1, 2], 0, [0, 0]),
    ],
)
def test_cut_to_k_2(shares: list[int], k_2: int | None, kept: list[int]) -> None:
    assert keep_best(shares, k_2) == kept


@settings(max_examples=60)
@given(STAKES, RATIOS, ALPHAS, st.integers(0, 10**26))
def test_node_payouts_agree_with_the_model_to_one_unit(
    stakes: list[int], q: Fraction, alpha: Fraction, reward: int
) -> None:
    payouts = apportion(reward, node_weights(stakes, rational(q), rational(alpha)))
    assert sum(payouts) == reward
    for payout, share in zip(payouts, exact_model.node_shares(stakes, q, alpha), strict=True):
        assert abs(payout - reward * share) < ONE_UNIT


@settings(max_examples=60)
@given(
    st.lists(st.integers(1, 10**27), min_size=1, max_size=6),
    st.lists(st.lists(st.integers(0, FULL_SCALE), min_size=6, max_size=6), min_size=1, max_size=4),
    st.fractions(0, 100, max_denominator=10),
    ALPHAS,
    st.integers(0, 10**26),
    st.booleans(),
)
def test_validator_payouts_agree_with_the_model_to_one_unit(
    stakes: list[int],
    rows: list[list[int]],
    lambda_: Fraction,
    alpha: Fraction,
    reward: int,
    outliers: bool,
) -> None:
    totals, exact = [0] * len(stakes), [mpf(0)] * len(stakes)
    kappa = 3 if outliers else None
    for row in rows:
        scores = list(zip(stakes, row, strict=False))
        consensus = consensus_score(scores, Rational(kappa, 1) if kappa else None, 10**7)
        assert consensus is not None
        shares = validator_shares(scores, consensus, rational(lambda_), rational(alpha), FULL_SCALE)
        kept = exact_model.kept_scores(scores, Fraction(kappa) if kappa else None, 10**7)
        reals = exact_model.softmax(scores, kept, lambda_, alpha, FULL_SCALE)
        totals = [total + share for total, share in zip(totals, shares, strict=True)]
        exact = [total + share for total, share in zip(exact, reals, strict=True)]
    payouts = apportion(reward, totals)
    assert sum(payouts) == reward
    for payout, share in zip(payouts, exact, strict=True):
        assert abs(payout - reward * share / len(rows)) < ONE_UNIT
