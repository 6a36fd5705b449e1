"""The poisoning experiment: which simulations it has, and how they are played in parallel.

Owns the list of cells and the file of finished ones. A cell is one simulation; finished cells are
not played again. Invariant: a cell's figures follow from its settings, whatever ran beside it.
Source: WP VI.F and Fig. 6; FLock's published comparison of FedAvg with the vote.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flockchain.simulation.fl.play import simulate
from flockchain.simulation.fl.settings import FlSettings
from ml.attacks.catalogue import ATTACKS
from ml.devices import limit_threads

COMPARED: Final = ("flock", "none", "median", "krum")
ABLATED: Final = ("votes", "marks", "clip")
FLIPS: Final = ("label-flip", "sign-flip")
SHARES: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
STRESS_SHARE: Final = 0.4
CELLS_FILE: Final = "cells.jsonl"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of the experiment: seeds `first` to `first` + `seeds` − 1 of the cells that goals
    are about, and `others` of the rest, the first ones."""

    seeds: int = 20
    first: int = 0
    clients: int = 50
    rounds: int = 100
    others: int = 5

    def cells(self) -> list[FlSettings]:
        """All simulations: what goals are about, shares, other attacks and defences."""
        kinds = [*self._shares(), *self._others()]
        goals = [kind for kind in kinds if _is_goal(*kind)]
        rest = [kind for kind in kinds if not _is_goal(*kind)]
        others = min(self.others, self.seeds)
        return [*self._each(goals, self.seeds), *self._each(rest, others)]

    def _shares(self) -> Iterator[tuple[str, str, float]]:
        for defence in COMPARED:
            yield defence, FLIPS[0], 0.0  # without malicious clients attacks are all the same
            for attack in FLIPS:
                yield from ((defence, attack, share) for share in SHARES if share)

    def _others(self) -> Iterator[tuple[str, str, float]]:
        yield from ((defence, attack, STRESS_SHARE) for defence in ABLATED for attack in FLIPS)
        others = [attack for attack in ATTACKS if attack not in FLIPS]
        yield from (
            (defence, attack, STRESS_SHARE) for attack in others for defence in ("flock", "none")
        )

    def _each(self, kinds: Sequence[tuple[str, str, float]], seeds: int) -> Iterator[FlSettings]:
        for seed in range(self.first, self.first + seeds):
            for defence, attack, share in kinds:
                yield FlSettings(
                    clients=self.clients,
                    malicious=share,
                    attack=attack,
                    rounds=self.rounds,
                    seed=seed,
                    defence=defence,
                    proofs=False,
                )


def _is_goal(defence: str, attack: str, share: float) -> bool:
    """Both flips at two fifths with and without the defence, and clean training."""
    if not share:
        return defence == "none"
    return defence in ("flock", "none") and attack in FLIPS and share == STRESS_SHARE


def key_of(settings: FlSettings) -> str:
    """By what a finished cell is known."""
    parts = (settings.defence, settings.attack, settings.malicious, settings.seed)
    return "/".join(map(str, (*parts, settings.clients, settings.rounds)))


def run_experiment(
    plan: Plan, folder: Path, processes: int, watch: Callable[[int, int], None]
) -> list[dict[str, Any]]:
    """Play the cells that are not in `folder` yet; all that are there then.

    `watch` is told how many of how many are done. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / CELLS_FILE
    done = read_cells(file)
    known = {cell["key"] for cell in done}
    missing = [settings for settings in plan.cells() if key_of(settings) not in known]
    watch(len(done), len(done) + len(missing))
    if not missing:
        return done
    with file.open("a", encoding="utf-8") as out:
        for cell in _played(missing, processes):
            done.append(cell)
            out.write(json.dumps(cell) + "\n")
            out.flush()
            watch(len(done), len(known) + len(missing))
    return done


def read_cells(file: Path) -> list[dict[str, Any]]:
    """The finished cells of a file; a line that was cut off is dropped from it. Raises OSError."""
    if not file.exists():
        return []
    text = file.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        file.write_text(whole, encoding="utf-8")
    return [json.loads(line) for line in whole.splitlines()]


def _played(missing: Sequence[FlSettings], processes: int) -> Iterator[dict[str, Any]]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=limit_threads) as pool:
        for finished in as_completed([pool.submit(play_cell, each) for each in missing]):
            yield finished.result()


def play_cell(settings: FlSettings) -> dict[str, Any]:
    """Play one cell: its final figures, and its curves by round."""
    report = simulate(settings)
    last = report.rounds[-1]
    outcomes = [played.outcome for played in report.rounds]
    return {
        "key": key_of(settings),
        "defence": settings.defence,
        "attack": settings.attack,
        "share": settings.malicious,
        "seed": settings.seed,
        "malicious": settings.malicious_clients,
        "honest": settings.clients - settings.malicious_clients,
        "accuracy": report.final_accuracy,
        "backdoor_success": report.backdoor_success,
        "expelled_honest": last.expelled_honest,
        "expelled_malicious": last.expelled_malicious,
        "outcomes": {name: outcomes.count(name) for name in sorted(set(outcomes))},
        "accuracies": [round(played.accuracy, 4) for played in report.rounds],
        "honest_balances": _rounded([each.honest_balance_mean for each in report.rounds]),
        "malicious_balances": _rounded([each.malicious_balance_mean for each in report.rounds]),
    }


def _rounded(balances: Sequence[float | None]) -> list[float | None]:
    return [None if balance is None else round(balance, 2) for balance in balances]
