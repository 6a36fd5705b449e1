"""A real network under load for minutes: slots, finality and memory as its operators see them.

Source: reliability goals for real processes (four nodes, 1 s slots, two cores).
"""

from flockchain.bench.soak.run import SoakPlan, run_soak
from flockchain.devnet.processes import DevnetError

__all__ = ["DevnetError", "SoakPlan", "run_soak"]
