"""`simulate network` prints one line a seed, fails on violations, and says what it cannot play."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from flockchain.cli.simulate import build
from flockchain.simulation.network.plan import Plan

runner = CliRunner()
APP = build()
QUICK = ("--nodes", "4", "--slots", "12", "--faults", "none")


def simulate(*args: str) -> tuple[int, list[dict[str, object]], str]:
    done = runner.invoke(APP, ["network", *args])
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return done.exit_code, lines, done.output


def test_one_line_a_seed() -> None:
    code, lines, _ = simulate("--seeds", "4..5", *QUICK, "--json")
    assert code == 0
    assert [line["seed"] for line in lines] == [4, 5]
    for line in lines:
        assert set(line) == {"seed", "safety", "liveness", "finalized", "trace", "violations"}
        assert line["safety"] is True
        assert line["violations"] == []


def test_a_plan_that_fails_exits_with_one_and_is_shrunk(tmp_path: Path) -> None:
    """Two of four are silent, so nothing becomes final."""
    file, smallest = tmp_path / "plan.json", tmp_path / "smallest.json"
    plan = Plan(1, nodes=4, slots=14, byzantine=("mute", "mute"), calm_slots=8)
    file.write_text(json.dumps(plan.as_document()))
    code, [line], output = simulate("--plan", str(file), "--shrink", str(smallest))
    assert code == 1
    assert (line["safety"], line["liveness"]) == (True, False)
    assert f"see it again: flockchain simulate network --plan {smallest}" in output
    assert json.loads(smallest.read_text())["byzantine"] == ["mute", "mute"]


def test_what_cannot_be_played_is_wrong_usage(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    for args, message in (
        (("--seeds", "9..0"), "--seeds 9..0 is empty"),
        (("--plan", str(broken)), "holds no JSON"),
        (("--seeds", "4-5"), "--seeds is A..B with numbers, not '4-5'"),
        (("--faults", "rain"), "no fault 'rain': loss, duplicate"),
        (("--behaviour", "sleepy"), "no behaviour 'sleepy'"),
        (("--byzantine", "7"), "7 liars among 7 nodes"),
    ):
        code, lines, output = simulate(*args)
        assert (code, lines) == (2, [])
        assert message in " ".join(output.replace("│", "").split())


def test_behaviours_are_listed() -> None:
    assert "censor" in simulate("--list")[2]
