"""Safety of whole voters under loss, partitions, crashes and liars, on a virtual clock.

`Network` asserts at each finalized block that no two of them conflict. Weights of liars stay below
a third; one run in which they do not shows that the assertion can fail.
"""

import pytest

from flockchain.consensus.grandpa.accountability import find_guilty
from flockchain.consensus.grandpa.journal import MemoryJournal, Recovered
from flockchain.consensus.grandpa.messages import (
    CatchUp,
    Envelope,
    GossipVote,
    Message,
    Precommit,
    Prevote,
    VoteMessage,
)
from tests.flockchain.consensus.grandpa.keys import authority, sign
from tests.flockchain.consensus.grandpa.network import Network, Node

FOUR = dict.fromkeys(["alice", "bob", "carol", "dave"], 1)
SEVEN = dict.fromkeys("abcdefg", 1)


class Liar:
    """Signs, for each other node, that node's favourite of all blocks it could vote for."""

    def __init__(self, network: Network, name: str) -> None:
        self.network, self.name = network, name
        self.rounds: dict[str, int] = {}

    def lie(self) -> None:
        network = self.network
        network.at(network.now + 250, self.lie)
        for node in network.nodes.values():
            if node.is_up:
                for kind in (Prevote, Precommit):
                    self.send(node, kind)

    def send(self, node: Node, kind: type[Prevote] | type[Precommit]) -> None:
        best = node.tree.best_containing(node.finalized.hash)
        assert best is not None
        number = node.voter.round_number
        leaves = [header for header in node.tree.headers() if header.number >= best.number - 1]
        lie = self.network.random.choice(leaves)
        message: Message = kind(lie.hash(), lie.number)
        vote = VoteMessage(number, 0, sign(self.name, message, number))
        self.network.gossip(self.name, Envelope(self.network.now, GossipVote(vote)), [node.name])


def lying_network(honest: str, liars: str, seed: int, **options: float) -> Network:
    network = Network(SEVEN, seed, **options)
    for name in honest:
        network.add(name)
    network.start_all()
    network.make_blocks(fork_chance=0.4)
    for name in liars:
        Liar(network, name).lie()
    return network


@pytest.mark.parametrize("seed", range(8))
def test_liars_below_a_third_break_nothing_and_cannot_stop_finality(seed):
    network = lying_network("abcde", "fg", seed, loss=0.05 * (seed % 4))
    groups = {name: network.random.randint(0, 1) for name in "abcdefg"}
    network.run(5_000)
    network.can_reach = lambda one, other: groups[one] == groups[other] or one in "fg"
    network.run(20_000)
    network.can_reach = lambda one, other: True
    network.run(45_000)
    network.check_votes()
    assert network.conflicts == []
    best = max(header.number for header in network.all_blocks.headers())
    assert min(node.finalized.number for node in network.nodes.values()) >= best - 8
    assert {found.authority for found in network.evidence} <= {authority("f"), authority("g")}
    assert network.evidence


class Flatterer(Liar):
    """Tells each node that it agrees with whatever that node voted."""

    def send(self, node: Node, kind: type[Prevote] | type[Precommit]) -> None:
        said = [vote for vote in node.sent_votes[-4:] if isinstance(vote.message.message, kind)]
        for vote in said:
            agreed = VoteMessage(vote.round, 0, sign(self.name, vote.message.message, vote.round))
            self.network.gossip(
                self.name, Envelope(self.network.now, GossipVote(agreed)), [node.name]
            )


def test_three_flatterers_of_seven_in_a_split_network_break_safety_and_are_named():
    network = Network(SEVEN, 1)
    network.must_be_safe = False
    for name in "abcd":
        network.add(name)
    network.start_all()
    network.make_blocks()
    sides = {"a": 0, "b": 0, "c": 1, "d": 1}
    network.can_reach = lambda one, other: one in "efg" or sides[one] == sides[other]
    for name in "efg":
        Flatterer(network, name).lie()
    network.run(20_000)
    assert network.breaks > 0
    guilty = {authority(name) for name in "efg"}
    named = [
        {found.authority for found in find_guilty(first, second, network.authorities)}
        for first in network.nodes["a"].proofs
        for second in network.nodes["c"].proofs
    ]
    assert guilty in named
    assert all(names <= guilty for names in named)
    network.can_reach = lambda one, other: True
    network.run(40_000)
    assert network.conflicts
    assert {found.authority for found in network.evidence} <= guilty


class Crash(OSError):
    """The process ends at a journal write."""


class CrashingJournal(MemoryJournal):
    """Ends the process at the write number `at`, before or after it reached the disk."""

    def __init__(self, at: int, *, is_written: bool) -> None:
        super().__init__()
        self.left, self.is_written = at, is_written

    def record(self, vote: VoteMessage) -> None:
        self._write(lambda: MemoryJournal.record(self, vote))

    def record_completed(self, set_id: int, completed: CatchUp) -> None:
        self._write(lambda: MemoryJournal.record_completed(self, set_id, completed))

    def _write(self, write) -> None:
        self.left -= 1
        if self.left != 0:
            write()
            return
        if self.is_written:
            write()
        raise Crash("killed")


def run_with_crash(at: int, *, is_written: bool) -> Network:
    """Dave's process dies at one of its writes and is started again two seconds later."""
    network = Network(FOUR, at)
    for name in ("alice", "bob", "carol"):
        network.add(name)
    dave = network.add("dave", CrashingJournal(at, is_written=is_written))
    network.start_all()
    network.make_blocks(fork_chance=0.3)
    crashed = 0
    while network.now < 14_000:
        try:
            network.run(14_000)
        except Crash:
            crashed += 1
            dave.stop()
            network.at(network.now + 2_000, dave.start)
    assert crashed == 1
    return network


@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.parametrize("at", range(1, 13))
def test_a_crash_at_any_journal_write_never_makes_a_second_vote(at, is_written):
    network = run_with_crash(at, is_written=is_written)
    network.check_votes()
    assert network.evidence == []
    dave = network.nodes["dave"]
    assert dave.voter.is_voting
    assert network.nodes["alice"].finalized.number - dave.finalized.number <= 3


def test_a_journal_that_forgets_is_caught_by_its_own_echo():
    """The control: without a journal a restart would vote twice, were it not for the peers."""
    network = Network(FOUR, 3)
    for name in FOUR:
        network.add(name)
    network.start_all()
    network.make_blocks()
    network.run(8_900)
    dave = network.nodes["dave"]
    dave.stop()
    dave.journal = MemoryJournal()
    assert dave.journal.load(0) == Recovered()
    dave.start()
    network.run(20_000)
    network.check_votes()
    assert not dave.voter.is_voting
