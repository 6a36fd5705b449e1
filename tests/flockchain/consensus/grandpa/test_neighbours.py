"""Neighbours: who is ahead is asked, who cannot show it is not believed, views only rise."""

from flockchain.consensus.grandpa.messages import View
from flockchain.consensus.grandpa.neighbours import Neighbours
from p2p.interface import PeerId

ONE, TWO, THREE = (PeerId(name) for name in ("one", "two", "three"))
OWN = View(round=5, set_id=2, commit_finalized_height=40)


def known() -> Neighbours:
    neighbours = Neighbours(interval_ms=1_000)
    for peer in (ONE, TWO, THREE):
        neighbours.add(peer)
    return neighbours


def test_all_are_asked_in_turn_while_nobody_is_known_to_be_ahead():
    neighbours = known()
    assert [neighbours.next_peer(OWN) for _ in range(4)] == [TWO, THREE, ONE, TWO]
    assert Neighbours(1_000).next_peer(OWN) is None


def test_who_is_ahead_in_our_set_is_asked_every_other_time():
    neighbours = known()
    neighbours.note(ONE, View(9, 1, 30))
    neighbours.note(TWO, View(8, 2, 44))
    neighbours.note(THREE, View(5, 2, 40))
    assert [neighbours.next_peer(OWN) for _ in range(5)] == [TWO, THREE, TWO, ONE, TWO]
    neighbours.remove(TWO)
    assert {neighbours.next_peer(OWN) for _ in range(6)} == {ONE, THREE}


def test_those_ahead_take_turns():
    neighbours = known()
    for peer in (ONE, TWO, THREE):
        neighbours.note(peer, View(8, 2, 44))
    assert {neighbours.next_peer(OWN) for _ in range(3)} == {ONE, TWO, THREE}
    neighbours.add(PeerId("four"))
    assert {neighbours.next_peer(OWN) for _ in range(6)} == {ONE, TWO, THREE, PeerId("four")}


def test_views_only_rise_until_the_peer_comes_anew():
    neighbours = known()
    neighbours.note(ONE, View(8, 2, 44))
    neighbours.note(ONE, View(7, 2, 43))
    assert neighbours.view(ONE) == View(8, 2, 44)
    neighbours.note(ONE, View(1, 3, 50))
    assert neighbours.view(ONE) == View(1, 3, 50)
    neighbours.remove(ONE)
    neighbours.note(ONE, View(2, 3, 50))
    assert neighbours.view(ONE) is None
    neighbours.add(ONE)
    neighbours.note(ONE, View(1, 0, 0))
    assert neighbours.view(ONE) == View(1, 0, 0)


def test_who_claimed_too_much_is_believed_again_only_after_it_came_anew():
    neighbours = known()
    neighbours.note(ONE, View(10**6, 2, 44))
    neighbours.distrust(ONE)
    neighbours.note(ONE, View(10**6, 2, 44))
    assert neighbours.view(ONE) is None
    neighbours.distrust(PeerId("gone"))
    neighbours.remove(ONE)
    neighbours.add(ONE)
    neighbours.note(ONE, View(6, 2, 44))
    assert neighbours.view(ONE) == View(6, 2, 44)


def test_votes_are_of_use_to_whom_they_can_reach_in_time():
    neighbours = Neighbours(1_000)
    assert not neighbours.can_use_votes(OWN)
    neighbours.add(ONE)
    assert neighbours.can_use_votes(OWN)
    for view, is_of_use in (
        (View(3, 1, 30), False),  # another set
        (View(3, 2, 30), True),
        (View(6, 2, 41), True),
        (View(7, 2, 42), False),  # votes of rounds 4 and 5 are history there
    ):
        neighbours.note(ONE, view)
        assert neighbours.can_use_votes(OWN) is is_of_use


def test_a_second_question_waits():
    neighbours = known()
    assert neighbours.is_due(0)
    neighbours.asked(0)
    assert not neighbours.is_due(999)
    assert neighbours.is_due(1_000)


def test_final_heights_are_those_of_peers_that_told_and_are_believed():
    neighbours = known()
    neighbours.note(ONE, View(8, 2, 44))
    neighbours.note(TWO, View(5, 2, 90))
    assert neighbours.final_heights() == [(ONE, 44), (TWO, 90)]
    neighbours.distrust(TWO)
    assert neighbours.final_heights() == [(ONE, 44)]
