"""Random locks, proposals and votes: every invariant after every call and block, no token lost."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.economy.governance import Track
from runtime.frame.errors import DispatchError
from runtime.frame.origin import ROOT, signed
from runtime.primitives.types import FML
from tests.runtime.pallets.governance.dao_world import NAMES, SPEND, WHY, Dao, account

AMOUNTS = (0, 1, FML, 7 * FML + 3, 60 * FML, 400 * FML)
DAYS = (1, 30, 31, 365)
operations = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 3), st.integers(0, 3), st.integers(0, 5)),
    min_size=5,
    max_size=30,
)


def act(world: Dao, operation: tuple[int, int, int, int]) -> None:
    """One call or some blocks; a call may be refused."""
    kind, first, second, third = operation
    who, other, dao = signed(account(NAMES[first])), account(NAMES[second]), world.dao
    latest = max(dao.next_proposal.get() - 1 - third % 2, 0)
    match kind:
        case 0 | 1:
            dao.lock(who, AMOUNTS[third], DAYS[second])
        case 2:
            dao.unlock(who, AMOUNTS[third])
        case 3:
            dao.withdraw(who)
        case 4:
            dao.delegate(who, other)
        case 5:
            dao.undelegate(who)
        case 6:
            dao.propose(who, Track.TREASURY, WHY, SPEND)
        case 7:
            dao.flag(who, latest, second > 0)
        case 8 | 9:
            dao.vote(who, latest, second > 0)
        case 10:
            dao.attest_account(ROOT, other, third > 0)
        case _:
            world.go((1, 1, 5, 10, 12, 20)[third])


def total(world: Dao) -> int:
    """Genesis and minted less burned."""
    balances = world.balances
    made = balances.genesis_issuance.get() + balances.total_minted.get()
    return made - balances.total_burned.get()


@settings(max_examples=40, deadline=None)
@given(operations)
def test_nothing_is_lost_and_all_is_consistent(made: list[tuple[int, int, int, int]]) -> None:
    world = Dao()
    before = total(world) - world.balances.issuance()
    for operation in made:
        try:
            with world.runtime.ext.transaction():
                act(world, operation)
        except DispatchError:
            pass
        world.runtime.governance.try_state()
        world.runtime.balances.try_state()
    world.go(40)  # all that was proposed is over
    assert world.dao.live.get() == []
    assert total(world) - world.balances.issuance() == before
    for name in NAMES:
        position = world.dao.positions.find(account(name))
        if position is not None and position.now.own.tokens:
            world.dao.unlock(signed(account(name)), position.now.own.tokens)
    assert world.dao.total_locked.get() == 0
    world.dao.try_state()
