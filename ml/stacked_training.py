"""Local training of many clients at once: their models are stacked and trained side by side.

Owns the loop and its options. A training epoch is one step of gradient descent over all examples
of a client. Invariant: what a client learns depends on its own data and seed, not on who trains
beside it; all randomness comes from generators on the CPU.
Source: WP VI.C (E epochs of local training from the global model).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import torch
from torch.nn.functional import one_hot

from ml.checkpoint import State
from ml.datasets.labelled import LabelledData
from ml.datasets.shards import Shards, stack
from ml.moves import move_randomly
from ml.patches import stamp_randomly

INK_MEAN: Final = 0.3
INK_SPREAD: Final = 0.4
"""Of the pixels of all digits, rounded: constants of the task, by which features centre on 0."""


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """How a client trains. With `patch_size_max` it also learns from a copy of each example with a
    bright patch of up to so many pixels a side: who does so unlearns triggers. With `moves` it also
    learns from a copy of each that is moved by a pixel, another one in each round."""

    training_epochs: int = 10
    learning_rate: float = 0.4
    patch_size_max: int = 0
    moves: bool = False


def train_stacked(start: State, data: Shards, options: LocalOptions, seeds: Sequence[int]) -> State:
    """Train a copy of the perceptron `start` on each shard: tensors of (clients, *shape).

    `seeds` has one a client, for its copies. Everything stays on the data's device.
    """
    given = data
    if options.patch_size_max:
        data = data.beside(
            _copied(given, partial(stamp_randomly, size_max=options.patch_size_max), seeds)
        )
    if options.moves:
        data = data.beside(_copied(given, move_randomly, seeds))
    models = {
        name: tensor.expand(data.clients, *tensor.shape).clone() for name, tensor in start.items()
    }
    classes = start["output.bias"].shape[0]
    features = centred(data.features)
    targets = one_hot(data.labels, classes).to(data.features.dtype)  # (clients, examples, classes)
    for _ in range(options.training_epochs):
        for name, gradient in _gradients(models, features, targets).items():
            models[name].sub_(gradient, alpha=options.learning_rate)
    return models


def centred(pixels: torch.Tensor) -> torch.Tensor:
    """Pixels from 0 to 1 -> features around 0, as the models take them."""
    return (pixels - INK_MEAN) / INK_SPREAD


def stacked_logits(models: State, features: torch.Tensor) -> torch.Tensor:
    """(models, *shape) and (models, batch, inputs) -> logits: (models, batch, classes)."""
    hidden = torch.relu(_affine(models, "hidden", features))  # (models, batch, width)
    return _affine(models, "output", hidden)


def _affine(models: State, layer: str, features: torch.Tensor) -> torch.Tensor:
    bias, weight = models[f"{layer}.bias"], models[f"{layer}.weight"]
    return torch.baddbmm(bias[:, None], features, weight.transpose(1, 2))


def _gradients(models: State, features: torch.Tensor, targets: torch.Tensor) -> State:
    """Of each model's mean cross entropy, by hand: autograd would cost as much again."""
    before = _affine(models, "hidden", features)  # (models, batch, width)
    hidden = torch.relu(before)
    predicted = _affine(models, "output", hidden).softmax(dim=-1)
    of_logits = (predicted - targets) / features.shape[1]  # (models, batch, classes)
    of_hidden = (of_logits @ models["output.weight"]) * (before > 0)  # (models, batch, width)
    return {
        "output.weight": of_logits.transpose(1, 2) @ hidden,
        "output.bias": of_logits.sum(dim=1),
        "hidden.weight": of_hidden.transpose(1, 2) @ features,
        "hidden.bias": of_hidden.sum(dim=1),
    }


def _copied(data: Shards, change: Callable[..., torch.Tensor], seeds: Sequence[int]) -> Shards:
    """`change` takes images and, by name, a generator."""
    copies = []
    for client, seed in enumerate(seeds):
        own = data.of(client)
        generator = torch.Generator().manual_seed(seed)
        copies.append(LabelledData(change(own.features, generator=generator), own.labels))
    return stack(copies)
