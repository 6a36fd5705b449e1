"""What voters measure of a round: scores, and leave-one-out marks.

Owns the rule by which a voter marks a proposer, for a worker with one voter and for simulations
with all of them at once. Invariant: a voter's figures depend on its own examples only; a score is
correct · 10^9 // total, as a validator's is.
Source: WP VI.E (validation on a participant's own data); leave-one-out marks are this project's.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

import torch
from torch.nn.functional import cross_entropy

from ml.datasets.shards import Shards
from ml.evaluate import score_of_accuracy
from ml.fixed_point import Layout, from_fixed
from ml.stacked_training import centred, stacked_logits

MARK_MARGIN: Final = 0.2
"""By how much a proposer must raise the mean loss, times the number of proposers, to be marked; of
an aggregate that costs more than 1, by that part of its loss: in a ruined one all parts weigh."""
MARK_ERRORS: Final = 1.0
"""And by how many standard errors of that mean: few examples tell little."""
LOSS_MAX: Final = 1e6
"""What a model costs on an example that it cannot be asked about."""


def scores_of(models: torch.Tensor, data: Shards, layout: Layout, bits: int) -> list[list[int]]:
    """models: (models, parameters) int32 -> each one's score by each voter, 0 to 10^9."""
    guesses = _logits(models, data, layout, bits).argmax(dim=-1)  # (models, voters · examples)
    correct = (guesses == data.labels.flatten()).reshape(len(models), *data.labels.shape)
    counts: list[list[int]] = correct.sum(dim=-1).tolist()
    return [[score_of_accuracy(Fraction(count, data.examples)) for count in row] for row in counts]


def losses_of(models: torch.Tensor, data: Shards, layout: Layout, bits: int) -> torch.Tensor:
    """models: (models, parameters) int32 -> cross entropy: (models, voters, examples)."""
    logits = _logits(models, data, layout, bits)  # (models, voters · examples, classes)
    labels = data.labels.flatten().expand(len(models), -1)
    losses = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    return losses.reshape(len(models), *data.labels.shape)


def mark_harmful(
    aggregate: torch.Tensor, without: torch.Tensor, data: Shards, layout: Layout, bits: int
) -> list[list[bool]]:
    """Whether each voter marks each proposer, by `are_harmful`.

    aggregate: (parameters,) int32; without: (proposers, parameters) int32, each with that
    proposer's part taken out.
    """
    losses = losses_of(torch.cat([aggregate[None], without]), data, layout, bits)
    marks: list[list[bool]] = are_harmful(losses[0], losses[1:]).T.tolist()
    return marks


def are_harmful(aggregate: torch.Tensor, without: torch.Tensor) -> torch.Tensor:
    """Whether a voter marks each proposer: without its part the loss is lower, by the margin and
    by more than chance explains.

    aggregate: (..., examples) losses; without: (proposers, ..., examples) losses, each with that
    proposer's part taken out -> (proposers, ...) bool.
    """
    gains = aggregate[None] - without
    mean, examples = gains.mean(dim=-1), gains.shape[-1]
    error = gains.std(dim=-1, correction=0) / math.sqrt(examples)
    margin = MARK_MARGIN / len(without) * aggregate.mean(dim=-1).clamp(min=1)
    return (mean > margin) & (mean > MARK_ERRORS * error)


def _logits(models: torch.Tensor, data: Shards, layout: Layout, bits: int) -> torch.Tensor:
    """All models on all examples: (models, voters · examples, classes)."""
    features = centred(data.features).flatten(0, 1)  # (voters · examples, inputs)
    stacked = layout.unflatten(from_fixed(models, bits))
    return stacked_logits(stacked, features.expand(len(models), *features.shape))
