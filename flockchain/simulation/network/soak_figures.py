"""What the samples of a long run say: growth of memory, which collections grew, and of disks.

The first half of a run fills what is bounded; the second one tells. Invariant: with fewer than
`SAMPLES_MIN` samples nothing is claimed.
Source: reliability goals (long runs with flat memory).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any, Final

from flockchain.simulation.network.soak import Sample, Soak

SAMPLES_MIN: Final = 4
GROWTH_PERCENT_MAX: Final = 1.0
DISK_PERCENT_MAX: Final = 5.0
"""So much may a slot of the last half cost the disk more than one of the half before."""
_GREW_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Grown:
    """A collection that held more in the last half than ever in the first."""

    path: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class SoakFigures:
    """A long run in numbers."""

    slots: int
    final: int
    violations: tuple[str, ...]
    trace: str
    node_bytes: int
    """Of the largest node, at the end."""
    node_growth_percent: float
    """Of the node that grew most: the last quarter's mean against the second one's."""
    shared_growth_percent: float
    process_bytes: int
    process_growth_percent: float
    disk_bytes_a_slot: float
    disk_growth_percent: float
    """How much more a slot of the last half wrote than one of the half before."""
    grew: tuple[Grown, ...]

    def goals(self) -> dict[str, bool]:
        """Each goal in words, and whether it is met."""
        return {
            f"violations: {len(self.violations)}": not self.violations,
            f"what a node holds: {self.node_growth_percent:+.2f} %, at most "
            f"{GROWTH_PERCENT_MAX} %": self.node_growth_percent <= GROWTH_PERCENT_MAX,
            f"memory of the process: {self.process_growth_percent:+.2f} %, at most "
            f"{GROWTH_PERCENT_MAX} %": self.process_growth_percent <= GROWTH_PERCENT_MAX,
            f"disk: {self.disk_bytes_a_slot:.0f} bytes a slot, {self.disk_growth_percent:+.1f} % "
            f"against the first half, at most {DISK_PERCENT_MAX} %": self.disk_growth_percent
            <= DISK_PERCENT_MAX,
        }

    def as_document(self) -> dict[str, Any]:
        """For JSON."""
        goals = [{"goal": goal, "met": met} for goal, met in self.goals().items()]
        grew = {one.path: [one.before, one.after] for one in self.grew}
        names = [name for name in self.__slots__ if name not in ("grew", "violations")]
        rest = {name: getattr(self, name) for name in names}
        return {**rest, "violations": list(self.violations), "grew": grew, "goals": goals}


def soak_figures(soak: Soak) -> SoakFigures:
    """The numbers of a run; `SAMPLES_MIN` samples at least."""
    samples, outcome = soak.samples, soak.outcome
    assert len(samples) >= SAMPLES_MIN, f"{len(samples)} samples"
    nodes = min(len(sample.node_bytes) for sample in samples)
    early, late = _disk_slopes(samples)
    return SoakFigures(
        slots=samples[-1].slot,
        final=outcome.finalized,
        violations=(*outcome.safety, *outcome.liveness),
        trace=outcome.trace,
        node_bytes=max(samples[-1].node_bytes),
        node_growth_percent=max(
            _growth(samples, lambda sample, place=place: sample.node_bytes[place])  # type: ignore[misc]
            for place in range(nodes)
        ),
        shared_growth_percent=_growth(samples, lambda sample: sample.shared.size_bytes),
        process_bytes=samples[-1].process_bytes,
        process_growth_percent=_growth(samples, lambda sample: sample.process_bytes),
        disk_bytes_a_slot=round(late, 1),
        disk_growth_percent=round(100 * (late / early - 1), 2),
        grew=_grown(samples),
    )


def _growth(samples: Sequence[Sample], read: Callable[[Sample], int]) -> float:
    """Percent from the mean of the second quarter of samples to that of the last."""
    quarter, half = len(samples) // 4, len(samples) // 2
    before = mean(map(read, samples[half - quarter : half]))
    after = mean(map(read, samples[-quarter:]))
    return round(100 * (after / before - 1), 3) if before else 0.0


def _disk_slopes(samples: Sequence[Sample]) -> tuple[float, float]:
    """Bytes a slot from the first sample to the middle one, and from there to the last."""
    first, middle, last = samples[0], samples[(len(samples) - 1) // 2], samples[-1]
    return _slope(first, middle), _slope(middle, last)


def _slope(start: Sample, end: Sample) -> float:
    return (end.disk_bytes - start.disk_bytes) / (end.slot - start.slot)


def _grown(samples: Sequence[Sample]) -> tuple[Grown, ...]:
    """Collections of nodes and of the process, those first that grew by most elements."""
    half = len(samples) // 2
    found: list[Grown] = []
    for read in (lambda sample: sample.elements, lambda sample: sample.shared.elements):
        before, after = _most(map(read, samples[:half])), _most(map(read, samples[half:]))
        found += [
            Grown(path, before.get(path, 0), number)
            for path, number in after.items()
            if number > before.get(path, 0)
        ]
    return tuple(sorted(found, key=lambda one: one.before - one.after)[:_GREW_MAX])


def _most(sizes: Iterable[dict[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in sizes:
        for path, number in each.items():
            found[path] = max(found.get(path, 0), number)
    return found
