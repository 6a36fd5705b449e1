"""The benchmarks run, on the smallest input, and name what they measured."""

from flockchain.bench.state import bench_state
from flockchain.bench.transfers import bench_codec, bench_import, bench_validation
from flockchain.bench.vrf import bench_vrf
from flockchain.bench.workload import make_workload


def test_import_counts_every_transfer_with_signatures_and_without() -> None:
    checked, cached = bench_import(2, 3, 6)
    assert checked["name"] == "import, signatures checked"
    assert cached["name"] == "import, signatures cached"
    assert checked["us_per_tx"] > checked["us_signatures"] > cached["us_signatures"]


def test_a_workload_touches_no_account_twice_in_a_block() -> None:
    work = make_workload(2, 3, 6)
    assert work.transfers == 6
    assert [len(body) for _, body in work.blocks] == [4, 4]  # the time comes first


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
    assert [row["name"] for row in bench_vrf(2)] == ["ECVRF prove", "ECVRF verify"]
