"""Emission: the curve, the split between tasks, and that only allotted tokens are minted.

Vectors `emission` and `task_split` of the economics specification.
"""

from __future__ import annotations

import pytest

from runtime import frame
from runtime.economy.market import HostClaim
from runtime.frame.errors import BadOrigin
from runtime.frame.traits import pallet_account
from runtime.pallets import balances, emission, system
from runtime.pallets.emission import Emission, EmissionParameters, split_between_tasks
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML, AccountId

POT = pallet_account(b"arena")


def make() -> tuple[Emission, balances.Balances]:
    ext = frame.Externalities(frame.DictState())
    accounts = system.System(ext, system.Config())
    currency = balances.Balances(ext, balances.Config(), accounts=accounts)
    pallet = Emission(ext, emission.Config(), currency=currency)
    pallet.genesis_build(EmissionParameters())
    return pallet, currency


def test_the_curve_falls_by_a_hundredth_a_month() -> None:
    pallet, _ = make()
    assert {day: pallet.emission_of(day) for day in (0, 29, 30, 60, 360)} == {
        0: 100_000 * FML,
        29: 100_000 * FML,
        30: 99_000 * FML,
        60: 98_010 * FML,
        360: 88638487171612928065880,
    }
    assert pallet.scheduled_until(360) == 34084538485161215802359700


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [
        ("0", [466666666666666666667, 466666666666666666667, 466666666666666666666]),
        ("1/2", [233333333333333333333, 466666666666666666667, 700 * FML]),
        ("1", [100 * FML, 400 * FML, 900 * FML]),
        ("2", [14285714285714285714, 228571428571428571429, 1157142857142857142857]),
    ],
)
def test_tasks_share_by_the_power_of_their_stake(exponent: str, expected: list[int]) -> None:
    stakes = [100 * FML, 400 * FML, 900 * FML]
    arena, alliance = split_between_tasks(1400 * FML, Rational.parse(exponent), stakes, [])
    assert (arena, alliance) == (expected, [])


def test_arena_and_alliance_share_by_stake() -> None:
    one = Rational(1, 1)
    assert split_between_tasks(1000 * FML, one, [3000 * FML], [1000 * FML]) == (
        [750 * FML],
        [250 * FML],
    )
    assert split_between_tasks(1000 * FML, one, [0], [0]) == ([0], [0])
    assert split_between_tasks(999 * FML, Rational(0, 1), [0, 5], []) == ([0, 999 * FML], [])


def test_only_what_is_paid_is_minted() -> None:
    pallet, currency = make()
    pallet.allot(0, [(7, 1), (8, 1)], [])
    assert pallet.reward_of(0, 7) == 50_000 * FML
    assert pallet.reward_of(0, 9) == pallet.reward_of(1, 7) == 0
    assert currency.issuance() == 0
    pallet.mint(0, 7, POT, 3)
    assert currency.issuance() == pallet.minted.get() == 3
    pallet.try_state()
    pallet.mint(0, 7, POT, 50_000 * FML)
    with pytest.raises(AssertionError, match="day 0: task 7 overpaid"):
        pallet.try_state()


def test_emission_ends_at_its_bound() -> None:
    pallet, _ = make()
    pallet.minted.put(emission.EMISSION_MAX - 5)
    assert pallet.emission_of(0) == 5
    pallet.minted.put(emission.EMISSION_MAX)
    assert pallet.emission_of(0) == 0


def test_a_new_curve_acts_from_the_next_month() -> None:
    pallet, _ = make()
    pallet.allot(31, [], [])
    new = EmissionParameters(daily=1000 * FML, decay=Rational(1, 2))
    with pytest.raises(BadOrigin):
        pallet.set_parameters(frame.NONE, new)
    pallet.set_parameters(frame.ROOT, new)
    assert pallet.emission_of(59) == 99_000 * FML
    assert pallet.emission_of(60) == 1000 * FML
    assert pallet.emission_of(90) == 500 * FML
    pallet.allot(60, [], [])
    assert pallet.emission_of(90) == 500 * FML


