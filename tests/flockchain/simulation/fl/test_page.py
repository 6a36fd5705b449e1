"""Figures of the experiment, and the page about them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flockchain.simulation.fl.figures import add_earlier, balances_of, figures_of, find_figure
from flockchain.simulation.fl.page import write_page

PNG = b"\x89PNG\r\n\x1a\n"


def cell(defence: str, attack: str, share: float, seed: int, accuracy: float) -> dict[str, Any]:
    malicious = round(10 * share)
    return {
        "defence": defence,
        "attack": attack,
        "share": share,
        "seed": seed,
        "malicious": malicious,
        "honest": 10 - malicious,
        "accuracy": accuracy,
        "backdoor_success": None,
        "expelled_honest": seed,
        "expelled_malicious": malicious,
        "honest_balances": [100.0, 110.0 + seed],
        "malicious_balances": [100.0, 90.0],
    }


CELLS = [
    cell("none", "label-flip", 0.0, 0, 0.96),
    cell("none", "label-flip", 0.0, 1, 0.97),
    *(cell("none", attack, 0.4, 0, 0.5) for attack in ("label-flip", "sign-flip")),
    *(
        cell("flock", attack, 0.4, seed, accuracy)
        for attack in ("label-flip", "sign-flip")
        for seed, accuracy in ((0, 0.95), (1, 0.93))
    ),
]


def test_a_figure_is_of_all_seeds() -> None:
    found = find_figure(figures_of(CELLS), "sign-flip", "flock", 0.4)
    assert found is not None
    assert (found.seeds, found.least, found.near) == (2, 0.93, 0.5)
    assert found.mean == pytest.approx(0.94)
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.01)
    assert (found.honest, found.malicious) == (1 / 12, 1.0)


def test_without_malicious_clients_both_attacks_have_the_figure() -> None:
    for attack in ("label-flip", "sign-flip"):
        found = find_figure(figures_of(CELLS), attack, "none", 0.0)
        assert found is not None
        assert found.mean == pytest.approx(0.965)
        assert found.malicious is None


def test_what_was_not_played_has_no_figure() -> None:
    assert find_figure(figures_of(CELLS), "sign-flip", "krum", 0.4) is None


def test_what_was_not_played_again_comes_from_an_earlier_page(tmp_path: Path) -> None:
    figures = figures_of(CELLS)
    row = {**figures[0].as_document(), "attack": "sign-flip", "share": 0.2}
    played = {**figures[0].as_document(), "mean": 0.5}
    earlier = [{**row, "defence": "krum", "mean": 0.123}, {**row, "defence": "flock"}, played]
    found = add_earlier(figures, earlier)
    assert len(found) == len(figures) + 1  # what was played stays, of marks nothing is kept
    kept = find_figure(found, "sign-flip", "krum", 0.2)
    assert kept is not None
    assert kept.is_earlier
    page = write_page(CELLS, [], tmp_path / "poisoning.md", earlier)[0]
    assert "12.3 ± " in page.read_text()
    assert page.read_text().count(" † |") == 1


def test_balances_are_means_by_round() -> None:
    assert balances_of(CELLS, "sign-flip", 0.4, "honest") == [100.0, 110.5]


def test_the_page_has_figures_data_and_plots(tmp_path: Path) -> None:
    files = write_page(CELLS, ["## More", ""], tmp_path / "poisoning.md")
    page, data, *plots = files
    text = page.read_text()
    assert "| sign-flip | 40% | 8.3 % | 100.0 % | 93.0 % |" in text
    assert "| points that FedAvg loses (goal: ≥ 15 under one) | 46.5 | 46.5 |" in text
    assert text.endswith("## More\n\n")
    assert len(json.loads(data.read_text())) == len(figures_of(CELLS))
    assert [plot.read_bytes()[:8] for plot in plots] == [PNG, PNG]
