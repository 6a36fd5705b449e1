"""Peers that promise long chains and never answer do not keep a node from an honest peer."""

from __future__ import annotations

from flockchain.simulation.cluster import Cluster
from flockchain.sync.block_sync import BlockSync
from p2p.interface import OnResponse, PeerError, PeerId
from runtime.primitives.types import Hash
from tests.simulation.world import devnet_genesis, keys_of

SILENT = (PeerId("silent 1"), PeerId("silent 2"), PeerId("silent 3"))
HONEST = PeerId("honest")
TIMEOUT_MS = 10_000


class Clock:
    """Time that the test moves."""

    ms = 0

    def now_ms(self) -> int:
        return self.ms


class Silence:
    """A network on which every question runs into its time-out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: list[OnResponse] = []
        self.asked: list[PeerId] = []
        self.local_peer_id = PeerId("we")

    def listen_addresses(self) -> list[str]:
        return []

    def peers(self) -> list[PeerId]:
        return [HONEST, *SILENT]

    def publish(self, topic: str, data: bytes) -> None:
        raise AssertionError("sync publishes nothing")

    def request(
        self, peer: PeerId, protocol: str, data: bytes, on_response: OnResponse, timeout_ms: int
    ) -> None:
        self.asked.append(peer)
        self._open.append(on_response)

    def disconnect(self, peer: PeerId, reason: str) -> None:
        """Nobody is cut off."""

    def report(self, peer: PeerId, change: int, reason: str) -> None:
        """Silence alone is no offence."""

    def time_out(self) -> None:
        """The open question ends without an answer."""
        self._clock.ms += TIMEOUT_MS
        self._open.pop()(PeerError("no answer"))


def test_an_empty_promise_does_not_keep_a_node_syncing() -> None:
    """The past is fetched, and wallets are told the truth, once the promise was tried."""
    backend = Cluster(devnet_genesis(keys_of(1)), [None], seed=1).nodes()[0].backend
    clock = Clock()
    network = Silence(clock)
    sync = BlockSync(backend, network, clock, lambda _: None)
    sync.on_peer(SILENT[0], 2**32 - 1, Hash(b"\x01" * 32))
    sync.on_peer(HONEST, 3, Hash(b"\x09" * 32))
    assert sync.is_syncing()
    network.time_out()
    assert not sync.is_syncing()
    assert sync.target() == 3


def test_those_who_failed_less_often_are_asked_first() -> None:
    backend = Cluster(devnet_genesis(keys_of(1)), [None], seed=1).nodes()[0].backend
    clock = Clock()
    network = Silence(clock)
    sync = BlockSync(backend, network, clock, lambda _: None)
    for number, peer in enumerate(SILENT):
        sync.on_peer(peer, 2**32 - 1 - number, Hash(bytes([number]) * 32))
    sync.on_peer(HONEST, 300, Hash(b"\x09" * 32))
    for _ in range(11):
        network.time_out()
    assert [network.asked.count(peer) for peer in (*SILENT, HONEST)] == [3, 3, 3, 3]
