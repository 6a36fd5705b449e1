"""What a soak's samples and blocks say, and whether the goals are met.

Source: reliability goals for real processes: slots, finality, memory under load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import mean
from typing import Any, Final

AUTHORED_PERCENT_MIN: Final = 99.0
LAG_BLOCKS_MAX: Final = 3
INCLUDED_PERCENT_MIN: Final = 99.9
GROWTH_PERCENT_MAX: Final = 5.0  # of memory, from the middle third's mean to the last third's
FILLED_S: Final = 150
"""At 200 transfers a second what a node keeps at hand is full then: LevelDB has written two of its
buffers, signatures and replaced trie nodes go as they come. The first third must last as long."""

_BEST: Final = 'flockchain_block_height{status="best"}'
_FINAL: Final = 'flockchain_block_height{status="finalized"}'
_READY: Final = 'flockchain_pool_extrinsics{queue="ready"}'
_OWN: Final = 'flockchain_blocks_imported_total{origin="own"}'
_RSS: Final = "process_resident_memory_bytes"
_CPU: Final = "process_cpu_seconds_total"


@dataclass(frozen=True, slots=True)
class Sample:
    """A node at one moment, as its metrics tell; `at_s` from the load's beginning."""

    at_s: float
    best: int
    final: int
    ready: int
    authored: int
    rss_bytes: int
    cpu_s: float

    @property
    def lag(self) -> int:
        """Blocks that are not final."""
        return self.best - self.final


def read_sample(at_s: float, exposition: str) -> Sample:
    """A sample from the text of `/metrics`. Raises KeyError if a series is missing."""
    series = {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in exposition.splitlines())
        if name in (_BEST, _FINAL, _READY, _OWN, _RSS, _CPU)
    }
    return Sample(
        at_s,
        int(series[_BEST]),
        int(series[_FINAL]),
        int(series[_READY]),
        int(series.get(_OWN, 0)),  # the series begins with the first block
        int(series[_RSS]),
        series[_CPU],
    )


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """One node over the run. Memory in MiB, the slope over the last two thirds of the run."""

    name: str
    cpu_cores: float
    blocks_authored: int
    lag_mean: float
    lag_p99: int
    lag_max: int
    rss_first_third: float
    rss_middle_third: float
    rss_last_third: float
    rss_slope_per_hour: float

    @property
    def growth_percent(self) -> float:
        """From the middle third to the last: the first one fills what is bounded."""
        return 100 * (self.rss_last_third / self.rss_middle_third - 1)


@dataclass(frozen=True, slots=True)
class Figures:
    """The whole run. Blocks are those from the load's beginning to its last transfer."""

    seconds: float
    sent: int
    taken: int
    refused: int
    included: int
    blocks: int
    slots: int
    cpu_cores_sender: float
    nodes: tuple[NodeFigures, ...]
    complaints: tuple[str, ...]

    @property
    def authored_percent(self) -> float:
        """Slots that have a block of the final chain."""
        return 100 * self.blocks / max(self.slots, 1)

    @property
    def is_memory_judged(self) -> bool:
        """Whether the run was long enough for that."""
        return self.seconds >= 3 * FILLED_S

    @property
    def cpu_ms_per_transfer(self) -> float:
        """Processor time of a node for each transfer, all else that it does included."""
        cores = mean(node.cpu_cores for node in self.nodes)
        return round(1_000 * cores * self.seconds / max(self.included, 1), 3)

    def goals(self) -> dict[str, bool]:
        """Each goal in words, and whether it is met; memory only if there was time to fill it."""
        lag = max(node.lag_max for node in self.nodes)
        growth = max(node.growth_percent for node in self.nodes)
        included = 100 * self.included / max(self.sent, 1)
        memory = {
            f"memory: last third {growth:+.1f} % of the middle one, at most "
            f"{GROWTH_PERCENT_MAX} %": growth <= GROWTH_PERCENT_MAX
        }
        return {
            f"slots authored: {self.authored_percent:.2f} % of {self.slots}, at least "
            f"{AUTHORED_PERCENT_MIN} %": self.authored_percent >= AUTHORED_PERCENT_MIN,
            f"finality lag: {lag} blocks at most, goal {LAG_BLOCKS_MAX}": lag <= LAG_BLOCKS_MAX,
            f"transfers in final blocks: {included:.2f} % of {self.sent}, at least "
            f"{INCLUDED_PERCENT_MIN} %": included >= INCLUDED_PERCENT_MIN,
            **(memory if self.is_memory_judged else {}),
            f"complaints in the logs: {len(self.complaints)}": not self.complaints,
        }

    def document(self) -> dict[str, Any]:
        """All of it for `--json`."""
        goals = [{"goal": goal, "met": met} for goal, met in self.goals().items()]
        return {
            **asdict(self),
            "authored_percent": round(self.authored_percent, 2),
            "cpu_ms_per_transfer": self.cpu_ms_per_transfer,
            "goals": goals,
        }


def node_figures(name: str, samples: Sequence[Sample]) -> NodeFigures:
    """What the samples of a node say; there are at least three."""
    assert len(samples) >= 3, "one for each third"
    lags = sorted(sample.lag for sample in samples)
    first, middle, last = (round(mean(_mib(part)), 1) for part in _thirds(samples))
    later = samples[len(samples) // 3 :]
    spent_s = samples[-1].at_s - samples[0].at_s
    return NodeFigures(
        name,
        round((samples[-1].cpu_s - samples[0].cpu_s) / spent_s, 3),
        samples[-1].authored - samples[0].authored,
        round(mean(lags), 2),
        lags[min(len(lags) * 99 // 100, len(lags) - 1)],
        lags[-1],
        first,
        middle,
        last,
        round(_slope([sample.at_s for sample in later], _mib(later)) * 3_600, 1),
    )


def _thirds(samples: Sequence[Sample]) -> list[Sequence[Sample]]:
    size = len(samples) // 3
    return [samples[:size], samples[size : 2 * size], samples[2 * size :]]


def _mib(samples: Sequence[Sample]) -> list[float]:
    return [sample.rss_bytes / 2**20 for sample in samples]


def _slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Of the least squares line."""
    x_mean, y_mean = mean(xs), mean(ys)
    spread = sum((x - x_mean) ** 2 for x in xs)
    return sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / spread
