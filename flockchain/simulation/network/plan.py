"""What a simulated network goes through: nodes, liars and faults, from a seed or a file.

Owns the plan as plain values, so that a failing one can be cut down, printed and kept. Invariant:
the same plan gives the same run; a drawn plan has fewer than a third of the weight that may do
anything, liars and voters that lost their memory together.
Source: TigerBeetle's VOPR.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from random import Random
from typing import Any, Final

from flockchain.simulation.network.clocks import MILLION
from flockchain.simulation.network.disk import CrashMode

SLOT_MS: Final = 1_000
FAULTS: Final = (
    "loss",
    "duplicate",
    "delay",
    "split",
    "one-way",
    "ring",
    "flap",
    "isolate",
    "skew",
    "drift",
    "pause",
    "restart",
    "crash",
    "full-disk",
    "lost-disk",
)
"""Names for `--faults`."""
CALM_SLOTS: Final = 45
"""Slots at the end in which nothing fails any more: finality must come back. A drawn plan gives
half of its slots at most."""
_STORM_SLOTS_MIN: Final = 11  # a fault begins after two slots and has some left to last
_BETWEEN_NODES: Final = ("split", "one-way", "flap")


class PlanError(ValueError):
    """The plan cannot be played; the message says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong from `at_ms` until `until_ms` of virtual time.

    `nodes` are places; `amount` is parts per million, milliseconds or a number of writes, as the
    kind has it; `mode` is what a crash leaves of the last write.
    """

    kind: str
    at_ms: int
    until_ms: int
    nodes: tuple[int, ...] = ()
    amount: int = 0
    mode: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """One simulation."""

    seed: int
    nodes: int = 7
    slots: int = 120
    byzantine: tuple[str, ...] = ()
    """Behaviours of the first nodes, a name each."""
    faults: tuple[Fault, ...] = ()
    calm_slots: int = CALM_SLOTS
    upgrade_after: int = 0
    """The last block of the release that all begin with; 0: there is no newer one."""

    @property
    def heal_ms(self) -> int:
        """When the last fault is over."""
        return (self.slots - self.calm_slots) * SLOT_MS

    def without(self, fault: Fault) -> Plan:
        """The plan with a fault less."""
        return replace(self, faults=tuple(one for one in self.faults if one is not fault))

    def as_document(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> Plan:
        """The plan in a document. Raises PlanError."""
        try:
            faults = tuple(
                Fault(**{**fault, "nodes": tuple(fault["nodes"])}) for fault in document["faults"]
            )
            byzantine = tuple(document["byzantine"])
            plan = cls(**{**document, "faults": faults, "byzantine": byzantine})
            plan.check()
        except (KeyError, TypeError) as error:
            raise PlanError(f"no plan: {error}") from error
        return plan

    def check(self) -> None:
        """Raises PlanError."""
        self._check_types()
        if len(self.byzantine) >= self.nodes:
            raise PlanError(f"{len(self.byzantine)} liars among {self.nodes} nodes")
        if not 1 <= self.calm_slots < self.slots:
            raise PlanError(
                f"{self.slots} slots leave no time before {self.calm_slots} of calm: at least one "
                "each"
            )
        if self.upgrade_after < 0:
            raise PlanError(f"no block {self.upgrade_after} can be a last one")
        for fault in self.faults:
            self._check_fault(fault)

    def _check_types(self) -> None:
        faults = self.faults
        numbers = [self.seed, self.nodes, self.slots, self.calm_slots, self.upgrade_after]
        for fault in faults:
            numbers += [fault.at_ms, fault.until_ms, fault.amount, *fault.nodes]
        for number in numbers:
            if type(number) is not int:
                raise PlanError(f"{number!r} is no whole number")
        for word in (*self.byzantine, *(word for one in faults for word in (one.kind, one.mode))):
            if not isinstance(word, str):
                raise PlanError(f"{word!r} is no name")

    def _check_fault(self, fault: Fault) -> None:
        modes = [mode.value for mode in CrashMode]
        if fault.kind not in FAULTS:
            raise PlanError(f"unknown fault {fault.kind!r}: {', '.join(FAULTS)}")
        if fault.kind == "crash" and fault.mode not in modes:
            raise PlanError(f"no mode of a crash {fault.mode!r}: {', '.join(modes)}")
        if not all(0 <= place < self.nodes for place in fault.nodes):
            raise PlanError(f"{fault} names a node that is not there")
        if not 0 <= fault.at_ms <= fault.until_ms:
            raise PlanError(f"{fault} ends before it begins, or begins before all")
        if fault.until_ms > self.heal_ms:
            raise PlanError(f"{fault} lasts beyond {self.heal_ms} ms, when all is to be well")
        if fault.kind == "drift" and fault.amount <= -MILLION:
            raise PlanError(f"{fault} makes a clock stand still")


def draw_plan(
    seed: int,
    nodes: int = 7,
    slots: int = 120,
    byzantine: Sequence[str] = (),
    kinds: Sequence[str] = FAULTS,
) -> Plan:
    """Faults of the given kinds, as many and as hard as the seed has it. Raises PlanError if it
    cannot be played, or has no room for any fault although kinds are given."""
    plan = Plan(seed, nodes, slots, tuple(byzantine), calm_slots=min(CALM_SLOTS, slots // 2))
    plan.check()
    prng = Random(f"plan {seed}")
    tolerated = (nodes - 1) // 3 - len(byzantine)
    allowed = [kind for kind in kinds if kind != "lost-disk" or tolerated > 0]
    if nodes == 1:
        allowed = [kind for kind in allowed if kind not in _BETWEEN_NODES]
    if kinds and not allowed:
        raise PlanError(f"{nodes} nodes, {len(byzantine)} of them liars, bear no {kinds[0]}")
    if kinds and plan.heal_ms < _STORM_SLOTS_MIN * SLOT_MS:
        raise PlanError(
            f"{slots} slots have no room for faults: at least {2 * _STORM_SLOTS_MIN - 1}, or none"
        )
    faults: list[Fault] = []
    for _ in range(prng.randint(2, 9) if allowed else 0):
        if not allowed:
            break
        kind = prng.choice(allowed)
        if kind == "lost-disk":
            allowed.remove(kind)
        faults.append(_draw_fault(prng, kind, plan))
    finished = replace(plan, faults=tuple(sorted(faults, key=lambda fault: fault.at_ms)))
    finished.check()
    return finished


def _draw_fault(prng: Random, kind: str, plan: Plan) -> Fault:
    at_ms = prng.randrange(2 * SLOT_MS, plan.heal_ms - 4 * SLOT_MS)
    longest = min(plan.heal_ms - at_ms, 40 * SLOT_MS)
    until_ms = at_ms + prng.randrange(2 * SLOT_MS, longest + 1)
    someone = (prng.randrange(plan.nodes),)
    match kind:
        case "loss":
            return Fault(kind, at_ms, until_ms, amount=prng.randrange(300_000))
        case "duplicate":
            return Fault(kind, at_ms, until_ms, amount=prng.randrange(500_000))
        case "delay":
            return Fault(kind, at_ms, until_ms, amount=prng.choice((100, 300, 1_000)))
        case "split" | "flap":
            places = list(range(plan.nodes))
            prng.shuffle(places)
            side = tuple(sorted(places[: prng.randint(1, plan.nodes - 1)]))
            return Fault(kind, at_ms, until_ms, side)
        case "one-way":
            pair = tuple(prng.sample(range(plan.nodes), 2))
            return Fault(kind, at_ms, until_ms, pair)
        case "skew":
            return Fault(kind, at_ms, until_ms, someone, prng.randint(-20_000, 20_000))
        case "drift":
            return Fault(kind, at_ms, until_ms, someone, prng.randint(-10_000, 10_000))
        case "crash":
            mode = prng.choice(list(CrashMode)).value
            return Fault(kind, at_ms, until_ms, someone, prng.randint(1, 40), mode)
        case "full-disk":
            return Fault(kind, at_ms, until_ms, someone, prng.randint(1, 40))
    return Fault(kind, at_ms, until_ms, someone)
