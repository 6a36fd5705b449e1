"""Joining, pausing, leaving and claiming: when each acts, and what it costs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime import frame
from runtime.frame.origin import signed
from runtime.frame.traits import HoldReason
from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.records import Change, Member, MemberStatus
from runtime.pallets.fl_alliance.seals import possession_message
from runtime.pallets.fl_alliance.stages import EndReason
from runtime.pallets.treasury import TREASURY
from runtime.primitives import vrf
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.fl_alliance.alliance_world import (
    WINDOWS,
    Alliance,
    create,
    new_alliance,
    no,
    vrf_key,
    vrf_seed,
    yes,
)
from tests.runtime.pallets.world import EPOCH_BLOCKS, GENESIS, account


def open_task(*names: str, **changes: object) -> Alliance:
    """A task with these accounts, of which nobody has joined; turn 2 has just begun."""
    made = new_alliance(**changes)  # type: ignore[arg-type]
    for name in names:
        made.world.balances.transfer(account("idle"), account(name), 100 * FML)
    while made.world.number < 2 * EPOCH_BLOCKS:
        made.world.next_block()
    return made


def join_with(made: Alliance, name: str, key: bytes, proof: bytes, units: int = 1) -> None:
    made.pallet.join(signed(account(name)), made.task, key, proof, units)


def possession(name: str, of: str | None = None, task: int = 1) -> bytes:
    """The proof of `name`'s key for the account of `of`."""
    message = possession_message(GENESIS, task, account(of or name))
    return vrf.prove(vrf_seed(name), message)


def test_joining_stakes_exactly_the_quantity_and_pays_the_fee() -> None:
    made = open_task("a")
    treasury = made.world.balances.free(TREASURY)
    made.join("a", 7)
    assert made.member("a") == Member(0, vrf_key("a"), 7, 10 * FML, 0, [Change(5, True)])
    assert made.world.free("a") == 80 * FML
    assert made.world.balances.held(HoldReason.FL_STAKE, account("a")) == 10 * FML
    assert made.world.balances.free(TREASURY) == treasury + 7 * FML
    assert made.world.balances.total_burned.get() == 3 * FML
    run = made.pallet.runs.get(1)
    assert (run.joined, run.active, run.staked) == (1, 1, 10 * FML)
    assert made.world.events(events.Joined) == [events.Joined(1, account("a"), 10 * FML, 7, 5)]
    made.world.check()


def test_who_cannot_join() -> None:
    made = open_task("a", "b", units_max=12)
    with pytest.raises(events.UnknownTask):
        made.pallet.join(signed(account("a")), 0, vrf_key("a"), possession("a"), 1)
    for units in (0, 13):
        with pytest.raises(events.UnitsOutOfRange):
            join_with(made, "a", vrf_key("a"), possession("a"), units)
    for stolen in (possession("a", "b"), possession("b"), possession("a", task=2), bytes(80)):
        with pytest.raises(events.BadPossession):
            join_with(made, "a", vrf_key("a"), stolen)
    small_order = bytes([1]) + bytes(31)
    with pytest.raises(events.BadPossession):
        join_with(made, "a", small_order, possession("a"))
    join_with(made, "a", vrf_key("a"), possession("a"), 12)
    with pytest.raises(events.AlreadyJoined):
        made.join("a")
    with pytest.raises(events.KeyTaken):
        join_with(made, "b", vrf_key("a"), possession("a", "b"))
    made.world.balances.transfer(account("b"), account("idle"), 80 * FML + 1)
    with pytest.raises(events.InsufficientFunds):
        made.join("b")
    made.pallet.config = replace(made.pallet.config, members_max=1)
    made.world.balances.transfer(account("idle"), account("b"), 50 * FML)
    with pytest.raises(events.TaskFull):
        made.join("b")
    with pytest.raises(frame.BadOrigin):
        made.pallet.join(frame.ROOT, 1, vrf_key("b"), possession("b"), 1)
    assert made.world.free("b") == 70 * FML - 1


def test_a_key_is_unique_in_a_task_and_free_in_another() -> None:
    made = open_task("a")
    create(made.world)
    made.join("a")
    other = Alliance(made.world, 2)
    other.join("a")
    assert made.world.balances.held(HoldReason.FL_STAKE, account("a")) == 20 * FML
    assert made.pallet.memberships.get(account("a")) == 2
    made.world.check()


@pytest.mark.parametrize("turn", range(2, 8))
def test_members_are_fixed_two_epochs_ahead(turn: int) -> None:
    made = open_task("a")
    made.join("a")  # in turn 2: the members of 3 and 4 were fixed when 1 and 2 began
    assert made.member("a").is_candidate(turn) == (turn >= 5)


def test_pausing_and_resuming_act_at_the_next_point() -> None:
    made = open_task("a")
    who = signed(account("a"))
    with pytest.raises(events.NotAMember):
        made.pallet.pause(who, 1)
    made.join("a")
    with pytest.raises(events.NotPaused):
        made.pallet.resume(who, 1)
    while made.world.number < 6 * EPOCH_BLOCKS:
        made.world.next_block()
    made.pallet.pause(who, 1)
    with pytest.raises(events.AlreadyPaused):
        made.pallet.pause(who, 1)
    run = made.pallet.runs.get(1)
    assert (run.active, run.staked) == (0, 0)
    assert [made.member("a").is_candidate(turn) for turn in (6, 8, 9)] == [True, True, False]
    while made.world.number < 7 * EPOCH_BLOCKS:
        made.world.next_block()
    made.pallet.resume(who, 1)
    assert [made.member("a").is_candidate(turn) for turn in (8, 9, 10)] == [True, False, True]
    made.pallet.pause(who, 1)  # in place of the resumption that has not acted
    assert made.member("a").changes[-1] == Change(10, False)
    assert made.world.events(events.Paused)[0] == events.Paused(1, account("a"), 9)
    assert made.world.events(events.Resumed) == [events.Resumed(1, account("a"), 10)]
    made.world.check()


