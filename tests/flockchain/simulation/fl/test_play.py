"""Simulated rounds on the chain's own pallet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flockchain.simulation.fl.bench import bench_fl
from flockchain.simulation.fl.play import simulate
from flockchain.simulation.fl.report import SimulationReport
from flockchain.simulation.fl.settings import FlSettings

FEW = FlSettings(clients=15, malicious=0.2, rounds=4, seed=100)


def balances(report: SimulationReport) -> tuple[float, float]:
    last = report.rounds[-1]
    assert last.honest_balance_mean is not None
    assert last.malicious_balance_mean is not None
    return last.honest_balance_mean, last.malicious_balance_mean


def test_the_same_seed_gives_the_same_document() -> None:
    first, again = simulate(FEW).as_document(), simulate(FEW).as_document()
    assert first == again
    assert simulate(replace(FEW, seed=101)).as_document() != first


def test_rounds_are_as_the_interface_has_them() -> None:
    seen: list[int] = []
    document = simulate(FEW, lambda played: seen.append(played.round)).as_document()
    assert seen == [0, 1, 2, 3]
    rounds = document["rounds"]
    assert isinstance(rounds, list)
    assert list(rounds[0]) == [
        "round",
        "accuracy",
        "outcome",
        "honest_balance_mean",
        "malicious_balance_mean",
        "expelled_honest",
        "expelled_malicious",
    ]


def test_marks_cost_sign_flippers_their_stake() -> None:
    honest, malicious = balances(simulate(replace(FEW, clients=20, rounds=6, proofs=False)))
    assert malicious < 100 < honest


@pytest.mark.parametrize(
    "attack", ["free-rider", "zero-update", "stale-update", "withholding", "denial", "backdoor"]
)
def test_every_kind_of_attack_can_be_played(attack: str) -> None:
    report = simulate(replace(FEW, attack=attack, rounds=2, proofs=False))
    assert len(report.rounds) == 2
    assert (report.backdoor_success is not None) == (attack == "backdoor")


def test_withholders_are_absent_and_expelled() -> None:
    report = simulate(replace(FEW, attack="withholding", rounds=9, proofs=False))
    assert report.rounds[-1].expelled_malicious == 3
    assert report.rounds[-1].expelled_honest == 0
    assert balances(report)[1] < 50


@pytest.mark.parametrize("defence", ["none", "median", "trimmed-mean", "krum", "multi-krum"])
def test_without_votes_there_is_no_chain(defence: str) -> None:
    report = simulate(replace(FEW, defence=defence, rounds=3))
    assert [played.outcome for played in report.rounds] == ["accepted"] * 3
    assert balances(report) == (100, 100)


def test_a_task_that_lost_its_members_goes_nowhere() -> None:
    report = simulate(replace(FEW, clients=5, malicious=1, attack="withholding", rounds=12))
    assert report.rounds[-1].outcome == "none"
    assert report.rounds[-1].honest_balance_mean is None
    assert len({played.accuracy for played in report.rounds}) == 1


def test_the_benchmark_names_what_it_measured() -> None:
    rows = bench_fl(clients=5, rounds=1, parameters=100)
    names = [row["name"] for row in rows]
    assert names == [
        "flock, 5 clients, VRF proofs",
        "flock, 5 clients",
        "none, 5 clients",
        "mean of 5 updates",
    ]
    assert all(row["rounds_per_s"] > 0 for row in rows[:3])
