"""A long run of a network: whether memory stays flat and disks grow in a line, under weak faults.

Owns the plan of such a run and its samples. Faults come anew in each hour of 600 slots, the last 45
without any; a third of the nodes may lose power and begin anew, all others live from the first slot
to the last, since a restart would free what leaks. Disks are LevelDB's files, so that the memory of
this process is that of the nodes. Invariant: samples are taken in calm, at the end of their hour.
Source: reliability goals (long runs with flat memory).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Final

from flockchain.simulation.network.census import Census, process_census, take_census
from flockchain.simulation.network.disk import SimulatedDisk
from flockchain.simulation.network.plan import FAULTS, SLOT_MS, Fault, Plan, draw_plan
from flockchain.simulation.network.seat import Machine, Seat
from flockchain.simulation.network.shared_checks import shared_checks
from flockchain.simulation.network.world import RESUME_SLOTS, Outcome, World, judge
from flockchain.storage.leveldb import LevelDbStore

HOUR_SLOTS: Final = 600
LASTING_FAULTS: Final = tuple(kind for kind in FAULTS if kind != "lost-disk")
"""What may happen to a network again and again: nobody's memory of its votes is lost."""
_CALM_SLOTS: Final = 45
_LAG_MAX: Final = 8  # blocks between head and finality in calm
_ENDING: Final = ("restart", "crash", "full-disk")
_CACHED_NODES: Final = 4_000  # trie nodes: full within the first hours
_CACHED_SIGNATURES: Final = 512
_COUNTED_MAX: Final = 3
_SHARED_MAX: Final = 4_096  # answers of a kind: seven nodes give thirty a slot
_DISK_CACHE_BYTES: Final = 1 << 20
_MEMORY_FILE: Final = Path("/proc/self/statm")
_PAGE_BYTES: Final = 4_096


@dataclass(frozen=True, slots=True)
class Sample:
    """The network at the end of an hour."""

    slot: int
    final: int
    """The lowest final block of all nodes."""
    node_bytes: tuple[int, ...]
    """Python objects of the first three nodes that have lived from the beginning."""
    elements: dict[str, int]
    """The most that any of them holds, by collection."""
    shared: Census
    """What all nodes have together: caches of the process, and answers that they share."""
    disk_keys: int
    disk_bytes: int
    """Keys and values of the first node."""
    process_bytes: int
    """Resident memory of this process without mapped files; 0 where the system does not tell."""


@dataclass(frozen=True, slots=True)
class Soak:
    """What a long run came to."""

    outcome: Outcome
    samples: tuple[Sample, ...]


def soak_plan(seed: int, nodes: int, slots: int, kinds: tuple[str, ...] = LASTING_FAULTS) -> Plan:
    """Faults of these kinds in each hour. Raises PlanError."""
    faults: list[Fault] = []
    mortal = max((nodes - 1) // 3, 1)
    for hour, start in enumerate(range(0, slots, HOUR_SLOTS)):
        length = min(HOUR_SLOTS, slots - start)
        if length < HOUR_SLOTS and start:
            break  # what is left of the last hour is calm
        drawn = draw_plan(seed * 1_000_003 + hour, nodes, length, (), kinds)
        for fault in drawn.faults:
            places = fault.nodes
            if fault.kind in _ENDING:
                places = tuple(nodes - 1 - place % mortal for place in places)
            shift_ms = start * SLOT_MS
            faults.append(
                replace(
                    fault,
                    at_ms=fault.at_ms + shift_ms,
                    until_ms=fault.until_ms + shift_ms,
                    nodes=places,
                )
            )
    plan = Plan(seed, nodes, slots, (), tuple(faults), min(_CALM_SLOTS, slots // 2))
    plan.check()
    return plan


def play_soak(
    plan: Plan, folder: Path, every: int, tell: Callable[[Sample], None] = lambda _: None
) -> Soak:
    """Play it with disks in `folder`, and sample it `every` so many slots.

    Raises StorageError if the folder cannot be written.
    """
    with shared_checks(_SHARED_MAX):
        world = World(plan, _machine(folder))
        samples: list[Sample] = []
        for slot in range(1, plan.slots + 1):
            world.run_until(slot * SLOT_MS)
            world.on_slot()
            if slot % every == 0:
                if _is_calm(plan, slot * SLOT_MS):
                    ensure_well(world)
                samples.append(_sample(world, slot))
                tell(samples[-1])
        world.run_until(plan.slots * SLOT_MS + SLOT_MS // 2)
        return Soak(judge(world), tuple(samples))


def _machine(folder: Path) -> Machine:
    numbers = count()

    def open_disk(prng: Random) -> SimulatedDisk:
        path = folder / f"disk{next(numbers)}"
        platter = LevelDbStore(path, _DISK_CACHE_BYTES, _DISK_CACHE_BYTES)
        return SimulatedDisk(prng, platter)

    return Machine(open_disk, _CACHED_NODES, _CACHED_SIGNATURES)


def _is_calm(plan: Plan, now_ms: int) -> bool:
    """Whether nothing has failed for so long that finality must be back."""
    since_ms = now_ms - RESUME_SLOTS * SLOT_MS
    return not any(one.at_ms <= now_ms and one.until_ms > since_ms for one in plan.faults)


def ensure_well(world: World) -> None:
    """In calm all nodes run, have about one head, and finality is close behind."""
    numbers, heads = world.final_numbers(), [head.number for head in world.heads()]
    if len(numbers) < len(world.seats) or max(heads) - min(numbers) > _LAG_MAX:
        world.checkers.violate(f"in calm heads are {heads}, finality is at {numbers}")


def _sample(world: World, slot: int) -> Sample:
    elements: dict[str, int] = {}
    sizes = []
    for seat in _immortal(world):
        census = take_census(seat.node)
        sizes.append(census.size_bytes)
        for path, number in census.elements.items():
            elements[path] = max(elements.get(path, 0), number)
    stored = [len(key) + len(value) for key, value in world.seats[0].disk.iterate(b"")]
    return Sample(
        slot,
        min(world.final_numbers(), default=0),
        tuple(sizes),
        elements,
        process_census(),
        len(stored),
        sum(stored),
        _resident_bytes(),
    )


def _immortal(world: World) -> Iterator[Seat]:
    """Some of the nodes that have lived from the beginning: a census takes a second."""
    lasting = (seat for seat in world.seats if seat.starts == 1 and seat.node is not None)
    return islice(lasting, _COUNTED_MAX)


def _resident_bytes() -> int:
    if sys.platform != "linux":
        return 0
    resident, mapped = _MEMORY_FILE.read_text().split()[1:3]
    return (int(resident) - int(mapped)) * _PAGE_BYTES
