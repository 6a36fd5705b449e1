"""Handwritten digits, 8 by 8 pixels, 1,797 of them, as they ship with scikit-learn.

Owns the split into a public training set and the validation sets A and B. Invariant: the order of
the split is that of SHA2-256 of seed and index, so no library's random generator can change it.
Source: WP V.C; economics of a task's data (WP V.A): training set, set A, set B.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import torch
from sklearn.datasets import load_digits

from ml.datasets.labelled import LabelledData

SIDE: Final = 8  # pixels
INPUTS: Final = SIDE * SIDE
CLASSES: Final = 10
VALIDATION_EXAMPLES: Final = 300
"""The size of set A, and of set B; the rest is for training."""
_PIXEL_MAX: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class DigitsSplits:
    """The three disjoint parts; features are scaled to 0..1, exactly, in sixteenths."""

    train: LabelledData
    validation_a: LabelledData
    validation_b: LabelledData


def split_digits(seed: int) -> DigitsSplits:
    """The three sets of a seed, the same on any machine."""
    digits = read_digits(seed)
    order = torch.arange(digits.examples)
    set_a, set_b, train = torch.tensor_split(order, (VALIDATION_EXAMPLES, 2 * VALIDATION_EXAMPLES))
    return DigitsSplits(
        train=digits.take(train), validation_a=digits.take(set_a), validation_b=digits.take(set_b)
    )


def read_digits(seed: int) -> LabelledData:
    """All digits in the order of a seed, the same on any machine."""
    source = load_digits()
    digits = LabelledData(
        features=torch.tensor(source.data / _PIXEL_MAX, dtype=torch.float32),  # (1797, 64)
        labels=torch.tensor(source.target, dtype=torch.int64),  # (1797,)
    )
    return digits.take(torch.tensor(_hash_order(seed, digits.examples)))


def shift_digits(digits: LabelledData) -> LabelledData:
    """The same digits as another scanner sees them: one pixel further to the right."""
    images = digits.features.reshape(-1, SIDE, SIDE)  # (examples, rows, columns)
    shifted = torch.zeros_like(images)
    shifted[:, :, 1:] = images[:, :, :-1]
    return LabelledData(shifted.reshape(-1, INPUTS), digits.labels)


def _hash_order(seed: int, examples: int) -> list[int]:
    return sorted(
        range(examples),
        key=lambda index: hashlib.sha256(b"digits:%d:%d" % (seed, index)).digest(),
    )
