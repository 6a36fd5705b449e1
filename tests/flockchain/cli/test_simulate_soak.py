"""`simulate soak` prints a line a sample and one with the goals, and refuses what shows nothing."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from flockchain.cli.simulate import build

runner = CliRunner()
APP = build()


def test_a_line_a_sample_and_the_figures() -> None:
    args = ("--nodes", "1", "--slots", "12", "--sample-every", "3", "--without-faults", "--json")
    done = runner.invoke(APP, ["soak", *args])
    *samples, figures = [json.loads(line) for line in done.stdout.splitlines()]
    assert [sample["slot"] for sample in samples] == [3, 6, 9, 12]
    assert set(samples[0]) == {
        "slot",
        "final",
        "node_bytes",
        "shared_bytes",
        "disk_keys",
        "disk_bytes",
        "process_bytes",
    }
    assert figures["slots"] == 12
    assert figures["violations"] == []
    assert figures["goals"][0] == {"goal": "violations: 0", "met": True}
    assert done.exit_code == (0 if all(goal["met"] for goal in figures["goals"]) else 1)
    assert figures["node_growth_percent"] > 1, "caches fill in so few slots: the goal is missed"


def test_what_shows_nothing_is_wrong_usage() -> None:
    for args, message in (
        (("--slots", "600"), "600 slots give 1 samples, not 4"),
        (("--slots", "12", "--sample-every", "2"), "12 slots have no room for faults"),
    ):
        done = runner.invoke(APP, ["soak", *args])
        assert done.exit_code == 2
        assert message in " ".join(done.output.replace("│", "").split())
