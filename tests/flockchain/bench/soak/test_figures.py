"""A soak's samples become figures, and the goals are missed when they should be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flockchain.bench.soak.figures import Figures, Sample, node_figures, read_sample

MIB = 2**20
EXPOSITION = """# HELP flockchain_block_height Number of a head
# TYPE flockchain_block_height gauge
flockchain_block_height{status="best"} 57.0
flockchain_block_height{status="finalized"} 54.0
flockchain_pool_extrinsics{queue="ready"} 12.0
flockchain_pool_extrinsics{queue="future"} 1.0
flockchain_blocks_imported_total{origin="own"} 14.0
flockchain_blocks_imported_total{origin="network"} 43.0
process_resident_memory_bytes 1.048576e+08
process_cpu_seconds_total 7.25
"""


def samples(count: int = 60) -> list[Sample]:
    """A sample each second: a block, half a second of CPU, memory that fills in a third."""
    return [
        Sample(
            at_s=float(second),
            best=second + 2,
            final=second,
            ready=0,
            authored=second // 4,
            rss_bytes=(100 + min(second, count // 3)) * MIB,
            cpu_s=second / 2,
        )
        for second in range(count)
    ]


def good() -> Figures:
    """A run that meets every goal."""
    nodes = (node_figures("alice", samples()), node_figures("bob", samples()))
    return Figures(600.0, 60_000, 60_000, 0, 60_000, 600, 600, 0.05, nodes, ())


def test_a_sample_is_read_from_what_prometheus_reads() -> None:
    assert read_sample(3.5, EXPOSITION) == Sample(3.5, 57, 54, 12, 14, 100 * MIB, 7.25)
    assert read_sample(3.5, EXPOSITION).lag == 3
    before_its_first = EXPOSITION.replace('total{origin="own"}', 'created{origin="own"}')
    assert read_sample(0.0, before_its_first).authored == 0
    with pytest.raises(KeyError, match="process_cpu_seconds_total"):
        read_sample(0.0, EXPOSITION.replace("process_cpu", "process_gpu"))


def test_a_node_s_figures() -> None:
    figures = node_figures("alice", samples())
    assert (figures.cpu_cores, figures.blocks_authored) == (0.5, 14)
    assert (figures.lag_mean, figures.lag_p99, figures.lag_max) == (2.0, 2, 2)
    assert (figures.rss_first_third, figures.rss_middle_third) == (109.5, 120.0)
    assert (figures.growth_percent, figures.rss_slope_per_hour) == (0.0, 0.0)
    leaking = [replace(sample, rss_bytes=sample.best * MIB) for sample in samples()]
    assert node_figures("bob", leaking).rss_slope_per_hour == pytest.approx(3_600)


def test_every_goal_is_met_or_missed() -> None:
    assert all(good().goals().values())
    assert good().document()["goals"][0]["met"]
    assert good().document()["cpu_ms_per_transfer"] == 5.0
    slow = [replace(sample, final=sample.best - 4) for sample in samples()]
    leaking = [replace(sample, rss_bytes=int(sample.at_s + 1) * MIB) for sample in samples()]
    missed = [
        replace(good(), blocks=593),
        replace(good(), nodes=(node_figures("alice", slow),)),
        replace(good(), included=59_939),
        replace(good(), nodes=(node_figures("alice", leaking),)),
        replace(good(), complaints=("alice: Traceback",)),
    ]
    for place, figures in enumerate(missed):
        met = list(figures.goals().values())
        assert met == [at != place for at in range(len(missed))], figures.goals()
    short = replace(missed[3], seconds=449.0)
    assert len(short.goals()) == len(missed) - 1, "memory that still fills is not judged"
    assert all(short.goals().values())
