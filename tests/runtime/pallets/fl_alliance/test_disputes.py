"""Disputes: who sent what it did not commit to loses; who is honest cannot be accused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.pallets.fl_alliance import events, refusals
from runtime.pallets.fl_alliance.stages import Outcome, Stage, Standing, VoidReason
from runtime.pallets.fl_alliance.terms import Mode
from tests.runtime.pallets.fl_alliance.alliance_world import WINDOWS, new_alliance, vrf_key, yes
from tests.runtime.pallets.fl_alliance.test_aggregation import (
    HALF_PROPOSE,
    PARAMETERS,
    VOTERS,
    Aggregated,
    seated,
)
from tests.runtime.pallets.world import account


def at_dispute() -> Aggregated:
    """b sends what it did not commit to; the voters cannot tell."""
    found = seated()
    found.sends_wrong = "b"
    found.propose()
    found.made.go_to(Stage.AGGREGATE)
    return found


def test_a_client_that_sent_a_wrong_opening_is_out_of_the_sum_and_loses() -> None:
    found = at_dispute()
    found.accuse("d", "b")
    assert found.made.world.events(events.ClientAtFault) == [
        events.ClientAtFault(1, 0, account("b"), 0)
    ]
    found.made.settle()
    assert found.result().void is VoidReason.TOO_FEW_CLIENTS  # two are left
    assert [found.standing(name) for name in "abcd"] == [
        Standing.EXEMPT,
        Standing.LOSING,
        Standing.EXEMPT,
        Standing.EXEMPT,
    ]


def test_an_honest_client_cannot_be_accused() -> None:
    found = at_dispute()
    with pytest.raises(refusals.ChunkIsFine):
        found.accuse("d", "a")
    with pytest.raises(refusals.NotTheAggregator):
        found.accuse("e", "a")
    for name in ("d", "idle"):
        with pytest.raises(events.NotAProposer):
            found.accuse("d", "a", client=account(name))
    for changes in (
        {"piece": found.pieces["b"][0]},
        {"piece": b""},
        {"place": 1},
        {"path": [bytes(32)]},
        {"client": account("c")},
        {"shared": vrf_key("a")},
    ):
        with pytest.raises(refusals.BadAccusation):
            found.accuse("d", "a", **changes)


def test_an_accusation_gives_the_aggregator_its_time_anew() -> None:
    made = new_alliance(
        *"abcdefghi",
        mode=Mode.ZK,
        parameters=PARAMETERS,
        windows=replace(WINDOWS, aggregate=5),
        **HALF_PROPOSE,
    )
    made.seat("abci", VOTERS)
    found = Aggregated(made, sends_wrong="b")
    found.propose("abci")
    made.go_to(Stage.AGGREGATE)
    found.accuse("d", "b")
    assert (made.stage, made.round.aggregate, found.aggregation.faulty) == (
        Stage.AGGREGATE,
        0b1101,
        0b0010,
    )
    with pytest.raises(events.NotAProposer):
        found.accuse("d", "b")
    found.post("d", found.proof())
    made.vote({name: yes() for name in VOTERS})
    assert found.result().outcome is Outcome.ACCEPTED
    assert found.standing("b") is Standing.LOSING
    assert found.standing("i") is Standing.GOOD


def test_more_accusations_give_no_more_time() -> None:
    made = new_alliance(
        *"abcdefghij",
        mode=Mode.ZK,
        parameters=PARAMETERS,
        windows=replace(WINDOWS, aggregate=5),
        **HALF_PROPOSE,
    )
    made.seat("abcij", VOTERS)
    found = Aggregated(made, sends_wrong="bc")
    found.propose("abcij")
    made.go_to(Stage.AGGREGATE)
    made.world.next_block()
    found.accuse("d", "b")
    until = found.pallet.progress.get(made.task).until
    made.world.next_block()
    found.accuse("d", "c")
    assert found.pallet.progress.get(made.task).until == until
    assert (made.stage, made.round.aggregate) == (Stage.AGGREGATE, 0b11001)
    found.post("d", found.proof())
    made.vote({name: yes() for name in VOTERS})
    assert found.result().outcome is Outcome.ACCEPTED
