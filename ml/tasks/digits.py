"""A ready task: tell handwritten digits apart, from data that ships with a library.

Owns the blobs and the specification of that task. Invariant: the same arguments give the same
specification, and so the same content ids, on any machine.
Source: WP V.A, V.C, V.H.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import torch

from ml.datasets.digits import CLASSES, INPUTS, split_digits
from ml.evaluate import score_of_accuracy
from ml.tasks.classification import KIND, METRIC
from ml.tasks.ready_task import ReadyTask
from ml.tasks.spec import DataSplits, TaskLimits, TaskSpec
from runtime.primitives.content_id import content_id

BASELINE_MARGIN: Final = Fraction(5, 100)
"""How much better than always naming the commonest class a model must be to be paid."""
_LIMITS: Final = TaskLimits(
    model_bytes_max=1 << 20,
    train_seconds_max=60,
    evaluate_seconds_max=10,
    memory_bytes_max=1 << 30,
)


def create_digits_task(
    title: str = "Handwritten digits", seed: int = 1, hidden_width_max: int = 256
) -> ReadyTask:
    """The task of this seed; the seed draws the split and starts the training of a newcomer."""
    splits = split_digits(seed)
    train = splits.train.to_bytes()
    validation_a = splits.validation_a.to_bytes()
    validation_b = splits.validation_b.to_bytes()
    commonest = int(torch.bincount(splits.train.labels).max())
    spec = TaskSpec(
        title=title,
        kind=KIND,
        model={
            "type": "mlp",
            "inputs": INPUTS,
            "classes": CLASSES,
            "hidden_width_max": hidden_width_max,
        },
        metric=METRIC,
        data=DataSplits(
            train=(content_id(train),),
            validation_a=content_id(validation_a),
            validation_b=content_id(validation_b),
        ),
        seed=seed,
        baseline=score_of_accuracy(Fraction(commonest, splits.train.examples) + BASELINE_MARGIN),
        limits=_LIMITS,
    )
    return ReadyTask(spec, train, validation_a, validation_b)
