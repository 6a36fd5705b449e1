"""What a simulation of federated learning found, as data and as a document.

Source: WP Fig. 6; interfaces (the shape of `--json`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from flockchain.simulation.fl.settings import FlSettings


@dataclass(frozen=True, slots=True)
class PlayedRound:
    """`accuracy`: of the model after it, on examples that no client has. `outcome`: accepted,
    rejected, void, or none if the task took place no more. Balances in FML."""

    round: int
    accuracy: float
    outcome: str
    honest_balance_mean: float | None
    malicious_balance_mean: float | None
    expelled_honest: int
    expelled_malicious: int


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """`backdoor_success`: the part of examples that a planted trigger turns."""

    settings: FlSettings
    rounds: Sequence[PlayedRound]
    backdoor_success: float | None

    @property
    def final_accuracy(self) -> float:
        """Of the last round's model."""
        return self.rounds[-1].accuracy

    def as_document(self) -> dict[str, object]:
        """The document of `--json`."""
        settings = self.settings
        return {
            "attack": settings.attack,
            "defence": settings.defence,
            "clients": settings.clients,
            "malicious": settings.malicious_clients,
            "seed": settings.seed,
            "rounds": [asdict(played) for played in self.rounds],
            "final_accuracy": self.final_accuracy,
            "backdoor_success": self.backdoor_success,
        }
