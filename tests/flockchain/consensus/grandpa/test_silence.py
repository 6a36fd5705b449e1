"""Who starts listens first: which answers end its silence, and whom it asks."""

from dataclasses import replace

import pytest

from flockchain.consensus.grandpa.effects import AskCatchUp
from flockchain.consensus.grandpa.messages import (
    CatchUpRequest,
    CatchUpResponse,
    Envelope,
    GossipNeighbour,
    View,
)
from p2p.interface import PeerId
from runtime.primitives.types import Hash
from tests.flockchain.consensus.grandpa.alone import FIRST, FOUR, PEER, Alone, catch_up, votes_in
from tests.flockchain.consensus.grandpa.keys import authority_set, prevote


@pytest.mark.parametrize(
    ("asked", "view", "speaks"),
    [
        (CatchUpRequest(0, 1), View(1, 0, 0), True),
        (CatchUpRequest(1, 1), View(1, 0, 0), False),  # about another set: no vote was named
        (CatchUpRequest(0, 1), View(3, 0, 0), False),  # ahead, and nothing leads there
    ],
)
def test_only_an_answer_that_names_our_votes_ends_the_silence(
    asked: CatchUpRequest, view: View, speaks: bool
):
    alone = Alone(is_silent=True)
    alone.voter.on_peer_connected(0, PEER)
    alone.voter.on_catch_up(0, PEER, asked, CatchUpResponse(view, None, []))
    assert bool(votes_in(alone.voter.on_tick(700))) is speaks


def test_proof_that_our_round_is_over_outweighs_a_peer_that_lacks_it_too():
    """Say one that syncs as we do after a lost disk: in this round our key has voted before."""
    alone = Alone(is_silent=True)
    whole = catch_up(alone)
    lost = CatchUpResponse(View(10, 0, 0), replace(whole, base_hash=Hash(b"?" * 32)), [])
    alone.voter.on_catch_up(1, PEER, CatchUpRequest(0, 1), lost)
    alone.answer(2, CatchUpResponse(FIRST, None, []))
    assert votes_in(alone.voter.on_tick(700)) == []
    assert not alone.voter.has_heard
    alone.answer(701, CatchUpResponse(View(10, 0, 0), whole, []))
    (cast,) = votes_in(alone.voter.on_tick(1_400))
    assert cast == prevote("alice", cast.message.target, 10)


@pytest.mark.parametrize("kind", ["prevotes", "precommits"])
def test_less_than_a_supermajority_proves_no_round(kind: str):
    alone = Alone(is_silent=True)
    whole = replace(catch_up(alone), base_hash=Hash(b"?" * 32))
    light = replace(whole, **{kind: getattr(whole, kind)[:2]})
    alone.answer(0, CatchUpResponse(View(10, 0, 0), light, []))
    alone.answer(1, CatchUpResponse(FIRST, None, []))
    assert votes_in(alone.voter.on_tick(700)) != []


@pytest.mark.parametrize(("asked_about", "is_believed"), [(0, True), (1, False)])
def test_who_was_asked_about_an_earlier_set_had_nothing_to_show(
    asked_about: int, is_believed: bool
):
    alone = Alone()
    alone.voter.on_peer_connected(0, PEER)
    alone.voter.enact(1, authority_set(FOUR, set_id=1), alone.tree["E"])
    told = CatchUpResponse(View(5, 1, 7), None, [])
    alone.voter.on_catch_up(2, PEER, CatchUpRequest(asked_about, 1), told)
    assert alone.voter.final_heights() == ([(PEER, 7)] if is_believed else [])


def test_a_claim_of_a_high_round_keeps_no_silent_voter_from_asking_the_others():
    alone = Alone(is_silent=True)
    for name in ("honest", "mute"):
        alone.voter.on_peer_connected(0, PeerId(name))
    claim = Envelope(0, GossipNeighbour("mute", View(2**40, 0, 0)))
    alone.voter.on_message(1, PeerId("mute"), claim)
    asked = [
        effect.peer
        for now in range(1_000, 5_000, 1_000)
        for effect in alone.voter.on_tick(now)
        if isinstance(effect, AskCatchUp)
    ]
    assert asked == ["mute", "honest"] * 2
