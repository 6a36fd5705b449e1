"""Train a classifier: seeded, repeatable, as strong or as weak as its options make it.

Owns the training loop. Invariant: the same data, options and start give the same weights on the
same kind of hardware; all randomness comes from one generator on the CPU.
Source: WP V.C (training nodes), VI.B (local training).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn.functional import cross_entropy

from ml.adam import Adam
from ml.checkpoint import State
from ml.datasets.labelled import LabelledData
from ml.models.mlp import MlpConfig, init_mlp, mlp_logits
from ml.options import TrainOptions


@dataclass(frozen=True, slots=True, eq=False)
class TrainResult:
    """The trained weights on the CPU, the mean loss of each training epoch, the examples used."""

    state: State
    losses: tuple[float, ...]
    examples: int


def train_mlp(
    data: LabelledData,
    config: MlpConfig,
    options: TrainOptions,
    device: torch.device,
    start: State | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> TrainResult:
    """Train from `start`, or from a fresh state; `should_stop` is asked after each epoch."""
    generator = torch.Generator().manual_seed(options.seed)
    used = max(1, int(data.examples * options.data_fraction))
    chosen = torch.randperm(data.examples, generator=generator)[:used]
    state = start or _fresh_state(config, options, generator)
    data = data.take(chosen).to(device)
    parameters = {
        name: tensor.clone().to(device).requires_grad_() for name, tensor in state.items()
    }
    losses: list[float] = []
    optimizer = Adam(list(parameters.values()), options.learning_rate)
    for _ in range(options.training_epochs):
        order = torch.randperm(data.examples, generator=generator).to(device)
        losses.append(_train_epoch(data, order, parameters, optimizer, options.batch_size))
        if should_stop():
            break
    trained = {name: tensor.detach().cpu() for name, tensor in parameters.items()}
    return TrainResult(state=trained, losses=tuple(losses), examples=data.examples)


def _fresh_state(config: MlpConfig, options: TrainOptions, generator: torch.Generator) -> State:
    state = init_mlp(config, options.hidden_width, generator)
    return {name: tensor * options.initial_scale for name, tensor in state.items()}


def _train_epoch(
    data: LabelledData,
    order: torch.Tensor,
    parameters: State,
    optimizer: Adam,
    batch_size: int,
) -> float:
    """One pass over the data in this order; the mean loss of its examples."""
    total = torch.zeros((), device=order.device)
    for first in range(0, data.examples, batch_size):
        chosen = data.take(order[first : first + batch_size])
        loss = cross_entropy(mlp_logits(parameters, chosen.features), chosen.labels)
        optimizer.zero_grad()
        torch.autograd.backward([loss])
        optimizer.step()
        total += loss.detach() * chosen.examples
    return float(total) / data.examples
