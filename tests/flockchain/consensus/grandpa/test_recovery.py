"""Voters that come back: with nothing on their disk, unheard, or after a long stall."""

import itertools
from dataclasses import replace

from flockchain.consensus.grandpa.journal import MemoryJournal
from flockchain.consensus.grandpa.messages import BlockRef
from flockchain.consensus.grandpa.voting_rule import SPAN_MAX
from tests.flockchain.consensus.grandpa.network import CONFIG, Network, Node
from tests.flockchain.consensus.grandpa.tree import make_header

RECOVERY = replace(CONFIG, is_recovery=True)


def network(seed: int, *names: str) -> Network:
    """Voters of equal weight that have finalized for ten seconds."""
    made = Network(dict.fromkeys(names, 1), seed)
    for name in names:
        made.add(name)
    made.start_all()
    made.make_blocks(fork_chance=0.1)
    made.run(10_000)
    return made


def heights(made: Network) -> list[int]:
    return [node.finalized.number for node in made.nodes.values()]


def lose_journal(made: Network, name: str) -> Node:
    """The voter's node stops for a second and has nothing left on its disk."""
    node = made.nodes[name]
    node.stop()
    made.run(made.now + 1_000)
    node.journal = MemoryJournal()
    return node


def test_a_voter_that_lost_its_journal_refuses_to_vote():
    made = network(9, "alice", "bob", "carol", "dave")
    made.nodes["carol"].stop()  # now dave is needed, and the round it voted in stays
    node = lose_journal(made, "dave")
    sent = len(node.sent_votes)
    made.run(made.now + 3_000)
    node.start()
    made.run(20_000)
    assert len(node.sent_votes) == sent
    assert len(node.stops) == 1
    assert "or this one's database was lost or restored" in node.stops[0].reason
    made.check_votes()


def test_a_voter_with_an_empty_disk_is_not_misled_by_a_node_that_syncs_beside_it():
    made = network(12, "alice", "bob", "carol", "dave")
    made.nodes["dave"].stop()
    made.run(20_000)
    fresh = [made.add("observer"), made.add("dave'")]
    sync, until_ms = made.sync, made.now + 5_000

    def sync_late(node: Node, source: Node) -> None:
        if node not in fresh or made.now >= until_ms:
            sync(node, source)

    made.sync = sync_late
    for node in fresh:
        node.start()
    made.run(40_000)
    assert min(vote.round for vote in fresh[1].sent_votes) > 10
    made.check_votes()


def test_told_to_recover_it_votes_where_it_cannot_have_voted_before():
    made = network(10, "alice", "bob", "carol", "dave")
    node = lose_journal(made, "dave")
    sent = len(node.sent_votes)
    others = made.nodes["alice"].voter.round_number
    node.start(RECOVERY)
    made.run(20_000)
    assert min(vote.round for vote in node.sent_votes[sent:]) > others + 1
    assert node.voter.is_voting
    assert made.evidence == []
    made.check_votes()


def test_a_recovering_voter_that_is_needed_takes_its_votes_over_and_ends_the_round():
    made = network(11, "alice", "bob", "carol")
    node = lose_journal(made, "carol")
    halted = max(heights(made))
    node.start(RECOVERY)
    made.run(50_000)
    assert max(heights(made)) <= halted + 3
    made.run(90_000)
    assert min(heights(made)) > 60
    assert made.evidence == []
    made.check_votes()


def test_nobody_votes_before_a_peer_of_its_set_has_answered():
    made = Network(dict.fromkeys(["alice", "bob", "carol", "dave"], 1), 12)
    for name in ("alice", "bob", "carol", "dave"):
        made.add(name)
    made.can_reach = lambda one, other: "dave" not in (one, other)
    made.start_all()
    made.make_blocks()
    made.run(15_000)
    late = made.nodes["dave"]
    assert (late.voter.is_observing, late.voter.has_heard) == (True, False)
    assert late.sent_votes == []
    made.can_reach = lambda one, other: True
    made.run(30_000)
    assert late.sent_votes != []
    assert not late.voter.is_observing


def test_who_decides_alone_waits_for_no_answer():
    made = network(13, "alice")
    assert min(heights(made)) >= 5


def test_finality_returns_in_steps_after_a_long_stall():
    made = network(14, "alice", "bob", "carol", "dave")
    for name in ("carol", "dave"):
        made.nodes[name].stop()
    made.run(12_000)
    halted = max(heights(made))
    alice = made.nodes["alice"]
    for node in made.nodes.values():
        for known in made.all_blocks.headers():
            if known.number:
                node.tree.add(known)
    head = alice.tree.best_containing(alice.finalized.hash)
    assert head is not None
    for place in range(1_500):
        header = make_header(head.hash, head.number + 1, f"stalled {place}")
        made.all_blocks.add(header)
        for node in made.nodes.values():
            node.tree.add(header)
        head = BlockRef(header.hash(), header.number)
    made.nodes["carol"].start()
    made.run(30_000)
    assert min(heights(made)[:3]) > head.number
    final = [halted, *(proof.commit.target_number for proof in alice.proofs)]
    steps = [high - low for low, high in itertools.pairwise(final) if high > halted]
    assert 2 <= len([step for step in steps if step > 100]) <= 8
    assert max(steps) <= SPAN_MAX
    assert all(len(proof.votes_ancestries) <= SPAN_MAX for proof in alice.proofs)
    made.check_votes()
