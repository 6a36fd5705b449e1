"""The figures of the poisoning experiment: means over seeds, bands, and how many seeds meet a goal.

Invariant: every figure is computed from finished cells; a group without all its seeds says how
many it has.
Source: WP Fig. 6; the goals are this project's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Any, Final

from flockchain.simulation.fl.experiment import FLIPS
from flockchain.simulation.fl.settings import DEFENCES

NEAR: Final = 0.03
"""Within so much of clean training an accuracy counts as defended."""
CONFIDENCE: Final = 1.96  # standard errors of a band of 95 %

Cell = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """One attack, defence and share over its seeds; accuracies from 0 to 1.

    `low` and `high`: the band of 95 % of the mean. `near`: the part of seeds within three points of
    plain averaging without malicious clients. `honest` and `malicious`: which part is expelled;
    None where there is nobody of that kind, or no stake. `is_earlier`: from a run with other terms.
    """

    attack: str
    defence: str
    share: float
    seeds: int
    mean: float
    low: float
    high: float
    least: float
    near: float
    honest: float | None
    malicious: float | None
    backdoor: float | None
    is_earlier: bool = False

    def as_document(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def figures_of(cells: Sequence[Cell]) -> list[Figure]:
    """A figure for each group of cells. Without malicious clients attacks are all the same."""
    clean = {each["seed"]: each["accuracy"] for each in cells if is_clean(each)}
    groups: dict[tuple[str, str, float], list[Cell]] = {}
    for cell in cells:
        for attack in FLIPS if not cell["malicious"] else (cell["attack"],):
            groups.setdefault((attack, cell["defence"], cell["share"]), []).append(cell)
    return [_figure(*key, groups[key], clean) for key in sorted(groups)]


def add_earlier(figures: Sequence[Figure], earlier: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """The figures, and those of an earlier page's JSON for what was not played again.

    Of defences with marks nothing is taken: their rule has changed since.
    """
    known = {(each.attack, each.defence, each.share) for each in figures}
    added = [
        Figure(**{**row, "is_earlier": True})
        for row in earlier
        if not DEFENCES[row["defence"]].marks
        and (row["attack"], row["defence"], row["share"]) not in known
    ]
    return sorted([*figures, *added], key=lambda each: (each.attack, each.defence, each.share))


def is_clean(cell: Cell) -> bool:
    """Whether this is plain averaging of honest clients."""
    return cell["defence"] == "none" and not cell["malicious"]


def find_figure(
    figures: Sequence[Figure], attack: str, defence: str, share: float
) -> Figure | None:
    """The figure of a group, if there is one."""
    key = (attack, defence, share)
    return next((each for each in figures if (each.attack, each.defence, each.share) == key), None)


def balances_of(cells: Sequence[Cell], attack: str, share: float, kind: str) -> list[float]:
    """FML by round, the mean over seeds, under FLock; `kind` is honest or malicious."""
    chosen = [
        cell[f"{kind}_balances"]
        for cell in cells
        if (cell["attack"], cell["defence"], cell["share"]) == (attack, "flock", share)
    ]
    return [fmean(column) for column in zip(*chosen, strict=True)]


def _figure(
    attack: str, defence: str, share: float, cells: Sequence[Cell], clean: Mapping[int, float]
) -> Figure:
    accuracies = [cell["accuracy"] for cell in cells]
    mean = fmean(accuracies)
    error = stdev(accuracies) / sqrt(len(cells)) if len(cells) > 1 else 0.0
    compared = [cell for cell in cells if cell["seed"] in clean]
    near = [cell["accuracy"] >= clean[cell["seed"]] - NEAR for cell in compared]
    backdoors = [each["backdoor_success"] for each in cells if each["backdoor_success"] is not None]
    return Figure(
        attack,
        defence,
        share,
        len(cells),
        mean,
        mean - CONFIDENCE * error,
        mean + CONFIDENCE * error,
        min(accuracies),
        sum(near) / len(near) if near else 0.0,
        _expelled(cells, "honest"),
        _expelled(cells, "malicious"),
        fmean(backdoors) if backdoors else None,
    )


def _expelled(cells: Sequence[Cell], kind: str) -> float | None:
    members = sum(cell[kind] for cell in cells)
    return sum(cell[f"expelled_{kind}"] for cell in cells) / members if members else None
