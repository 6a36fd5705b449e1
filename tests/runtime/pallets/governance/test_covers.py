"""Locks stand in for minimums of nodes and creators, each planck once, and for nothing else."""

from __future__ import annotations

import pytest

from runtime import frame
from runtime.constants import DEVNET
from runtime.economy.tasks import Hardware, Role, TaskStatus
from runtime.frame.origin import signed
from runtime.frame.traits import HoldReason
from runtime.pallets.arena.submissions import Submissions
from runtime.pallets.delegation.records import StakeTooLow
from runtime.pallets.fl_alliance.events import EndReason
from runtime.pallets.fl_alliance.terms import RoundWindows
from runtime.pallets.governance import events
from runtime.primitives.types import FML
from tests.runtime.pallets.fl_alliance.alliance_world import alliance_terms
from tests.runtime.pallets.governance.dao_world import START, Dao, account
from tests.runtime.pallets.world import NO_SHARE, terms

MISSING = 10 * FML - 602 * FML // 100  # of a node's minimum, beside 2 FML with a year's notice
UNIT = FML // 100


@pytest.fixture
def world() -> Dao:
    """Tasks 0 and 1, which emission pays for; ann has locked 2 FML for a year: they count 6.02."""
    world = Dao()
    world.runtime.balances.mint(account("maker"), 1_000 * FML)
    for _ in range(2):
        world.runtime.tasks.create_verified_task(frame.ROOT, account("maker"), terms())
    world.lock("ann", 2 * FML, days=365)
    return world


def register(
    world: Dao, name: str, stake: int, task: int = 0, role: Role = Role.TRAINING_NODE
) -> None:
    world.runtime.tasks.register(
        signed(account(name)), task, role, stake, NO_SHARE, Hardware(memory_gib=8)
    )
    world.runtime.try_state()


def end(world: Dao, task: int) -> None:
    """End a task and let its stakes go."""
    world.runtime.tasks.end_task(task, TaskStatus.CANCELLED)
    world.runtime.delegation.on_initialize(world.number)
    world.runtime.try_state()


def test_a_node_stakes_what_its_lock_does_not_count_for(world: Dao) -> None:
    with pytest.raises(StakeTooLow):
        register(world, "ann", MISSING - 1)
    register(world, "ann", MISSING)
    assert world.held(HoldReason.STAKE, "ann") == MISSING
    assert world.dao.spare(account("ann")) == 0
    with pytest.raises(StakeTooLow):
        register(world, "ann", 10 * FML - 1, task=1)
    register(world, "ann", 10 * FML, task=1)
    assert world.dao.covering.get(account("ann")) == 602 * UNIT


def test_a_lock_covers_no_more_than_is_missing_and_is_free_beyond(world: Dao) -> None:
    register(world, "ann", 9 * FML)
    assert world.dao.spare(account("ann")) == 502 * UNIT
    who = signed(account("ann"))
    world.dao.unlock(who, FML)
    with pytest.raises(events.LockInUse):
        world.dao.unlock(who, FML)
    end(world, 0)
    assert world.dao.covering.get(account("ann")) == 0
    world.dao.unlock(who, FML)


def test_who_lends_its_votes_keeps_what_covers(world: Dao) -> None:
    world.lock("ben", FML)
    world.dao.delegate(signed(account("ann")), account("ben"))
    assert world.dao.spare(account("ben")) == FML
    register(world, "ann", MISSING)


def test_what_a_lock_covers_weighs_nothing_and_allows_models(world: Dao) -> None:
    register(world, "ann", MISSING)
    register(world, "ben", 10 * FML)
    ledger = world.runtime.delegation
    calendar = DEVNET.calendar
    world.runtime.system.number.put(calendar.first_block(1))
    stakes = {name: ledger.stake_of(0, account(name), 1) for name in ("ann", "ben")}
    ann, ben = stakes["ann"], stakes["ben"]
    assert ann is not None
    assert ben is not None
    assert (ann.total, ben.total) == (MISSING, 10 * FML)
    assert ann.limiting == ben.limiting
    assert ledger.total_of(0, Role.TRAINING_NODE, 1) == 10 * FML + MISSING
    assert Submissions(world.runtime.arena).daily_limit(0, account("ann")) == DEVNET.quota_base
    ledger.unbond(signed(account("ann")), 0, MISSING)
    gone = ledger.stake_of(0, account("ann"), 2)
    assert gone is not None
    assert gone.limiting == 0, "a lock makes no node of who has left"


