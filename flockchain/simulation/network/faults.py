"""Faults at work: what each kind does to a network when it begins and when it ends.

Invariant: a fault that ends takes nothing from those of its kind that go on; after the last one
ended the network is as it was before the first, but for what nodes lost of their disks.
Source: WP II.A.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from flockchain.simulation.network.disk import Crash, CrashMode
from flockchain.simulation.network.plan import Fault
from flockchain.simulation.network.seat import Seat
from flockchain.simulation.network.wires import TAIL_MS_MAX, Weather, Wires
from p2p.interface import PeerId

_FLAP_MS: Final = 2_000


class Ground(Protocol):
    """What faults act on."""

    wires: Wires
    seats: list[Seat]

    def stop(self, seat: Seat) -> None:
        """Take a node away at once."""

    def start(self, seat: Seat) -> None:
        """Start the node of a seat that has none."""

    def lose_disk(self, seat: Seat) -> None:
        """Nothing is left of what the node stored."""


class Faults:
    """Begins and ends the faults of a plan."""

    def __init__(self, ground: Ground, faults: Iterable[Fault]) -> None:
        self._ground = ground
        self._wires = ground.wires
        self._live: list[Fault] = []
        self._cuts: dict[int, list[tuple[PeerId, PeerId]]] = {}
        self._crashes: dict[int, list[Crash]] = {}
        self._kinds: dict[str, Callable[[Fault], None]] = {
            "split": self._cut_off,
            "one-way": self._cut_off,
            "ring": self._cut_off,
            "isolate": self._cut_off,
            "flap": self._flap,
            "skew": self._set_clock,
            "drift": self._set_clock,
            "pause": self._pause,
            "restart": self._stop,
            "lost-disk": self._stop,
            "crash": self._order_crash,
            "full-disk": self._order_crash,
        }
        for fault in faults:
            self._wires.schedule(fault.at_ms, lambda fault=fault: self._begin(fault))  # type: ignore[misc]
            self._wires.schedule(fault.until_ms, lambda fault=fault: self._end(fault))  # type: ignore[misc]

    def _begin(self, fault: Fault) -> None:
        self._live.append(fault)
        self._set_weather()
        act = self._kinds.get(fault.kind)
        if act is not None:
            act(fault)

    def _end(self, fault: Fault) -> None:
        self._live.remove(fault)
        self._set_weather()
        for sender, receiver in self._cuts.pop(id(fault), []):
            self._wires.mend(sender, receiver)
        if fault.kind in ("skew", "drift"):
            self._set_clock(fault)
        ordered = self._crashes.pop(id(fault), [])
        for seat in self._seats(fault):
            if any(seat.disk.crash is crash for crash in ordered):
                seat.disk.crash = None
            is_away = fault.kind in ("restart", "lost-disk", "crash", "full-disk")
            if is_away and not self._is_away_otherwise(seat):
                self._ground.start(seat)

    def _is_away_otherwise(self, seat: Seat) -> bool:
        kinds = ("restart", "lost-disk")
        return any(one.kind in kinds and seat.place in one.nodes for one in self._live)

    def _seats(self, fault: Fault) -> list[Seat]:
        return [self._ground.seats[place] for place in fault.nodes]

    def _set_weather(self) -> None:
        amounts = {
            kind: max((one.amount for one in self._live if one.kind == kind), default=0)
            for kind in ("loss", "duplicate", "delay")
        }
        slow = amounts["delay"]
        self._wires.set_weather(
            Weather(
                mean_ms=slow or Weather().mean_ms,
                tail_ms=TAIL_MS_MAX if slow else 0,
                drop_ppm=amounts["loss"],
                duplicate_ppm=amounts["duplicate"],
            )
        )

    def _cut_off(self, fault: Fault) -> None:
        cuts = list(self._directions(fault))
        self._cuts[id(fault)] = cuts
        for sender, receiver in cuts:
            self._wires.cut(sender, receiver)

    def _directions(self, fault: Fault) -> Iterable[tuple[PeerId, PeerId]]:
        """What a fault of the wires cuts, direction by direction."""
        seats, count = self._ground.seats, len(self._ground.seats)
        for sender in seats:
            for receiver in seats:
                here, there = sender.place, receiver.place
                if here == there:
                    continue
                is_cut = (
                    (here, there) == fault.nodes
                    if fault.kind == "one-way"
                    else (here - there) % count not in (1, count - 1)
                    if fault.kind == "ring"
                    else (here in fault.nodes) != (there in fault.nodes)
                )
                if is_cut:
                    yield sender.peer, receiver.peer

    def _flap(self, fault: Fault) -> None:
        """Cut, mend, cut again."""
        if fault not in self._live:
            return
        if id(fault) in self._cuts:
            for sender, receiver in self._cuts.pop(id(fault)):
                self._wires.mend(sender, receiver)
        else:
            self._cut_off(fault)
        self._wires.schedule(_FLAP_MS, lambda: self._flap(fault))

    def _set_clock(self, fault: Fault) -> None:
        """Set the clocks that a fault is about by the latest one of its kind that goes on."""
        for seat in self._seats(fault):
            amounts = [
                one.amount
                for one in self._live
                if one.kind == fault.kind and seat.place in one.nodes
            ]
            amount = amounts[-1] if amounts else 0
            if fault.kind == "skew":
                seat.clock.skew_ms = amount
            else:
                seat.clock.drift_ppm = amount
            seat.poke()

    def _pause(self, fault: Fault) -> None:
        for seat in self._seats(fault):
            asleep_until = self._wires.asleep_until
            asleep_until[seat.peer] = max(asleep_until.get(seat.peer, 0), fault.until_ms)
            seat.poke()

    def _stop(self, fault: Fault) -> None:
        for seat in self._seats(fault):
            self._ground.stop(seat)
            if fault.kind == "lost-disk":
                self._ground.lose_disk(seat)

    def _order_crash(self, fault: Fault) -> None:
        is_full = fault.kind == "full-disk"
        mode = CrashMode.BEFORE if is_full else CrashMode(fault.mode)
        for seat in self._seats(fault):
            seat.disk.crash = crash = Crash(fault.amount, mode, is_refusal=is_full)
            self._crashes.setdefault(id(fault), []).append(crash)
