"""The network in memory, on virtual time, for simulations that replay bit for bit.

It owns the clock, the queue of deliveries and the links between nodes. Invariant: nothing is
delivered outside `deliver_until`, and the same seed and calls give the same deliveries in the
same order. A handler that raises ends the simulation: it is a bug.
Source: WP II.A (peer-to-peer layer)
"""

import heapq
from collections.abc import Callable, Iterable
from functools import partial
from random import Random
from typing import Final

from p2p.interface import NetworkHandler, OnResponse, PeerId
from p2p.memory_node import MemoryNetwork

__all__ = ["Latency", "MemoryHub", "MemoryNetwork"]

Latency = Callable[[Random, PeerId, PeerId, int], int]
"""(prng, sender, receiver, size in bytes) to the delay of one message in milliseconds."""

REDIAL_MS: Final = 2_000
"""A wanted link that went down is dialled again after this time."""
PARTS_PER_MILLION: Final = 1_000_000


class MemoryHub:
    """Virtual time, the queue of deliveries and the links between nodes."""

    def __init__(self, prng: Random, latency: Latency) -> None:
        self.now_ms = 0
        self.drop_ppm = 0
        """Share of gossip and request messages that are lost, in millionths."""
        self.duplicate_ppm = 0
        """Share of gossip messages that arrive twice, in millionths."""
        self._prng = prng
        self._latency = latency
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._sequence = 0
        self._nodes: dict[PeerId, MemoryNetwork] = {}
        self._wanted: dict[tuple[PeerId, PeerId], None] = {}
        self._links: dict[tuple[PeerId, PeerId], int] = {}
        """Connected pairs and the number of the connection; older deliveries are lost."""
        self._neighbours: dict[PeerId, list[PeerId]] = {}
        """Answers of `peers_of` until a link comes or goes."""
        self._groups: dict[PeerId, int] = {}

    def join(self, peer: PeerId, handler: NetworkHandler) -> MemoryNetwork:
        """Add a node, or start one again that left; its wanted links are dialled."""
        if peer in self._nodes:
            raise ValueError(f"peer {peer} joined already")
        network = MemoryNetwork(self, peer, handler)
        self._nodes[peer] = network
        self._dial_wanted(lambda pair: peer in pair)
        return network

    def leave(self, peer: PeerId) -> None:
        """Take a node away at once, as a crash does: it hears nothing more."""
        network = self._nodes.pop(peer)
        network.running = False
        for pair in [pair for pair in self._links if peer in pair]:
            self._close(pair)

    def connect(self, left: PeerId, right: PeerId) -> None:
        """Want a link between two nodes; it is dialled now and again whenever it is lost."""
        pair = _pair_of(left, right)
        self._wanted[pair] = None
        self._schedule_dial(pair, self._delay_ms(*pair, 64))

    def partition(self, groups: Iterable[Iterable[PeerId]]) -> None:
        """Cut every link between different groups; nodes named in none form one more group."""
        self._groups = {
            peer: number for number, group in enumerate(groups, start=1) for peer in group
        }
        for pair in [pair for pair in self._links if not self._is_reachable(*pair)]:
            self._close(pair)

    def heal(self) -> None:
        """End every partition; wanted links are dialled."""
        self._groups = {}
        self._dial_wanted(lambda pair: pair not in self._links)

    def next_event_ms(self) -> int | None:
        """When the next delivery is due, None when nothing is under way."""
        return self._queue[0][0] if self._queue else None

    def deliver_until(self, now_ms: int) -> None:
        """Move the clock to `now_ms` and make every delivery due by then, in order."""
        if now_ms < self.now_ms:
            raise ValueError(f"time went back from {self.now_ms} to {now_ms} ms")
        queue = self._queue
        while queue and queue[0][0] <= now_ms:
            self.now_ms, _, deliver = heapq.heappop(queue)
            deliver()
        self.now_ms = now_ms

    def schedule(self, delay_ms: int, deliver: Callable[[], None]) -> None:
        """Queue `deliver` for `delay_ms` from now; ties keep the order of scheduling."""
        self._sequence += 1
        heapq.heappush(self._queue, (self.now_ms + delay_ms, self._sequence, deliver))

    def peers_of(self, peer: PeerId) -> list[PeerId]:
        """Connected peers in ascending order."""
        known = self._neighbours.get(peer)
        if known is not None:
            return known
        others = (pair[1] if pair[0] == peer else pair[0] for pair in self._links if peer in pair)
        found = self._neighbours[peer] = sorted(others)
        return found

    def send(
        self, sender: PeerId, receiver: PeerId, size: int, deliver: Callable[[], None]
    ) -> None:
        """Carry one message over the link as it is now; it may be lost, never torn."""
        pair = (sender, receiver) if sender < receiver else (receiver, sender)
        link = self._links.get(pair)
        if link is None or (self.drop_ppm and self._is_hit(self.drop_ppm)):
            return
        # No closure: the collector would have to look at each of its cells.
        arrive = partial(self._arrive, pair, link, receiver, deliver)
        self.schedule(self._delay_ms(sender, receiver, size), arrive)

    def send_gossip(self, sender: PeerId, receiver: PeerId, topic: str, data: bytes) -> None:
        """Carry one gossip message, now and then twice."""
        hear = partial(self._hear, receiver, sender, topic, data)
        if self.duplicate_ppm and self._is_hit(self.duplicate_ppm):
            self.send(sender, receiver, len(data), hear)
        self.send(sender, receiver, len(data), hear)

    def send_request(
        self, sender: PeerId, receiver: PeerId, protocol: str, data: bytes, answer: OnResponse
    ) -> None:
        """Carry a request there and its answer back."""

        def ask() -> None:
            response = self._nodes[receiver].answer(sender, protocol, data)
            size = len(response) if isinstance(response, bytes) else 64
            self.send(receiver, sender, size, lambda: answer(response))

        self.send(sender, receiver, len(data), ask)

    def close(self, left: PeerId, right: PeerId) -> None:
        """Close the link between two nodes; a wanted link is dialled again later."""
        pair = _pair_of(left, right)
        if pair in self._links:
            self._close(pair)
            self._redial(pair)

    def hand_over(self, receiver: PeerId, deliver: Callable[[], None]) -> None:
        """Let a message that has arrived be heard."""
        deliver()

    def _arrive(
        self,
        pair: tuple[PeerId, PeerId],
        link: int,
        receiver: PeerId,
        deliver: Callable[[], None],
    ) -> None:
        if self._links.get(pair) == link:
            self.hand_over(receiver, deliver)

    def _hear(self, receiver: PeerId, sender: PeerId, topic: str, data: bytes) -> None:
        self._nodes[receiver].receive_gossip(sender, topic, data)

    def _dial(self, pair: tuple[PeerId, PeerId]) -> None:
        if pair in self._links or not self._is_reachable(*pair):
            return
        left, right = self._nodes[pair[0]], self._nodes[pair[1]]
        if left.banned_until_ms(pair[1]) or right.banned_until_ms(pair[0]):
            self._redial(pair)
            return
        left_status, right_status = left.handler.status(), right.handler.status()
        if left.is_refused(pair[1], right_status) or right.is_refused(pair[0], left_status):
            self._redial(pair)
            return
        self._sequence += 1
        self._links[pair] = self._sequence
        self._neighbours.clear()
        left.handler.on_peer_connected(pair[1], right_status)
        right.handler.on_peer_connected(pair[0], left_status)

    def _close(self, pair: tuple[PeerId, PeerId]) -> None:
        del self._links[pair]
        self._neighbours.clear()
        for peer, other in (pair, pair[::-1]):
            if peer in self._nodes:
                self._nodes[peer].lose(other)

    def _redial(self, pair: tuple[PeerId, PeerId]) -> None:
        if pair not in self._wanted or not self._is_reachable(*pair):
            return
        left, right = self._nodes[pair[0]], self._nodes[pair[1]]
        bans = (left.banned_until_ms(pair[1]), right.banned_until_ms(pair[0]))
        until_ms = max((ban for ban in bans if ban is not None), default=self.now_ms)
        self._schedule_dial(pair, until_ms - self.now_ms + REDIAL_MS)

    def _dial_wanted(self, is_due: Callable[[tuple[PeerId, PeerId]], bool]) -> None:
        for pair in self._wanted:
            if is_due(pair):
                self._schedule_dial(pair, self._delay_ms(*pair, 64))

    def _schedule_dial(self, pair: tuple[PeerId, PeerId], delay_ms: int) -> None:
        self.schedule(delay_ms, lambda: self._dial(pair))

    def _is_reachable(self, left: PeerId, right: PeerId) -> bool:
        return (
            left in self._nodes
            and right in self._nodes
            and self._groups.get(left, 0) == self._groups.get(right, 0)
        )

    def _delay_ms(self, sender: PeerId, receiver: PeerId, size: int) -> int:
        return max(0, self._latency(self._prng, sender, receiver, size))

    def _is_hit(self, share_ppm: int) -> bool:
        return self._prng.randrange(PARTS_PER_MILLION) < share_ppm


def _pair_of(left: PeerId, right: PeerId) -> tuple[PeerId, PeerId]:
    return (left, right) if left < right else (right, left)