def test_parameters_have_hard_bounds() -> None:
    pallet, _ = make()
    for bad in (
        EmissionParameters(daily=emission.DAILY_MAX + 1),
        EmissionParameters(decay=Rational(101, 100)),
        EmissionParameters(stake_exponent=Rational(5, 1)),
        EmissionParameters(host_share=Rational(2, 1)),
    ):
        with pytest.raises(emission.EmissionOutOfBounds):
            pallet.set_parameters(frame.ROOT, bad)


def test_old_allotments_are_pruned() -> None:
    pallet, _ = make()
    for day in range(32):
        pallet.allot(day, [(1, 1)], [])
    assert sorted(pallet.allotments.keys()) == list(range(2, 32))


def test_what_may_still_be_minted_is_set_aside() -> None:
    pallet, _ = make()
    pallet.ceiling.put(250_000 * FML)
    pallet.allot(0, [(7, 1), (8, 1)], [])
    pallet.mint(0, 7, POT, 10_000 * FML)
    pallet.allot(1, [(7, 1)], [])
    assert pallet.committed_before(1) == 100_000 * FML
    pallet.allot(2, [(7, 1)], [])
    assert pallet.reward_of(2, 7) == 50_000 * FML  # days 0 and 1 may still mint the rest
    pallet.mint(1, 7, POT, 5)
    assert (pallet.committed_before(1), pallet.committed_before(2)) == (
        100_000 * FML,
        200_000 * FML,
    )
    pallet.allot(8, [(7, 1)], [])
    assert pallet.reward_of(8, 7) == 0
    pallet.allot(9, [(7, 1)], [])  # of day 0 nothing more can be minted: 10,000 FML were
    assert pallet.reward_of(9, 7) == 90_000 * FML
    pallet.allot(10, [(7, 1)], [])  # nor of day 1
    assert pallet.reward_of(10, 7) == 100_000 * FML - 5
    pallet.try_state()


def claims(*given: tuple[int, int]) -> list[HostClaim]:
    """Claims of (weight, most) by hosts a, b, ..."""
    names = (AccountId(bytes([97 + place]) * 32) for place in range(len(given)))
    return [HostClaim(who, *claim) for who, claim in zip(names, given, strict=True)]


def test_hosts_are_paid_first_by_weight_and_at_most_what_they_may_be() -> None:
    pallet, currency = make()
    hosts = claims((3, 10**9 * FML), (1, 7 * FML), (0, FML))
    pallet.allot(0, [(7, 1)], [], hosts)
    slice_ = 5_000 * FML  # 5 % of 100,000
    paid = [currency.free(claim.host) for claim in hosts]
    assert paid == [slice_ * 3 // 4, 7 * FML, 0]
    found = pallet.allotments.get(0)
    assert (found.hosts, found.emission) == (sum(paid), 100_000 * FML - sum(paid))
    assert pallet.reward_of(0, 7) == found.emission
    assert currency.issuance() == pallet.minted.get() == sum(paid)
    pallet.try_state()


def test_the_hosts_slice_diminishes() -> None:
    pallet, _ = make()
    slices = [pallet.host_slice_of(day, 100_000 * FML) for day in (29, 30, 60)]
    assert slices == [5_000 * FML, 4_500 * FML, 4_050 * FML]
    assert pallet.host_slice_of(30 * 10**6, 10**27) == 0


def test_without_claims_tasks_have_all() -> None:
    pallet, currency = make()
    pallet.allot(0, [(7, 1)], [], claims((0, FML)))
    assert pallet.reward_of(0, 7) == 100_000 * FML
    assert currency.issuance() == 0


def test_what_was_committed_is_known_of_any_day_also_with_hosts() -> None:
    pallet, _ = make()
    pallet.allot(0, [(7, 1)], [], claims((1, 2 * FML)))
    pallet.mint(0, 7, POT, 3)
    before = pallet.committed_before(1)
    pallet.allot(1, [(7, 1)], [], claims((1, 5 * FML)))
    assert pallet.committed_before(1) == before == 100_000 * FML
    assert pallet.committed_before(2) == 200_000 * FML
