"""Slashes that wait for an era, and the DAO that may forgive them until then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime import frame
from runtime.economy.governance import Track
from runtime.frame.errors import BadOrigin
from runtime.frame.origin import signed
from runtime.pallets.staking import Staking, records
from runtime.pallets.treasury import TREASURY
from runtime.primitives.types import FML
from runtime.track_calls import allows
from tests.runtime.block_chain import call_of
from tests.runtime.pallets.staking.stake_world import RULES, STAKE, StakeWorld, account

V1, V2 = account("v1"), account("v2")
WAITING = replace(RULES, slash_defer_eras=1)
PART = 9 * 10**18 // 16  # one of four: (3 / 4)^2


def offended(name: str = "v1") -> StakeWorld:
    """Era 0: somebody signed two blocks; slashes wait for the era after."""
    world = StakeWorld(rules=WAITING)
    world.block()
    world.report(name)
    world.block()
    return world


def test_a_slash_waits_for_its_era_and_is_taken_then() -> None:
    world = offended()
    assert world.events(records.SlashDeferred) == [records.SlashDeferred(0, V1, 1)]
    assert world.bonded("v1") == STAKE
    world.to_session(3)
    world.block()
    assert world.bonded("v1") == STAKE - STAKE * PART // 10**18
    assert not world.staking.deferred_slashes.contains((0, V1))
    with pytest.raises(records.NoDeferredSlash):
        world.staking.cancel_slash(frame.ROOT, 0, V1, PART)


def test_what_is_cancelled_is_never_taken() -> None:
    world = offended()
    issued, treasury = world.balances.issuance(), world.balances.free(TREASURY)
    world.staking.cancel_slash(frame.ROOT, 0, V1, PART)
    assert world.events(records.SlashCancelled) == [records.SlashCancelled(0, V1, PART)]
    world.to_session(4)
    assert world.bonded("v1") == STAKE
    assert world.balances.issuance() == issued
    assert world.balances.free(TREASURY) == treasury
    assert world.events(records.Slashed) == []


def test_more_offenders_later_cost_what_was_not_forgiven() -> None:
    world = offended()
    world.staking.cancel_slash(frame.ROOT, 0, V1, PART)
    world.report("v2")  # two of four: all of both, and a part of v1's is forgiven
    world.to_session(3)
    world.block()
    world.block()
    assert world.bonded("v2") == 0
    assert world.bonded("v1") == STAKE * PART // 10**18


def test_what_became_due_since_the_vote_began_stays_due() -> None:
    world = offended()
    world.report("v2")  # two of four: all of both is due now
    world.staking.cancel_slash(frame.ROOT, 0, V1, PART)
    assert world.events(records.SlashCancelled) == [records.SlashCancelled(0, V1, PART)]
    with pytest.raises(records.NoDeferredSlash):
        world.staking.cancel_slash(frame.ROOT, 0, V1, PART)
    world.to_session(3)
    world.block()
    world.block()
    assert world.bonded("v1") == STAKE * PART // 10**18


def test_what_waits_holds_nobody_else_back() -> None:
    world = offended("v2")
    rest = 100 * FML
    world.staking.bond_extra(signed(V1), rest)
    world.staking.unbond(signed(V1), rest)
    with pytest.raises(records.NothingToWithdraw):
        world.staking.withdraw_unbonded(signed(V1))


def test_a_slash_of_a_past_era_is_taken_at_once() -> None:
    world = StakeWorld(rules=WAITING)
    world.block()
    world.to_session(3)
    world.staking.slash(0, V1, PART, None)
    assert world.events(records.SlashDeferred) == []
    world.block()
    assert world.bonded("v1") == STAKE - STAKE * PART // 10**18


def test_only_the_dao_cancels_on_a_track_of_its_own() -> None:
    world = offended()
    with pytest.raises(BadOrigin):
        world.staking.cancel_slash(signed(V1), 0, V1, PART)
    with pytest.raises(records.NoDeferredSlash):
        world.staking.cancel_slash(frame.ROOT, 0, V2, PART)
    call = call_of(Staking.cancel_slash, 0, V1, PART)
    assert [track for track in Track if allows(track, call)] == [Track.SLASHES]
