"""Poisoned data: flipped labels, a backdoor in half of the examples, equal counts."""

from __future__ import annotations

import torch

from ml.attacks.data import Backdoor, LabelFlip
from ml.datasets.labelled import LabelledData

DATA = LabelledData(torch.zeros(4, 64), torch.tensor([0, 1, 5, 9]))


def test_labels_are_mirrored() -> None:
    flipped = LabelFlip(10)(DATA)
    assert flipped.labels.tolist() == [9, 8, 4, 0]
    assert flipped.features is DATA.features


def test_a_backdoor_leaves_half_of_the_examples_honest() -> None:
    backdoor = Backdoor(target=7)
    poisoned = backdoor(DATA)
    assert poisoned.labels.tolist() == [7, 1, 7, 9]
    assert poisoned.features.sum(dim=1).tolist() == [4, 0, 4, 0]
    assert torch.equal(poisoned.features[0], backdoor.trigger(DATA.features)[0])
    assert DATA.labels.tolist() == [0, 1, 5, 9]