def test_a_node_needs_some_stake_and_a_validator_all(world: Dao) -> None:
    world.lock("ben", 100 * FML, days=365)
    with pytest.raises(StakeTooLow):
        register(world, "ben", 0)
    register(world, "ben", 1)
    world.lock("cat", 100 * FML, days=365)
    with pytest.raises(StakeTooLow):
        register(world, "cat", 30 * FML - 1, role=Role.TASK_VALIDATOR)
    register(world, "cat", 30 * FML, role=Role.TASK_VALIDATOR)
    assert world.dao.covering.get(account("cat")) == 0


def test_a_covered_node_leaves_wholly_or_keeps_its_least(world: Dao) -> None:
    register(world, "ann", MISSING + FML)
    ledger, who = world.runtime.delegation, signed(account("ann"))
    with pytest.raises(StakeTooLow):
        ledger.unbond(who, 0, 1)
    ledger.unbond(who, 0, FML + MISSING)
    with pytest.raises(StakeTooLow):
        ledger.bond_extra(who, 0, MISSING)
    ledger.bond_extra(who, 0, MISSING + FML)
    assert world.dao.covering.get(account("ann")) == 9 * FML - MISSING


def test_a_creator_stakes_the_rest_and_only_that_is_slashed(world: Dao) -> None:
    world.lock("ben", 50 * FML, days=30)
    tasks = world.runtime.tasks
    tasks.create_task(signed(account("ben")), terms(), 100 * FML)
    assert world.held(HoldReason.TASK_CREATION, "ben") == 50 * FML
    assert world.dao.spare(account("ben")) == 0
    tasks.note_key_missing(2)
    assert world.held(HoldReason.TASK_CREATION, "ben") == 0
    assert world.held(HoldReason.VOTE_LOCK, "ben") == 50 * FML
    end(world, 2)
    assert world.dao.spare(account("ben")) == 50 * FML


def test_a_creator_whose_lock_covers_all_stakes_nothing(world: Dao) -> None:
    world.lock("ben", 40 * FML, days=365)
    free = world.free("ben")
    tasks = world.runtime.tasks
    tasks.create_task(signed(account("ben")), terms(), 100 * FML)
    assert world.free("ben") == free - 100 * FML, "the budget"
    assert world.dao.spare(account("ben")) == 12_040 * UNIT - 100 * FML
    world.runtime.try_state()
    tasks.cancel_task(signed(account("ben")), 2)
    world.runtime.delegation.on_initialize(world.number)
    world.runtime.try_state()
    assert (world.free("ben"), world.dao.covering.get(account("ben"))) == (free, 0)


def test_a_creator_of_the_alliance_is_covered_and_its_members_are_not(world: Dao) -> None:
    world.runtime.tasks.end_task(0, TaskStatus.COMPLETED)
    world.lock("ben", 30 * FML, days=30)
    alliance, ben = world.runtime.alliance, signed(account("ben"))
    declared = alliance_terms(windows=RoundWindows(6, 6, 6, 6, 0, 6, 6))
    alliance.create_task(ben, declared, 100 * FML)
    assert world.held(HoldReason.FL_STAKE, "ben") == 70 * FML
    assert world.dao.covering.get(account("ben")) == 30 * FML
    with pytest.raises(events.LockInUse):
        world.dao.unlock(ben, 1 + FML)
    world.runtime.try_state()
    alliance.cancel_task(ben, 2)
    world.runtime.try_state()
    assert world.held(HoldReason.FL_STAKE, "ben") == 0
    assert world.dao.covering.get(account("ben")) == 0
    assert alliance.get_task(2).ended is EndReason.CANCELLED
    assert alliance.get_task(2).creator_covered == 30 * FML
    assert world.free("ben") == START - 30 * FML
