"""What federated rounds take: with the pallet and training, with training alone, and aggregation.

Source: performance targets; WP VI.C to VI.E.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from flockchain.bench.timing import microseconds
from flockchain.simulation.fl.play import simulate
from flockchain.simulation.fl.settings import FlSettings
from ml.aggregate import mean_of_rows
from ml.federation import make_updates


def bench_fl(clients: int = 50, rounds: int = 10, parameters: int = 1_000_000) -> list[Any]:
    """Rows: rounds a second and seconds a run of 100, by defence; gigabytes of updates a second."""
    rows: list[Any] = []
    for defence, proofs in (("flock", True), ("flock", False), ("none", False)):
        settings = FlSettings(clients=clients, rounds=rounds, defence=defence, proofs=proofs)
        seconds = microseconds(partial(simulate, settings), 1) / 1e6
        name = f"{defence}, {clients} clients" + (", VRF proofs" if proofs else "")
        rate = rounds / seconds
        rows.append({"name": name, "rounds_per_s": round(rate, 2), "run_s": round(100 / rate, 1)})
    models = min(clients, 256)
    size = models * parameters * 2  # int16
    updates, weights = make_updates(models, parameters), [1] * models
    seconds = min(microseconds(lambda: mean_of_rows(updates, weights), 1) for _ in range(3)) / 1e6
    rows.append({"name": f"mean of {models} updates", "gb_per_s": round(size / seconds / 1e9, 2)})
    return rows
