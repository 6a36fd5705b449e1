"""The experiment: its cells, and going on where it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from flockchain.simulation.fl import experiment
from flockchain.simulation.fl.experiment import (
    CELLS_FILE,
    Plan,
    key_of,
    play_cell,
    read_cells,
    run_experiment,
)
from flockchain.simulation.fl.settings import FlSettings

TINY = Plan(seeds=1, first=100, clients=10, rounds=1)


def test_no_cell_stands_twice() -> None:
    keys = [key_of(cell) for cell in Plan().cells()]
    assert len(keys) == len(set(keys))
    assert keys[:2] == ["flock/label-flip/0.4/0/50/100", "flock/sign-flip/0.4/0/50/100"]
    goals, kinds = 5, 4 * 11 + 3 * 2 + 2 * 14
    assert len(keys) == 20 * goals + 5 * (kinds - goals)
    assert len(Plan(seeds=2).cells()) == 2 * kinds


def test_a_cell_has_figures_and_curves() -> None:
    cell = play_cell(FlSettings(clients=10, rounds=2, seed=100, proofs=False))
    assert (cell["malicious"], cell["honest"]) == (4, 6)
    assert len(cell["accuracies"]) == len(cell["honest_balances"]) == 2
    assert cell["outcomes"] == {"accepted": 2}


def test_finished_cells_are_not_played_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[str] = []

    def play(missing: list[FlSettings], processes: int) -> list[dict[str, object]]:
        played.extend(map(key_of, missing))
        return [{"key": key_of(settings)} for settings in missing]

    monkeypatch.setattr(experiment, "_played", play)
    seen: list[tuple[int, int]] = []
    run_experiment(TINY, tmp_path, 1, lambda *done: seen.append(done))
    assert len(played) == len(TINY.cells())
    assert (seen[0], seen[-1]) == ((0, len(played)), (len(played), len(played)))
    file = tmp_path / CELLS_FILE
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:-1]) + lines[-1][:9])  # cut off while it was written
    played.clear()
    found = run_experiment(TINY, tmp_path, 1, lambda *_: None)
    assert played == [key_of(TINY.cells()[-1])]
    assert len(found) == len(lines)
    assert read_cells(file) == found


def test_nothing_is_read_where_nothing_is(tmp_path: Path) -> None:
    assert read_cells(tmp_path / CELLS_FILE) == []
