"""Draws the poisoning experiment: accuracy by share, and balances by round.

Invariant: the drawing library is loaded only when something is drawn; nothing is played here.
Source: WP Fig. 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from flockchain.simulation.fl.experiment import COMPARED, FLIPS, STRESS_SHARE
from flockchain.simulation.fl.figures import Cell, Figure, balances_of

WIDTH, HEIGHT, DOTS = 9.5, 4.0, 110  # inches, and dots an inch
LABELS: Final = {"flock": "FLock", "none": "FedAvg", "median": "median", "krum": "Krum"}


def draw_accuracies(figures: Sequence[Figure], file: Path) -> Path:
    """Accuracy against the malicious share, a panel an attack, bands of 95 %. Raises OSError."""
    figure, panels = _panels()
    for axes, attack in zip(panels, FLIPS, strict=True):
        for defence in COMPARED:
            of = [each for each in figures if (each.attack, each.defence) == (attack, defence)]
            of.sort(key=lambda each: each.share)
            shares = [100 * each.share for each in of]
            axes.plot(shares, [100 * each.mean for each in of], marker=".", label=LABELS[defence])
            low, high = ([100 * getattr(each, end) for each in of] for end in ("low", "high"))
            axes.fill_between(shares, low, high, alpha=0.2)
        axes.set_title(attack)
        axes.set_xlabel("malicious clients, %")
        axes.set_ylabel("accuracy after the last round, %")
        axes.set_ylim(0, 100)  # three seeds are few: their bands would leave what can be
        axes.grid(alpha=0.3)
    panels[0].legend(loc="lower left", fontsize=8)
    return _save(figure, file)


def draw_balances(cells: Sequence[Cell], file: Path) -> Path:
    """Mean balances of both kinds by round at two fifths malicious, FLock. Raises OSError."""
    figure, panels = _panels()
    for axes, attack in zip(panels, FLIPS, strict=True):
        for kind in ("honest", "malicious"):
            axes.plot(balances_of(cells, attack, STRESS_SHARE, kind), label=kind)
        axes.set_title(attack)
        axes.set_xlabel("round")
        axes.set_ylabel("mean balance, FML")
        axes.grid(alpha=0.3)
    panels[0].legend(loc="upper left", fontsize=8)
    return _save(figure, file)


def _panels() -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure as Drawing

    drawing = Drawing(figsize=(WIDTH, HEIGHT), layout="constrained")
    return drawing, list(drawing.subplots(1, len(FLIPS), sharey=True))


def _save(drawing: Any, file: Path) -> Path:
    drawing.savefig(file, dpi=DOTS, metadata={"Software": None})
    return file
