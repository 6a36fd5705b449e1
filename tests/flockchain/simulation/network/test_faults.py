"""Faults that overlap on one node do not undo each other."""

from __future__ import annotations

from random import Random

from flockchain.simulation.network.disk import Crash, CrashMode
from flockchain.simulation.network.faults import Faults
from flockchain.simulation.network.plan import Fault
from flockchain.simulation.network.seat import Seat
from flockchain.simulation.network.trace import Trace
from flockchain.simulation.network.wires import Wires

HERE = (0,)


class Ground:
    """Machines without nodes."""

    def __init__(self, *faults: Fault) -> None:
        self.wires = Wires(Random(1))
        self.seats = [Seat(place, None, self.wires, Trace(), 1) for place in range(2)]
        self.acts: list[str] = []
        self.faults = Faults(self, faults)

    def stop(self, seat: Seat) -> None:
        self.acts.append(f"{self.wires.now_ms} stop {seat.place}")

    def start(self, seat: Seat) -> None:
        self.acts.append(f"{self.wires.now_ms} start {seat.place}")

    def lose_disk(self, seat: Seat) -> None:
        self.acts.append(f"{self.wires.now_ms} lose {seat.place}")


def test_a_clock_goes_by_the_latest_fault_that_goes_on() -> None:
    ground = Ground(
        Fault("skew", 10, 40, HERE, 500),
        Fault("skew", 20, 30, HERE, -700),
        Fault("drift", 20, 50, HERE, 9),
        Fault("skew", 25, 60, (1,), 3),
        Fault("drift", 30, 40, HERE, 8),
    )
    clock = ground.seats[0].clock
    seen = []
    for now_ms in (10, 20, 30, 40, 50):
        ground.wires.deliver_until(now_ms)
        seen.append((clock.skew_ms, clock.drift_ppm))
    assert seen == [(500, 0), (-700, 9), (500, 8), (0, 9), (0, 0)]
    assert ground.seats[1].clock.skew_ms == 3


def test_a_node_sleeps_until_its_last_pause_ends() -> None:
    ground = Ground(Fault("pause", 10, 90, HERE), Fault("pause", 20, 30, HERE))
    ground.wires.deliver_until(20)
    assert ground.wires.asleep_until == {ground.seats[0].peer: 90}


def test_a_crash_that_ends_leaves_a_later_order_alone() -> None:
    ground = Ground(
        Fault("crash", 10, 30, HERE, 5, "after"), Fault("full-disk", 20, 40, HERE, amount=6)
    )
    disk = ground.seats[0].disk
    ground.wires.deliver_until(30)
    assert disk.crash == Crash(6, CrashMode.BEFORE, is_refusal=True)
    ground.wires.deliver_until(40)
    assert disk.crash is None


def test_a_node_comes_back_when_nothing_keeps_it_away() -> None:
    ground = Ground(Fault("restart", 10, 30, HERE), Fault("lost-disk", 20, 40, HERE))
    ground.wires.deliver_until(50)
    assert ground.acts == ["10 stop 0", "20 stop 0", "20 lose 0", "40 start 0"]