def test_changes_are_bounded_while_a_round_stays_open() -> None:
    made = new_alliance(*"abcde")
    made.pallet.progress.put(1, replace(made.progress, until=10_000))
    who = signed(account("a"))
    for count in range(15):
        (made.pallet.resume if count % 2 else made.pallet.pause)(who, 1)
        for _ in range(EPOCH_BLOCKS):
            made.world.next_block()
    with pytest.raises(events.TooManyChanges):
        made.pallet.resume(who, 1)


def test_leaving_frees_the_balance_after_the_unbonding_time() -> None:
    made = new_alliance(*"abcde", windows=replace(WINDOWS, check_in=70))
    who, day = signed(account("a")), made.pallet.today()
    before = made.world.owned("a")
    with pytest.raises(events.StillAMember):
        made.pallet.claim(who, 1)
    made.pallet.leave(who, 1)
    acting = made.member("a").changes[-1].from_turn
    assert made.world.events(events.Left) == [events.Left(1, account("a"), acting, day + 2)]
    for call in (made.pallet.leave, made.pallet.pause, made.pallet.resume):
        with pytest.raises(events.AlreadyLeft):
            call(who, 1)
    with pytest.raises(events.AlreadyJoined):
        made.join("a")
    while made.key.round == 0:  # longer than two days: it may still be slashed
        with pytest.raises(events.ClaimTooEarly):
            made.pallet.claim(who, 1)
        made.world.next_block()
    assert made.pallet.turn.get().count > acting
    made.pallet.claim(who, 1)
    assert made.world.owned("a") == before - FML  # it posted no proof
    assert made.world.balances.held(HoldReason.FL_STAKE, account("a")) == 0
    assert not made.pallet.memberships.contains(account("a"))
    with pytest.raises(events.NotAMember):
        made.pallet.claim(who, 1)
    made.world.check()
    with pytest.raises(events.KeyTaken):
        made.join("a")  # again, but with a fresh key
    fresh = vrf.prove(vrf_seed("new"), possession_message(GENESIS, 1, account("a")))
    join_with(made, "a", vrf_key("new"), fresh)
    made.world.check()


def test_a_leaving_member_is_drawn_until_its_epoch_and_stays_slashable() -> None:
    made = new_alliance(*"abcde")
    made.pallet.leave(signed(account("a")), 1)
    made.check_in(*"bcde")
    made.world.next_block()
    made.settle()
    assert made.balance("a") == 9 * FML
    made.world.check()


def test_an_expelled_member_claims_and_never_comes_back() -> None:
    made = new_alliance(*"abcde", slash=Rational(1, 1), rounds=100)
    made.play("a", {"b": yes(), "c": yes(), "d": no()})
    assert made.member("d").status is MemberStatus.EXPELLED
    free_day = made.pallet.today() + 2
    expelled = events.Expelled(1, account("d"), 0, free_day)
    assert made.world.events(events.Expelled) == [expelled]
    who = signed(account("d"))
    with pytest.raises(events.WasExpelled):
        made.join("d")
    with pytest.raises(events.AlreadyLeft):
        made.pallet.pause(who, 1)
    with pytest.raises(events.ClaimTooEarly):
        made.pallet.claim(who, 1)
    while made.pallet.today() < free_day:
        made.world.next_block()
    made.pallet.claim(who, 1)
    assert made.world.events(events.Claimed) == [events.Claimed(1, account("d"), 0, 0)]
    with pytest.raises(events.NothingToClaim):
        made.pallet.claim(who, 1)
    with pytest.raises(events.WasExpelled):
        made.join("d")
    made.world.check()


def test_what_a_reaped_account_cannot_take_goes_to_the_treasury() -> None:
    made = new_alliance(*"abcde", slash=Rational(1, 1), threshold=Rational(0, 1), pool=8)
    made.play("a", {"b": yes(), "c": no(), "d": yes()})  # c has nothing left
    made.play("c", {"b": yes(), "a": yes(), "d": yes()})  # nothing to share by, nothing to lose
    made.world.check()
    assert made.balance("c") == 0
    member = replace(made.member("c"), earned=3)
    made.pallet.members.put((1, account("c")), member)
    purse = made.pallet.purses.get(1)
    made.pallet.purses.put(1, replace(purse, pool=purse.pool - 3))
    everything = made.world.free("c")
    made.world.balances.transfer(account("c"), account("idle"), everything, keep_alive=False)
    made.pallet.leave(signed(account("c")), 1)
    treasury = made.world.balances.free(TREASURY)
    made.pallet.playing.ending.end(1, EndReason.LIFETIME)
    made.pallet.claim(signed(account("c")), 1)
    assert made.world.balances.free(TREASURY) == treasury + 3
    made.world.check()
