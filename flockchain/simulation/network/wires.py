"""The network in memory with what real ones do: lost, doubled, late and one-way messages.

Owns the conditions of every link; `MemoryHub` carries the messages. Invariant: a node that is
paused hears nothing until it wakes, and then all of it in order; what a liar sends is judged by the
same door as everything else.
Source: TigerBeetle's packet simulator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

from p2p.interface import PeerId
from p2p.memory import PARTS_PER_MILLION, MemoryHub

TAIL_MS_MAX: Final = 10_000  # how late the latest message of a bad time may be
_TAIL_PPM: Final = 2_000  # share of messages that far out


@dataclass(slots=True)
class Weather:
    """How the network is for everybody."""

    mean_ms: int = 40
    tail_ms: int = 0
    drop_ppm: int = 0
    duplicate_ppm: int = 0


Outbox = Callable[[PeerId, str, bytes], Iterable[bytes]]
"""(receiver, topic, data) to what is sent instead: nothing, the same, or something else."""


class Wires(MemoryHub):
    """Links with weather, one-way cuts, sleeping receivers and liars' outboxes."""

    def __init__(self, prng: Random) -> None:
        super().__init__(prng, self._latency_of)
        self.weather = Weather()
        self.cuts: dict[tuple[PeerId, PeerId], int] = {}
        """Directions that are cut, and how often."""
        self.asleep_until: dict[PeerId, int] = {}
        self.outboxes: dict[PeerId, Outbox] = {}
        self.carried = 0

    def set_weather(self, weather: Weather) -> None:
        """From now on the network is like this."""
        self.weather = weather
        self.drop_ppm = weather.drop_ppm
        self.duplicate_ppm = weather.duplicate_ppm

    def cut(self, sender: PeerId, receiver: PeerId) -> None:
        """Lose what `sender` sends to `receiver`; several cuts add up."""
        self.cuts[(sender, receiver)] = self.cuts.get((sender, receiver), 0) + 1

    def mend(self, sender: PeerId, receiver: PeerId) -> None:
        """Undo one cut."""
        left = self.cuts.pop((sender, receiver)) - 1
        if left:
            self.cuts[(sender, receiver)] = left

    def is_here(self, peer: PeerId) -> bool:
        """Whether the node runs."""
        return peer in self._nodes

    def send(
        self, sender: PeerId, receiver: PeerId, size: int, deliver: Callable[[], None]
    ) -> None:
        """Carry one message unless its direction is cut."""
        if self.cuts and (sender, receiver) in self.cuts:
            return
        super().send(sender, receiver, size, deliver)

    def send_gossip(self, sender: PeerId, receiver: PeerId, topic: str, data: bytes) -> None:
        """Carry what the sender's outbox makes of a gossip message."""
        outbox = self.outboxes.get(sender)
        if outbox is None:
            super().send_gossip(sender, receiver, topic, data)
            return
        for message in outbox(receiver, topic, data):
            super().send_gossip(sender, receiver, topic, message)

    def send_plain(self, sender: PeerId, receiver: PeerId, topic: str, data: bytes) -> None:
        """Carry a message past the sender's outbox."""
        super().send_gossip(sender, receiver, topic, data)

    def when_awake(self, peer: PeerId, act: Callable[[], None]) -> None:
        """Act now, or when the node wakes."""
        wait_ms = self.asleep_until.get(peer, 0) - self.now_ms
        if wait_ms > 0:
            self.schedule(wait_ms, lambda: self.when_awake(peer, act))
        else:
            act()

    def hand_over(self, receiver: PeerId, deliver: Callable[[], None]) -> None:
        """Let the receiver hear it now, or when it wakes, if it runs then."""
        asleep_until = self.asleep_until
        if asleep_until and asleep_until.get(receiver, 0) > self.now_ms:
            self.when_awake(receiver, partial(self.hand_over, receiver, deliver))
        elif receiver in self._nodes:
            self.carried += 1
            deliver()

    def _latency_of(self, prng: Random, _sender: PeerId, _receiver: PeerId, size: int) -> int:
        weather = self.weather
        delay_ms = weather.mean_ms // 2 + prng.randrange(weather.mean_ms + 1) + size // 100_000
        if weather.tail_ms and prng.randrange(PARTS_PER_MILLION) < _TAIL_PPM:
            delay_ms += prng.randrange(weather.tail_ms)
        return delay_ms
