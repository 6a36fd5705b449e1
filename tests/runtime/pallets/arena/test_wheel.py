"""The wheel: seats in proportion to stake, as a plain count of stakes finds them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from runtime.pallets.arena.records import Juror
from runtime.pallets.arena.seals import seat_number
from runtime.pallets.arena.wheel import Wheel
from runtime.primitives.types import Hash
from tests.runtime.pallets.arena.counting import reached
from tests.runtime.pallets.world import account


def test_seats_fall_in_proportion_to_stake() -> None:
    jurors = [Juror(account(str(stake)), stake, 10**6) for stake in (1, 2, 3, 4)]
    wheel, counts = Wheel(jurors), dict.fromkeys(jurors, 0)
    for number in range(20_000):
        found = wheel.find(seat_number(Hash(bytes(32)), number, 0))
        assert found is not None
        wheel.take(*found)
        assert found[0] == found[1]
        counts[jurors[found[0]]] += 1
    for juror, count in counts.items():
        assert abs(count - 2_000 * juror.stake) < 250
    assert [j.seats_left for j in wheel.jurors()] == [10**6 - count for count in counts.values()]


def staked(jurors: list[Juror]) -> list[tuple[Juror, int]]:
    return [(juror, juror.stake) for juror in jurors]


@given(
    st.lists(st.tuples(st.integers(0, 10), st.integers(0, 3)), max_size=6),
    st.lists(st.integers(0, 2**256 - 1), max_size=20),
)
def test_a_number_falls_where_counting_up_the_stakes_reaches_it(
    given_jurors: list[tuple[int, int]], numbers: list[int]
) -> None:
    jurors = [
        Juror(account(f"v{index}"), stake, left) for index, (stake, left) in enumerate(given_jurors)
    ]
    wheel = Wheel(jurors)
    for number in numbers:
        open_ = [juror for juror in jurors if juror.seats_left and juror.stake]
        found = wheel.find(number)
        if not open_:
            assert found is None
            continue
        again, target = divmod(number, sum(juror.stake for juror in jurors))
        drawn = taker = reached(staked(jurors), target)
        if drawn not in open_:
            taker = reached(staked(open_), again % sum(juror.stake for juror in open_))
        assert found == (jurors.index(drawn), jurors.index(taker))
        wheel.take(*found)
        jurors[found[0]] = replace(drawn, drawn=drawn.drawn + 1)
        now = jurors[found[1]]
        jurors[found[1]] = replace(now, seats_left=now.seats_left - 1, held=now.held + 1)
    assert wheel.jurors() == jurors


def test_the_limit_moves_seats_and_not_what_fell_on_a_validator() -> None:
    """Nine tenths of the stake hold two seats at most, and have nine tenths of the draws."""
    jurors = [
        Juror(account("great"), 900, 2),
        Juror(account("small"), 60, 50),
        Juror(account("tiny"), 40, 50),
    ]
    wheel = Wheel(jurors)
    for number in range(100):
        found = wheel.find(seat_number(Hash(bytes(32)), number, 0))
        assert found is not None
        wheel.take(*found)
    great, small, tiny = wheel.jurors()
    assert (great.held, great.seats_left) == (2, 0)
    assert 80 < great.drawn <= 100
    assert small.held + tiny.held == 98
    assert great.drawn + small.drawn + tiny.drawn == 100
