"""Random payments, locks and votes on models: every invariant after each, no token lost."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.frame.errors import DispatchError
from runtime.pallets.trends.records import Part
from runtime.primitives.types import FML
from tests.runtime.pallets.marketplace.market_world import account, origin
from tests.runtime.pallets.trends.season_world import HOSTED, PAYERS, VOTERS, Seasons

PAID = (FML // 4, FML, 7 * FML + 3, 60 * FML, 300 * FML)
SHARES = (0, 1, 250_000, 333_333, 1_000_000)
operations = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 5), st.integers(0, 3), st.integers(0, 4)),
    min_size=10,
    max_size=40,
)


def act(world: Seasons, operation: tuple[int, int, int, int]) -> None:
    """One call or some blocks; a call may be refused."""
    kind, first, second, third = operation
    voter, model = origin(VOTERS[first % 4]), HOSTED[second]
    match kind:
        case 0 | 1 | 2 | 3:
            world.pay(PAYERS[first], model, PAID[third])
        case 4:
            world.dao.lock(voter, PAID[third], (1, 31, 365)[first % 3])
        case 5:
            world.dao.unlock(voter, PAID[third])
        case 6:
            world.dao.delegate(voter, account(VOTERS[second]))
        case 7 | 8:
            parts = [Part(model, SHARES[third]), Part(HOSTED[first % 4], SHARES[-third])]
            world.trends.vote(voter, parts[: 1 + third % 2])
        case _:
            world.go((1, 7, 20, 41, 60)[third])


@settings(max_examples=12, deadline=None)
@given(operations)
def test_nothing_is_lost_and_all_is_consistent(made: list[tuple[int, int, int, int]]) -> None:
    world = Seasons()
    balances = world.balances
    lost = balances.total_minted.get() - balances.total_burned.get() - balances.issuance()
    for operation in made:
        try:
            with world.runtime.ext.transaction():
                act(world, operation)
        except DispatchError:
            pass
        world.trends.try_state()
    world.go_to(world.number + 4 * 60)
    assert balances.total_minted.get() - balances.total_burned.get() - balances.issuance() == lost
    assert list(world.trends.boosts.keys()) == []
    assert list(world.trends.payers.keys()) == list(world.trends.ballots.keys()) == []
