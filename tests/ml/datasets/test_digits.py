"""The digits and their split: pinned content ids, disjoint parts, a strict reader."""

from __future__ import annotations

import pytest
import torch

from ml.artifact import ArtifactMismatchError
from ml.checkpoint import save_canonical
from ml.datasets.digits import split_digits
from ml.datasets.labelled import DATASET_LIMITS, LabelledData
from ml.tasks.ready_task import ReadyTask
from runtime.primitives.content_id import cid_text, content_id


def test_pinned_ids(digits: ReadyTask) -> None:
    assert [cid_text(content_id(data)) for data in (digits.train, digits.validation_a)] == [
        "bagaqierafk62xcr5d4n65w3wjm2mwsa36uedcuc335ththybnfcifb4y7sja",
        "bagaqiera3ahr2ybonz76geyivuv5vlhoolqiyzjdwshonhh7gtphjxyrsw5a",
    ]
    assert cid_text(content_id(digits.validation_b)) == (
        "bagaqiera5de6wfqgf5qr5mdvx2lursn2w4fjqpwu3zqpvozr6qqmiwtwggha"
    )


def test_the_parts_are_the_whole_once() -> None:
    splits = split_digits(seed=2)
    parts = [splits.train, splits.validation_a, splits.validation_b]
    assert [part.examples for part in parts] == [1197, 300, 300]
    pixels = torch.cat([part.features for part in parts])
    whole = torch.cat([part.features for part in vars_of(split_digits(seed=1))])
    assert torch.equal(pixels.sum(dim=0), whole.sum(dim=0))
    assert not torch.equal(pixels, whole)
    assert torch.equal(pixels * 16, (pixels * 16).round())


def vars_of(splits: object) -> list[LabelledData]:
    return [getattr(splits, name) for name in ("train", "validation_a", "validation_b")]


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (torch.zeros(2, 3), torch.tensor([0, 2]), "a label is outside 0..1"),
        (torch.zeros(2, 3), torch.tensor([0, -1]), "a label is outside 0..1"),
        (torch.zeros(2, 3), torch.tensor([0]), "2 examples of features, 1 labels"),
        (
            torch.zeros(2, 3),
            torch.tensor([0.0, 1.0]),
            "features are not float32 or labels not int64",
        ),
        (
            torch.zeros(2, 4),
            torch.tensor([0, 1]),
            "tensor features has shape [2, 4], the task's model has [None, 3]",
        ),
    ],
)
def test_bad_data(features: torch.Tensor, labels: torch.Tensor, message: str) -> None:
    data = save_canonical({"features": features, "labels": labels}, DATASET_LIMITS)
    with pytest.raises(ArtifactMismatchError) as caught:
        LabelledData.from_bytes(data, inputs=3, classes=2)
    assert str(caught.value) == message
