"""A plan played: seats, wires, liars and faults under one clock, with checkers at every step.

First the storm: faults and liars, in which only safety is asked for. Then the calm: liars go on,
all else is well, and finality must come back and all honest nodes must have one chain.
Source: TigerBeetle's VOPR (safety, then liveness).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from flockchain.chain.backend import Head
from flockchain.node import Node
from flockchain.simulation.network.accounts import Wallets, network_genesis, node_keys
from flockchain.simulation.network.behaviours.behaviour import Behaviour
from flockchain.simulation.network.behaviours.catalogue import find_behaviour
from flockchain.simulation.network.behaviours.liar import FORGETS, Liar
from flockchain.simulation.network.checkers import Checkers
from flockchain.simulation.network.faults import Faults
from flockchain.simulation.network.plan import SLOT_MS, Plan
from flockchain.simulation.network.releases import OLD, playing, release_of, upgraded_genesis
from flockchain.simulation.network.seat import PLAIN_MACHINE, RELEASE_OVER, Machine, Outlet, Seat
from flockchain.simulation.network.shared_checks import shared_checks
from flockchain.simulation.network.trace import Trace
from flockchain.simulation.network.wires import Wires
from runtime.api import runtime_at

RESUME_SLOTS: Final = 20
"""Slots after the last fault within which finality must have passed the highest block of then."""
UPDATE_MS_MAX: Final = 10_000
"""So long an operator takes at most to install the newer release where a node has ended."""
_LAG_MAX: Final = 8  # blocks between head and finality at the end
_ALL_LINKED_MAX: Final = 5  # nodes, up to which each has a link to all


@dataclass
class Outcome:
    """What became of a plan."""

    plan: Plan
    safety: list[str]
    liveness: list[str]
    finalized: int
    trace: str
    events: int
    writes: int
    offenders: dict[int, int] = field(default_factory=dict)
    """How often the chain names each place for an offence."""
    guilty: frozenset[int] = frozenset()
    """Places that proofs of finality convict of having voted twice."""

    @property
    def is_good(self) -> bool:
        """Whether nothing was violated."""
        return not self.safety and not self.liveness

    def fails_like(self, other: Outcome) -> bool:
        """Whether both violated safety, or both liveness alone."""
        return not self.is_good and bool(self.safety) == bool(other.safety)

    def as_document(self) -> dict[str, Any]:
        """The line that the command prints."""
        return {
            "seed": self.plan.seed,
            "safety": not self.safety,
            "liveness": not self.liveness,
            "finalized": self.finalized,
            "trace": self.trace,
            "violations": [*self.safety, *self.liveness],
        }


class World:
    """A network of whole nodes."""

    def __init__(self, plan: Plan, machine: Machine = PLAIN_MACHINE) -> None:
        plan.check()
        self.plan = plan
        self.trace = Trace()
        self.prng = Random(f"world {plan.seed}")
        self.wires = Wires(Random(f"wires {plan.seed}"))
        keys = node_keys(plan.nodes)
        kinds = [find_behaviour(name) for name in plan.byzantine]
        twins = [key for key, kind in zip(keys, kinds, strict=False) if kind.has_twin]
        self.genesis: Mapping[bytes, bytes] = network_genesis(plan.nodes)
        if plan.upgrade_after:
            self.genesis = upgraded_genesis(self.genesis, plan.upgrade_after)
        self.seats = [
            Seat(place, key, self.wires, self.trace, plan.seed, machine)
            for place, key in enumerate([*keys, *twins])
        ]
        self.liars = {
            place: Liar(self.seats[place], kind(), self.seats) for place, kind in enumerate(kinds)
        }
        for place in range(plan.nodes, len(self.seats)):
            self.liars[place] = Liar(self.seats[place], Behaviour(), self.seats)
        self.checkers = Checkers(lambda: self.wires.now_ms)
        self.wallets = Wallets(Random(f"wallets {plan.seed}"))
        self._connect()
        for seat in self.seats:
            self.start(seat)
        self.faults = Faults(self, plan.faults)

    # -- what faults do

    def start(self, seat: Seat) -> None:
        """Start the node of a seat that has none."""
        if seat.has_ended:
            self._clear(seat)
        if seat.node is not None:
            return
        node = seat.start(self.genesis, SLOT_MS)
        self.trace.note(self.wires.now_ms, seat.peer, "starts")
        liar = self.liars.get(seat.place)
        if node is not None and liar is not None:
            liar.behaviour.on_start(liar)
        elif node is not None:
            outlet = node.network
            assert isinstance(outlet, Outlet)
            self.checkers.watch(seat, outlet)

    def stop(self, seat: Seat) -> None:
        """Take a node away at once."""
        self.trace.note(self.wires.now_ms, seat.peer, "is stopped")
        seat.disk.lose_power()
        seat.leave()

    def lose_disk(self, seat: Seat) -> None:
        """Nothing is left of what the node stored; a newer release cannot execute the past."""
        seat.wants_warp = seat.release != OLD
        seat.disk = seat.machine.open_disk(Random(f"disk {seat.place} {self.plan.seed} again"))
        self.checkers.forget_disk(seat)

    # -- running

    def run_until(self, end_ms: int) -> None:
        """Let virtual time pass."""
        while self.wires.now_ms < end_ms:
            next_ms = end_ms
            for seat in self.seats:
                if seat.wake_ms >= next_ms:  # as most of the time: nothing happened to it
                    continue
                if seat.has_ended:
                    self._clear(seat)
                if seat.node is not None:
                    next_ms = min(next_ms, self._wake(seat, seat.node))
            event_ms = self.wires.next_event_ms()
            if event_ms is not None and event_ms < next_ms:
                next_ms = event_ms
            self.wires.deliver_until(max(next_ms, self.wires.now_ms + 1))

    def on_slot(self) -> None:
        """A slot begins: users pay, liars do their worst."""
        self.wallets.pay(self.seats)
        for liar in self.liars.values():
            seat = liar.seat
            if seat.node is None or seat.node.release.resting is not None:
                continue  # nobody can build on a last block
            if not seat.has_ended and not self._is_asleep(seat):
                seat.enter(liar.behaviour.on_slot, liar, liar.slot)
        for seat in self.honest():
            self.checkers.check_memory(seat)

    def honest(self) -> list[Seat]:
        """The seats that follow the rules."""
        return [seat for seat in self.seats if not seat.is_liar]

    def heads(self) -> list[Head]:
        """The best blocks of honest nodes."""
        return [seat.node.backend.best for seat in self.honest() if seat.node is not None]

    def final_numbers(self) -> list[int]:
        """How far finality is on honest nodes."""
        nodes = [seat.node for seat in self.honest()]
        return [node.backend.finalized.number for node in nodes if node is not None]

    def _wake(self, seat: Seat, node: Node) -> int:
        """Call the node if it is time to; when it wants to be called next."""
        due_ms = seat.next_wake_ms()
        if due_ms <= self.wires.now_ms:
            seat.enter(node.on_time)
            due_ms = seat.next_wake_ms()
        return due_ms

    def _is_asleep(self, seat: Seat) -> bool:
        return self.wires.asleep_until.get(seat.peer, 0) > self.wires.now_ms

    def _clear(self, seat: Seat) -> None:
        """A node that ended within a call is gone for its peers too."""
        seat.leave()
        seat.has_ended = False
        if not seat.is_liar:
            self.checkers.on_ended(seat)
        if seat.ended_because == FORGETS:
            self.start(seat)
        if seat.ended_because == RELEASE_OVER:
            seat.release = seat.wanted_release
            wait_ms = self.prng.randrange(UPDATE_MS_MAX)
            self.wires.schedule(wait_ms, lambda: self.start(seat))

    def _connect(self) -> None:
        """Each to its next ones on both sides: more of them than there may be liars."""
        count = len(self.seats)
        reach = (count - 1) // 3 // 2 + 1
        for left in range(count):
            for right in range(left):
                apart = min(left - right, count - left + right)
                ends = (self.liars.get(left), self.liars.get(right))
                is_wide = any(liar is not None and liar.behaviour.reaches_all for liar in ends)
                if apart <= reach or count <= _ALL_LINKED_MAX or is_wide:
                    self.wires.connect(self.seats[left].peer, self.seats[right].peer)


def play(plan: Plan, *, shares: bool = True) -> Outcome:
    """Play a plan to its end; `shares`: equal work of several nodes is done once."""
    with shared_checks() if shares else nullcontext():
        world = World(plan)
        goal, has_resumed = 0, False
        for slot in range(1, plan.slots + 1):
            world.run_until(slot * SLOT_MS)
            world.on_slot()
            healed_ms = slot * SLOT_MS - plan.heal_ms
            if healed_ms == 0:
                goal = max((head.number for head in world.heads()), default=0)
            if healed_ms == min(RESUME_SLOTS, plan.calm_slots) * SLOT_MS:
                has_resumed = all(number >= goal for number in world.final_numbers())
        world.run_until(plan.slots * SLOT_MS + SLOT_MS // 2)
        return judge(world, goal, has_resumed=has_resumed)


def judge(world: World, goal: int = 0, *, has_resumed: bool = True) -> Outcome:
    """What became of a world that was played to its end."""
    numbers, heads = world.final_numbers(), world.heads()
    liveness: list[str] = []
    if len(numbers) < len(world.honest()):
        liveness.append(f"{len(numbers)} of {len(world.honest())} honest nodes run at the end")
    if not has_resumed:
        liveness.append(
            f"finality has not passed block {goal} on every node {RESUME_SLOTS} slots after all "
            f"was well; at the end it is at {numbers}"
        )
    if len(set(heads)) != 1:
        liveness.append(f"heads differ at the end: {[head.number for head in heads]}")
    elif numbers and heads[0].number - min(numbers) > _LAG_MAX:
        liveness.append(f"finality is at {min(numbers)}, the head at {heads[0].number}")
    offenders = _offenders(world)
    for place in offenders:
        if place not in world.liars:
            world.checkers.violate(
                f"{world.seats[place].peer} is named for an offence it did not do"
            )
    for place, liar in world.liars.items():
        if liar.is_provable and place not in offenders:
            liveness.append(f"what {liar.behaviour.name} signed twice is not on the chain")
    convicted = world.checkers.guilty()
    guilty = {seat.place for seat in world.seats if seat.key and seat.key.public in convicted}
    for place in sorted(guilty - set(world.liars)):
        world.checkers.violate(f"proofs of finality convict {world.seats[place].peer}")
    for seat in world.honest():
        world.checkers.check_voting(seat)
        world.checkers.check_whole_state(seat, min(numbers, default=0))
    return Outcome(
        plan=world.plan,
        safety=world.checkers.violations,
        liveness=liveness,
        finalized=min(numbers, default=0),
        trace=world.trace.digest(),
        events=world.trace.events,
        writes=sum(seat.disk.writes for seat in world.seats),
        offenders=offenders,
        guilty=frozenset(guilty),
    )


def _offenders(world: World) -> dict[int, int]:
    """How often the final state names each place for an offence."""
    nodes = [seat.node for seat in world.honest() if seat.node is not None]
    if not nodes:
        return {}
    state = nodes[0].backend.state_at(nodes[0].backend.finalized.hash)
    places = {seat.key.account: seat.place for seat in reversed(world.seats) if seat.key}
    with playing(release_of(state)):
        named = [
            places[offender.account]
            for _, case in runtime_at(state).offences.cases.items()
            for offender in case.offenders
        ]
    return {place: named.count(place) for place in sorted(set(named))}
