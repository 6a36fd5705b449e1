"""The benchmarks run, on the smallest input, and name what they measured."""

import pytest

from flockchain.bench.arena import bench_arena
from flockchain.bench.arena_day import CALENDAR, DAY, TASK, ArenaDay, Size
from flockchain.bench.consensus import bench_consensus
from flockchain.bench.state import bench_state
from flockchain.bench.sync import bench_sync
from flockchain.bench.transfers import bench_codec, bench_import, bench_validation
from flockchain.bench.vrf import bench_vrf
from flockchain.bench.workload import make_workload
from flockchain.storage.kv import MemoryStore
from ml.zk.bench import bench_zk
from ml.zk.masked_bench import bench_masked
from runtime.constants import MAINNET
from runtime.pallets.arena.day_work import DayWork
from runtime.pallets.arena.records import DayKey


def test_import_counts_every_transfer_with_signatures_and_without() -> None:
    checked, cached = bench_import(2, 3, 6)
    assert checked["name"] == "import, signatures checked"
    assert cached["name"] == "import, signatures cached"
    assert checked["us_per_tx"] > checked["us_signatures"] > cached["us_signatures"]


def test_a_table_of_proofs_measures_one_client_of_each_size_on_clock_and_cpu() -> None:
    rows = bench_zk((10, 5_000), (3, 4))
    assert [(row["parameters"], row["clients"]) for row in rows] == [
        (10, 3),
        (10, 4),
        (5_000, 3),
        (5_000, 4),
    ]
    assert [row["bytes_per_client"] for row in rows] == [48, 48, 96, 96]
    assert rows[0]["commit_s"] == rows[1]["commit_s"]
    assert all(row["proof_bytes"] == 80 for row in rows)
    names = ("commit_cpu_s", "prove_cpu_s", "verify_cpu_ms", "admission_cpu_ms", "recheck_cpu_s")
    assert {*names, "verify_none_kept_cpu_ms"} < set(rows[0])


def test_what_masks_take_with_drop_outs() -> None:
    rows = bench_masked((5_000,), (4, 10))
    assert [(row["clients"], row["absent"]) for row in rows] == [(4, 1), (10, 2)]
    assert {"mask_cpu_s", "unmask_cpu_s", "deal_check_cpu_ms", "recover_cpu_ms"} < set(rows[0])


def test_a_workload_touches_no_account_twice_in_a_block() -> None:
    work = make_workload(2, 3, 6)
    assert work.transfers == 6
    assert [len(body) for _, body in work.blocks] == [4, 4]  # the time comes first


def test_the_measured_day_draws_all_seats_and_pays_every_delegator() -> None:
    day = ArenaDay(Size(nodes=5, validators=3, delegators=12), MemoryStore())
    day.prepare()
    before = [day.runtime().balances.free(who) for who in day.delegators]
    day.run_jobs(CALENDAR.reveal_end)
    day.score()
    day.run_jobs(CALENDAR.alias_end)
    runtime = day.runtime()
    roster = runtime.arena.rosters.get(DayKey(TASK, DAY))
    assert [entry.dealt for entry in roster.entries] == [MAINNET.seats] * 5
    result = runtime.arena.day_results.get(DayKey(TASK, DAY))
    assert [node.owner for node in result.ranking] == day.nodes
    assert result.slashed == 0
    after = [runtime.balances.free(who) for who in day.delegators]
    assert all(new > old for new, old in zip(after, before, strict=True))
    runtime.arena.try_state()


def test_the_arena_gives_its_rows() -> None:
    draw, settlement, both = bench_arena(Size(4, 2, 3))
    assert draw["name"] == "draw: 4 nodes, 2 validators, 3 delegators"
    assert settlement["blocks"] == 1
    assert both["blocks"] == draw["blocks"] + 1
    assert both["ms_worst_block"] == max(draw["ms_worst_block"], settlement["ms_worst_block"])


@pytest.mark.parametrize("size", [Size(30, 6, 40), pytest.param(Size(), marks=pytest.mark.long)])
def test_no_block_of_a_day_takes_more_steps_than_it_may(
    size: Size, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[int] = []
    on_block = DayWork.on_block

    def watch(work: DayWork, number: int) -> int:
        used.append(on_block(work, number))
        return used[-1]

    monkeypatch.setattr(DayWork, "on_block", watch)
    day = ArenaDay(size, MemoryStore())
    day.prepare()
    day.run_jobs(CALENDAR.reveal_end)
    day.score()
    day.run_jobs(CALENDAR.alias_end)
    reading = (size.nodes + size.validators) // 2
    assert max(used) <= MAINNET.settlement_steps + reading


def test_consensus_is_measured_while_it_works() -> None:
    (row,) = bench_consensus(3, 12)
    assert row["name"] == "3 authorities"
    assert 10 <= row["blocks"] <= 12
    assert 0 <= row["blocks_not_final"] <= 5
    assert row["cpu_ms_per_node_and_block"] > 0


def test_the_others_give_their_rows() -> None:
    assert [row["name"] for row in bench_codec(rounds=2)] == [
        "decode a signed transfer",
        "encode a signed transfer",
    ]
    assert [row["name"] for row in bench_validation(2, 4)] == [
        "pool, signatures checked",
        "pool, signatures known",
    ]
    assert [row["name"] for row in bench_state(8, (1, 8, 100))] == [
        "1 of 8 accounts",
        "8 of 8 accounts",
    ]
    assert [row["name"] for row in bench_vrf(2)] == [
        "ECVRF prove",
        "ECVRF evaluate",
        "ECVRF verify",
    ]


def test_a_warp_reaches_what_execution_reaches() -> None:
    made, executed, warped, transfers = bench_sync(60, 2, 3)
    assert made["blocks"] == executed["blocks"] == warped["blocks"] == 60
    assert warped["set_changes"] >= 1
    assert warped["times_faster"] > 0
    assert (transfers["blocks"], transfers["transfers"]) == (1, 3)
