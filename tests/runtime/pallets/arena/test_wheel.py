"""The wheel: seats in proportion to stake, as a plain count of stakes finds them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from runtime.pallets.arena.records import Juror
from runtime.pallets.arena.seals import seat_number
from runtime.pallets.arena.wheel import Wheel
from runtime.primitives.types import Hash
from tests.runtime.pallets.world import account


def test_seats_fall_in_proportion_to_stake() -> None:
    jurors = [Juror(account(str(stake)), stake, 10**6) for stake in (1, 2, 3, 4)]
    wheel, counts = Wheel(jurors), dict.fromkeys(jurors, 0)
    for number in range(20_000):
        index = wheel.find(seat_number(Hash(bytes(32)), number, 0))
        assert index is not None
        wheel.take(index)
        counts[jurors[index]] += 1
    for juror, count in counts.items():
        assert abs(count - 2_000 * juror.stake) < 250
    assert [j.seats_left for j in wheel.jurors()] == [10**6 - count for count in counts.values()]


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
        target = number % sum(juror.stake for juror in open_)
        for juror in open_:
            if target < juror.stake:
                break
            target -= juror.stake
        assert found == jurors.index(juror)
        wheel.take(found)
        jurors[found] = replace(juror, seats_left=juror.seats_left - 1)
    assert wheel.jurors() == jurors
