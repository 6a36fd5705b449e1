"""How hard a training node tries: everything about a run that is its own choice.

Owns the options of training and their bounds. Invariant: options that exist are within bounds.
Source: WP V.C (training nodes), VI.B (local training).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """Zero training epochs give an untrained model; a fraction below 1 uses less data.

    `initial_scale` multiplies a fresh model's weights: with large ones it learns its rows by heart.

    Raises `ValueError` out of bounds.
    """

    training_epochs: int = 40
    hidden_width: int = 64
    learning_rate: float = 0.004
    batch_size: int = 64
    data_fraction: float = 1.0
    seed: int = 0
    initial_scale: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.training_epochs <= 100_000:
            raise ValueError(f"{self.training_epochs} training epochs are outside 0..100000")
        if not 1 <= self.batch_size <= 1 << 20:
            raise ValueError(f"batch size {self.batch_size} is outside 1..1048576")
        if not 0 < self.data_fraction <= 1:
            raise ValueError(f"data fraction {self.data_fraction} is outside (0, 1]")
        if not 0 < self.initial_scale <= 1_000:
            raise ValueError(f"initial scale {self.initial_scale} is outside (0, 1000]")
        if not 0 < self.learning_rate <= 10:
            raise ValueError(f"learning rate {self.learning_rate} is outside (0, 10]")
