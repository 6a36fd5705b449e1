"""The network in memory: determinism, verdicts, requests, partitions and bans."""

import logging
from itertools import pairwise
from random import Random

import pytest

from p2p.interface import BAN_MS, REJECTED_GOSSIP_CHANGE, PeerError, PeerId, Verdict
from p2p.memory import REDIAL_MS, MemoryHub
from p2p.memory_node import MemoryNetwork
from tests.p2p.recorder import Recorder

A, B, C, D = (PeerId(name) for name in "abcd")


def latency(prng: Random, _sender: PeerId, _receiver: PeerId, size: int) -> int:
    return 5 + prng.randrange(40) + size // 1000


class Net:
    """A hub with a full mesh of recorders."""

    def __init__(self, *peers: PeerId, seed: int = 1) -> None:
        self.hub = MemoryHub(Random(seed), latency)
        self.nodes = {peer: Recorder() for peer in peers}
        self.nets: dict[PeerId, MemoryNetwork] = {
            peer: self.hub.join(peer, node) for peer, node in self.nodes.items()
        }
        for left in peers:
            for right in peers:
                if left < right:
                    self.hub.connect(left, right)
        self.run(100)

    def run(self, duration_ms: int) -> None:
        self.hub.deliver_until(self.hub.now_ms + duration_ms)

    def ask(self, peer: PeerId, of: PeerId, data: bytes) -> list[bytes | PeerError]:
        answers: list[bytes | PeerError] = []
        self.nets[peer].request(of, "sync", data, answers.append, 1_000)
        assert not answers
        return answers


def trace_of(seed: int) -> list[tuple[PeerId, int, int]]:
    net = Net(A, B, C, D, seed=seed)
    net.hub.drop_ppm, net.hub.duplicate_ppm = 100_000, 200_000
    trace: list[tuple[PeerId, int, int]] = []
    for peer, node in net.nodes.items():

        def judge(_from: PeerId, _topic: str, data: bytes, peer: PeerId = peer) -> Verdict:
            trace.append((peer, net.hub.now_ms, data[0]))
            return Verdict.ACCEPT

        node.judge = judge
    for number in range(50):
        net.nets[A].publish("transactions", bytes([number]))
        net.run(7)
    net.run(1_000)
    return trace


def test_the_same_seed_gives_the_same_trace() -> None:
    assert trace_of(7) == trace_of(7)
    assert trace_of(7) != trace_of(8)
    assert len({number for peer, _, number in trace_of(7) if peer == D}) >= 49


def test_gossip_floods_a_line_once() -> None:
    net = Net()
    peers = [PeerId(f"p{number}") for number in range(5)]
    for peer in peers:
        net.nodes[peer] = Recorder()
        net.nets[peer] = net.hub.join(peer, net.nodes[peer])
    for left, right in pairwise(peers):
        net.hub.connect(left, right)
    net.run(100)
    net.nets[peers[0]].publish("grandpa", b"vote")
    net.nets[peers[0]].publish("grandpa", b"vote")
    net.run(1_000)
    assert [len(net.nodes[peer].gossip) for peer in peers] == [0, 1, 1, 1, 1]
    assert net.nodes[peers[4]].gossip == [(peers[3], "grandpa", b"vote")]


def test_rejected_gossip_costs_reputation_and_is_not_forwarded() -> None:
    net = Net(A, B)
    net.nodes[C] = Recorder()
    net.nets[C] = net.hub.join(C, net.nodes[C])
    net.hub.connect(B, C)
    net.run(100)
    net.nodes[B].judge = lambda *_: Verdict.REJECT
    net.nets[A].publish("transactions", b"bad")
    net.run(200)
    assert net.nets[B].reputation(A) == REJECTED_GOSSIP_CHANGE
    assert not net.nodes[C].gossip
    for number in range(4):
        net.nets[A].publish("transactions", b"bad%d" % number)
    net.run(200)
    assert net.nodes[B].events[-1] == ("disconnected", A)
    assert net.nets[B].peers() == [C]
    net.run(BAN_MS - 1_000)
    assert net.nets[A].peers() == []
    net.run(REDIAL_MS + 1_000)
    assert net.nets[A].peers() == [B]


