"""Draws the findings' curves as PNG files.

Invariant: the drawing library is loaded only when something is drawn; the same curves give the
same bytes with one version of it.
Source: the curves of `flockchain economics attacks`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flockchain.economics.attacks.findings import Plot

WIDTH, HEIGHT, DOTS = 8.5, 4.2, 110  # inches, and dots an inch
LEGEND_SIZE: Final = 8


def draw(plot: Plot, folder: Path) -> Path:
    """Write `folder`/`plot.name`.png. Raises OSError."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = figure.add_subplot()
    for label, points in plot.curves.items():
        axes.plot([x for x, _ in points], [y for _, y in points], marker=".", label=label)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.set_title(plot.title)
    axes.set_xlabel(plot.across)
    axes.set_ylabel(plot.up)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=LEGEND_SIZE)
    file = folder / f"{plot.name}.png"
    figure.savefig(file, dpi=DOTS, metadata={"Software": None})
    return file
