"""What a simulation of federated learning is asked for, and the terms of its task.

Invariant: the terms are the same for all attacks; only the defence changes what of them acts.
Source: WP VI.B to VI.F; the figures follow WP Fig. 6: 50 clients, 40 % malicious, 100 rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ml.attacks.catalogue import find_attack
from ml.combining import Rule
from ml.stacked_training import LocalOptions
from runtime.pallets.fl_alliance.terms import PARTICIPANTS_MAX, ROUNDS_MAX
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML

QUANTITY: Final = 100 * FML
POOL_A_CLIENT: Final = 100 * FML
TEST_EXAMPLES: Final = 6
PROPOSING: Final = Rational(1, 2)
TOLERANCE: Final = Rational(1, 5)
"""One wrong answer more in six is within it: a voter with so few examples could not tell less."""
TRAINING: Final = LocalOptions(moves=True)
"""Few clients have few examples: what moved copies teach makes up for those that are expelled."""


@dataclass(frozen=True, slots=True)
class Defence:
    """What stands against attackers. `votes`: a task on the chain, with stakes and votes;
    `marks`: its leave-one-out marks slash proposers."""

    summary: str
    rule: Rule
    votes: bool = False
    marks: bool = False


DEFENCES: Final[Mapping[str, Defence]] = {
    "flock": Defence("votes, marks and a bound on norms", Rule.CLIPPED_MEAN, True, True),
    "votes": Defence("the whitepaper's votes alone", Rule.MEAN, True),
    "marks": Defence("votes and marks", Rule.MEAN, True, True),
    "none": Defence("plain FedAvg", Rule.MEAN),
    "clip": Defence("a bound on norms alone", Rule.CLIPPED_MEAN),
    "median": Defence("the median of each parameter", Rule.MEDIAN),
    "trimmed-mean": Defence("the mean without two fifths at each end", Rule.TRIMMED_MEAN),
    "krum": Defence("the one update closest to the others", Rule.KRUM),
    "multi-krum": Defence("the mean of the closest updates", Rule.MULTI_KRUM),
}


class SettingsError(ValueError):
    """A simulation that cannot be played."""


@dataclass(frozen=True, slots=True)
class FlSettings:
    """`malicious` is a share of the clients. `proofs`: members post VRF proofs; without, roles are
    drawn by the same rule from seeded outputs, which saves the time of the proofs.

    Raises `SettingsError`, and `AttackError` for an unknown attack.
    """

    clients: int = 50
    malicious: float = 0.4
    attack: str = "sign-flip"
    rounds: int = 100
    seed: int = 0
    defence: str = "flock"
    device: str = "cpu"
    proofs: bool = True
    proposing: Rational = PROPOSING
    tolerance: Rational = TOLERANCE
    training: LocalOptions = TRAINING
    test_examples: int = TEST_EXAMPLES

    def __post_init__(self) -> None:
        find_attack(self.attack)
        if self.defence not in DEFENCES:
            known = ", ".join(DEFENCES)
            raise SettingsError(f"defence {self.defence!r} is not one of {known}")
        if not 5 <= self.clients <= PARTICIPANTS_MAX:
            raise SettingsError(f"{self.clients} clients are outside 5..{PARTICIPANTS_MAX}")
        if not 0 <= self.malicious <= 1:
            raise SettingsError(f"a share of {self.malicious} is outside 0..1")
        if not 1 <= self.rounds <= ROUNDS_MAX:
            raise SettingsError(f"{self.rounds} rounds are outside 1..{ROUNDS_MAX}")

    @property
    def malicious_clients(self) -> int:
        """How many follow the attack."""
        return round(self.malicious * self.clients)

    @property
    def rules(self) -> Defence:
        """The defence."""
        return DEFENCES[self.defence]
