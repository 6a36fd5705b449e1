"""The rate limit: the published curve, its cap, and why it can always be split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.economy.quota import rate_limit


@pytest.mark.parametrize(
    ("stake", "limit"),
    [(99, 0), (100, 4), (200, 5), (400, 8), (900, 12), (1600, 16), (10000, 40)],
)
def test_published_curve(stake: int, limit: int) -> None:
    assert rate_limit(stake, 100, 4, None) == limit
    assert rate_limit(stake * 10**18, 100 * 10**18, 4, 100) == limit


def test_cap() -> None:
    assert rate_limit(10**9, 100, 4, 100) == 100
    assert rate_limit(10**9, 100, 4, None) == 12649


@given(st.integers(0, 10**27), st.integers(1, 10**24), st.integers(0, 1000))
def test_is_the_floor_of_the_real_curve(stake: int, stake_min: int, base: int) -> None:
    limit = rate_limit(stake, stake_min, base, None)
    if stake < stake_min:
        assert limit == 0
    else:
        assert limit**2 * stake_min <= base**2 * stake < (limit + 1) ** 2 * stake_min


def test_a_concave_limit_favours_splitting() -> None:
    whole = rate_limit(1600, 100, 4, None)
    assert 16 * rate_limit(100, 100, 4, None) == 4 * whole


@pytest.mark.parametrize(
    "arguments", [(1, 0, 4, None), (-1, 1, 4, None), (1, 1, -4, None), (1, 1, 4, -1)]
)
def test_senseless_input_is_an_error(arguments: tuple[int, int, int, int | None]) -> None:
    with pytest.raises(ValueError, match="no limit for stake"):
        rate_limit(*arguments)
