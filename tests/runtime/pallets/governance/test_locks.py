"""Locks: what they count, how they leave, who else votes with them."""

from __future__ import annotations

import pytest

from runtime.economy.governance import lock_weight
from runtime.frame.errors import TokenError
from runtime.frame.origin import signed
from runtime.frame.traits import HoldReason
from runtime.pallets.governance import events, records
from runtime.pallets.governance.records import Power
from runtime.primitives.types import FML
from tests.runtime.pallets.governance.dao_world import START, Dao, account

DAY = 20  # blocks on the devnet


@pytest.mark.parametrize(
    ("days", "hundredths"), [(1, 100), (30, 100), (31, 100), (80, 130), (365, 301)]
)
def test_a_lock_counts_more_the_longer_its_notice(days: int, hundredths: int) -> None:
    assert lock_weight(100, days) == hundredths


def test_a_day_more_counts_to_the_planck() -> None:
    assert lock_weight(1000 * FML + 166, 31) == 1006 * FML + 166
    assert lock_weight(1000 * FML + 167, 31) == 1006 * FML + 168


def test_tokens_are_held_and_come_back_after_their_notice() -> None:
    world = Dao()
    world.lock("ann", 100 * FML, days=2)
    world.lock("ann", 50 * FML, days=2)
    assert world.free("ann") == START - 150 * FML
    assert world.dao.total_locked.get() == 150 * FML
    world.dao.unlock(signed(account("ann")), 150 * FML)
    assert world.dao.total_locked.get() == 0
    world.go(2 * DAY - 1)
    with pytest.raises(events.NothingFree):
        world.dao.withdraw(signed(account("ann")))
    world.next()
    world.dao.withdraw(signed(account("ann")))
    assert world.free("ann") == START
    assert not world.dao.positions.contains(account("ann"))


def test_a_part_leaves_and_the_rest_counts_on() -> None:
    world = Dao()
    world.lock("ann", 100 * FML, days=365)
    world.dao.unlock(signed(account("ann")), 40 * FML)
    now = world.dao.positions.get(account("ann")).now
    assert now.own == Power(60 * FML, 60 * FML * 301 // 100)
    assert world.held(HoldReason.VOTE_LOCK, "ann") == 100 * FML


def test_a_notice_only_grows_until_all_has_left() -> None:
    world = Dao()
    world.lock("ann", 10 * FML, days=30)
    for days in (0, 29, 366):
        with pytest.raises(events.TermOutOfBounds):
            world.lock("ann", FML, days=days)
    world.lock("ann", 0, days=365)
    assert world.dao.positions.get(account("ann")).now.own.weight == 301 * FML // 10
    world.dao.unlock(signed(account("ann")), 10 * FML)
    world.lock("ann", FML, days=1)
    assert world.dao.positions.get(account("ann")).now.own == Power(FML, FML)


def test_dust_is_not_locked_nor_left() -> None:
    world = Dao()
    with pytest.raises(events.LockTooSmall):
        world.lock("ann", FML - 1)
    with pytest.raises(TokenError):
        world.lock("ann", START + FML)
    world.lock("ann", 2 * FML)
    with pytest.raises(events.LockTooSmall):
        world.dao.unlock(signed(account("ann")), 2 * FML - 1)
    for amount in (0, 2 * FML + 1):
        with pytest.raises(events.NotSoMuchLocked):
            world.dao.unlock(signed(account("ann")), amount)


def test_only_so_many_parts_wait_at_once() -> None:
    world = Dao()
    world.lock("ann", 100 * FML)
    for _ in range(records.UNLOCKING_MAX):
        world.dao.unlock(signed(account("ann")), FML)
    with pytest.raises(events.TooManyParts):
        world.dao.unlock(signed(account("ann")), FML)


def test_a_delegate_votes_with_what_is_lent_and_it_comes_back() -> None:
    world = Dao()
    world.lock("ann", 10 * FML)
    world.lock("ben", 20 * FML)
    world.dao.delegate(signed(account("ann")), account("ben"))
    world.lock("ann", 5 * FML)
    assert world.dao.positions.get(account("ben")).now.votes() == Power(35 * FML, 35 * FML)
    assert world.dao.positions.get(account("ann")).now.votes() == Power()
    world.dao.undelegate(signed(account("ann")))
    assert world.dao.positions.get(account("ben")).now.votes() == Power(20 * FML, 20 * FML)
    world.next()


def test_a_lock_that_left_is_lent_no_more() -> None:
    world = Dao()
    world.lock("ann", 10 * FML)
    world.lock("ben", 20 * FML)
    world.dao.delegate(signed(account("ann")), account("ben"))
    world.dao.unlock(signed(account("ann")), 10 * FML)
    assert world.dao.positions.get(account("ann")).delegate is None
    assert world.dao.positions.get(account("ben")).now.received == Power()
    world.next()


def test_who_can_be_delegate() -> None:
    world = Dao()
    with pytest.raises(events.NoLock):
        world.dao.delegate(signed(account("ann")), account("ben"))
    world.lock("ann", 10 * FML)
    for name in ("ann", "ben"):
        with pytest.raises(events.BadDelegate):
            world.dao.delegate(signed(account("ann")), account(name))
    with pytest.raises(events.NotDelegated):
        world.dao.undelegate(signed(account("ann")))


def test_what_may_have_voted_is_bound_until_the_call_is_made() -> None:
    world = Dao()
    world.lock("ann", 100 * FML)
    number = world.open_vote("ben")
    world.vote("ann", number)
    world.dao.unlock(signed(account("ann")), 100 * FML)
    (part,) = world.dao.positions.get(account("ann")).unlocking
    assert part.free_at == world.number + 20 + 5 > world.number + DAY
    world.close()
    world.lock("ann", 10 * FML)
    world.dao.unlock(signed(account("ann")), 10 * FML)
    assert world.dao.positions.get(account("ann")).unlocking[1].free_at == world.number + DAY
