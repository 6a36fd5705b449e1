"""The private data of many clients as stacked tensors, and how the digits are dealt out to them.

Owns the split of the digits into a public test set and one shard a client, of training and test
examples. Invariant: all sets are disjoint, shards have equal sizes, and the order is that of
SHA2-256 of seed and index, so the same seed gives the same split on any machine.
Source: WP VI.B (each participant has data of its own), WP VI.E (and a test set of its own).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch

from ml.datasets.digits import read_digits
from ml.datasets.labelled import LabelledData

HOLDOUT_EXAMPLES: Final = 297
"""What no client has; the accuracies of simulations are measured on it."""


class ShardError(ValueError):
    """Too few examples for so many clients."""


@dataclass(frozen=True, slots=True, eq=False)
class Shards:
    """features: (clients, examples, inputs) float32; labels: (clients, examples) int64."""

    features: torch.Tensor
    labels: torch.Tensor

    @property
    def clients(self) -> int:
        """How many clients have a part."""
        return self.labels.shape[0]

    @property
    def examples(self) -> int:
        """How many examples each has."""
        return self.labels.shape[1]

    def take(self, clients: torch.Tensor) -> Shards:
        """The shards of these clients: (chosen,) int64."""
        return Shards(self.features[clients], self.labels[clients])

    def of(self, client: int) -> LabelledData:
        """One client's examples."""
        return LabelledData(self.features[client], self.labels[client])

    def beside(self, others: Shards) -> Shards:
        """Each client's examples, then its examples of `others`."""
        return Shards(
            torch.cat([self.features, others.features], dim=1),
            torch.cat([self.labels, others.labels], dim=1),
        )


def stack(parts: list[LabelledData]) -> Shards:
    """One part a client, all of one size."""
    return Shards(
        torch.stack([part.features for part in parts]),
        torch.stack([part.labels for part in parts]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class DealtDigits:
    """What the clients train on, what they test on, and what nobody has."""

    train: Shards
    test: Shards
    holdout: LabelledData


def deal_digits(seed: int, clients: int, test_examples: int, device: torch.device) -> DealtDigits:
    """Equal shards, `test_examples` of each for its tests; what cannot be divided is left out.

    Raises `ShardError` unless each client has an example to train on.
    """
    digits = read_digits(seed).to(device)  # in the seed's order
    each = (digits.examples - HOLDOUT_EXAMPLES) // clients
    if each <= test_examples:
        raise ShardError(f"{clients} clients have {each} examples each, {test_examples} for tests")
    inner = slice(HOLDOUT_EXAMPLES, HOLDOUT_EXAMPLES + clients * each)
    features = digits.features[inner].reshape(clients, each, -1)  # (clients, examples, inputs)
    labels = digits.labels[inner].reshape(clients, each)
    return DealtDigits(
        train=Shards(features[:, test_examples:], labels[:, test_examples:]),
        test=Shards(features[:, :test_examples], labels[:, :test_examples]),
        holdout=LabelledData(digits.features[:HOLDOUT_EXAMPLES], digits.labels[:HOLDOUT_EXAMPLES]),
    )