def test_ignored_gossip_may_come_again() -> None:
    net = Net(A, B, C)
    net.nodes[B].judge = lambda *_: Verdict.IGNORE
    net.nets[A].publish("block-announces", b"future")
    net.run(300)
    heard = len(net.nodes[B].gossip)
    assert heard == 2  # from A, and from C, which accepted it
    assert net.nets[B].reputation(A) == 0
    net.nodes[B].judge = lambda *_: Verdict.ACCEPT
    net.nets[B].publish("block-announces", b"other")
    net.run(300)
    net.hub.leave(C)
    net.nets[C] = net.hub.join(C, net.nodes[C])
    net.run(300)
    net.nets[C].publish("block-announces", b"future")
    net.run(300)
    assert len(net.nodes[B].gossip) == heard + 1


def test_requests_are_answered_refused_or_time_out() -> None:
    net = Net(A, B, C)
    answers = net.ask(A, B, b"abc")
    net.run(200)
    assert answers == [b"cba"]

    def refuse(_peer: PeerId, _protocol: str, _data: bytes) -> bytes:
        raise PeerError("pruned")

    net.nodes[B].serve = refuse
    refused, unknown = net.ask(A, B, b"abc"), net.ask(A, D, b"abc")
    net.run(200)
    assert [str(answer) for answer in (*refused, *unknown)] == [
        "pruned",
        "peer d is not connected",
    ]
    net.hub.drop_ppm = 1_000_000
    lost = net.ask(A, C, b"abc")
    net.run(999)
    assert not lost
    net.run(1)
    assert [str(answer) for answer in lost] == ["no answer from c within 1000 ms"]


def test_a_crash_fails_open_requests_and_a_restart_reconnects() -> None:
    net = Net(A, B)
    answers = net.ask(A, B, b"abc")
    net.hub.leave(B)
    net.run(10)
    assert [str(answer) for answer in answers] == ["peer b disconnected"]
    assert net.nodes[A].events == [("connected", B), ("disconnected", B)]
    net.nets[B] = net.hub.join(B, net.nodes[B])
    net.run(100)
    assert net.nets[A].peers() == [B]


def test_partitions_cut_and_heal() -> None:
    net = Net(A, B, C, D)
    net.hub.partition([[A, B], [C, D]])
    assert net.nets[A].peers() == [B]
    assert net.nets[C].peers() == [D]
    net.nets[A].publish("transactions", b"left")
    net.run(3_000)
    assert not net.nodes[C].gossip
    net.hub.heal()
    net.run(100)
    assert net.nets[A].peers() == [B, C, D]
    net.nets[A].publish("transactions", b"both")
    net.run(300)
    assert [data for _, _, data in net.nodes[C].gossip] == [b"both"]


def test_another_genesis_is_refused_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    hub = MemoryHub(Random(1), latency)
    ours, theirs = Recorder(), Recorder(genesis=b"other")
    net = hub.join(A, ours)
    hub.join(B, theirs)
    hub.connect(A, B)
    hub.deliver_until(2 * BAN_MS)
    assert net.peers() == []
    assert ours.refused == [B, B]
    refusals = [record.message for record in caplog.records if "refused" in record.message]
    assert refusals == ["a refused b: genesis b'other' != b'genesis'"]


def test_limits_of_the_sending_side() -> None:
    net = Net(A, B)
    with pytest.raises(ValueError, match="unknown topic 'x'"):
        net.nets[A].publish("x", b"")
    with pytest.raises(ValueError, match="message of 4097 bytes on model-hashes, at most 4096"):
        net.nets[A].publish("model-hashes", bytes(4097))
    with pytest.raises(ValueError, match="unknown request protocol 'status'"):
        net.nets[A].request(B, "status", b"", lambda _: None, 1)
