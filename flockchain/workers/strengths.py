"""How hard a trainer tries, and the cheats that experiments need beside the honest.

NOISE, OVERFIT and CLONE are attacks, shipped so that everybody can measure what they earn: a free
rider, a trainer that learns the open validation set by heart, and many keys with one model.
Invariant: the same strength, name and attempt give the same plan.

Source: WP V.C (training nodes), WP V.H (overfitting Dataset A), Table I (free riders).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from ml.options import TrainOptions
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import AccountId

_ATTEMPTS_THAT_GROW: Final = 10  # later ones try another seed, for the same price
_LEARNS_BY_HEART: Final = 40.0  # of the first weights: training then hardly moves the features


class Strength(enum.StrEnum):
    """How a trainer comes by its models."""

    STRONG = "strong"
    WEAK = "weak"
    NOISE = "noise"  # attack: a free rider's untrained model
    OVERFIT = "overfit"  # attack: trained on validation set A itself, on nothing else
    CLONE = "clone"  # attack: all keys of one label hand in one and the same file

    @property
    def is_trained_on_set_a(self) -> bool:
        """Whether it learns the validation set instead of the training data."""
        return self is Strength.OVERFIT


@dataclass(frozen=True, slots=True)
class Method:
    """A trainer's way of training; `label` names the clones that share their models."""

    strength: Strength = Strength.STRONG
    label: str = ""

    def maker(self, account: AccountId) -> bytes:
        """Whose model it is: the account's own, or that of all clones of the label."""
        if self.strength is Strength.CLONE:
            return blake2b_256(b"clones" + self.label.encode())
        return account

    def options(self, account: AccountId, task: int, attempt: int) -> TrainOptions:
        """The attempt's options: another seed, and at first more training epochs, every time."""
        name = self.maker(account) + task.to_bytes(4, "little") + attempt.to_bytes(4, "little")
        seed = int.from_bytes(blake2b_256(name)[:4], "little")
        grown = min(attempt, _ATTEMPTS_THAT_GROW)
        match self.strength:
            case Strength.STRONG | Strength.CLONE:
                return TrainOptions(training_epochs=24 + 12 * grown, hidden_width=96, seed=seed)
            case Strength.WEAK:
                return TrainOptions(
                    training_epochs=20 + 10 * grown, hidden_width=16, data_fraction=0.15, seed=seed
                )
            case Strength.NOISE:
                return TrainOptions(training_epochs=0, hidden_width=16, seed=seed)
            case Strength.OVERFIT:
                return TrainOptions(
                    training_epochs=100,
                    hidden_width=64,
                    learning_rate=0.02,
                    batch_size=32,
                    seed=seed,
                    initial_scale=_LEARNS_BY_HEART,
                )


STRONG: Final = Method()
