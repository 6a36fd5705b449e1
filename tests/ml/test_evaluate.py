"""From metric to score, and the verdict on what cannot be scored."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from ml.checkpoint import save_canonical
from ml.evaluate import (
    Evaluation,
    Verdict,
    evaluate_submission,
    score_of_accuracy,
    score_of_bits_per_byte,
)
from ml.tasks.classification import lowest_argmax
from ml.tasks.interface import PredictionError, Task
from ml.tasks.ready_task import ReadyTask


@pytest.mark.parametrize(
    ("correct", "total", "score"),
    [
        (0, 300, 0),
        (300, 300, 10**9),
        (1, 3, 333_333_333),
        (2, 3, 666_666_666),
        (288, 300, 96 * 10**7),
    ],
)
def test_the_map_of_accuracy(correct: int, total: int, score: int) -> None:
    assert score_of_accuracy(Fraction(correct, total)) == correct * 10**9 // total == score


def test_the_map_is_of_fractions_only() -> None:
    with pytest.raises(ValueError, match=r"^accuracy 2 is outside 0\.\.1$"):
        score_of_accuracy(Fraction(2))


@pytest.mark.parametrize(
    ("bits", "score"),
    [(Fraction(0), 10**9), (Fraction(2), 750_000_000), (Fraction(8), 0), (Fraction(9), 0)],
)
def test_the_map_of_bits_per_byte(bits: Fraction, score: int) -> None:
    assert score_of_bits_per_byte(bits) == score
    with pytest.raises(ValueError, match=r"^-1 bits per byte are below 0$"):
        score_of_bits_per_byte(Fraction(-1))


def test_a_good_model_is_scored(task: Task, digits: ReadyTask, good_model: bytes) -> None:
    task.init_dataset(digits.validation_a)
    evaluation = evaluate_submission(task, good_model)
    assert evaluation.verdict is Verdict.SCORED
    assert evaluation.score >= 930_000_000 > digits.spec.baseline
    assert evaluation.fingerprint == task.evaluate(good_model).fingerprint


@pytest.mark.parametrize(
    ("submission", "reason"),
    [
        (b"", "ArtifactTruncatedError: file of 0 bytes has no header length"),
        (bytes(2 << 20), "ArtifactSizeError: file of 2097152 bytes is above 1048576"),
        (
            save_canonical({"weights": torch.zeros(3)}),
            "ArtifactMismatchError: tensors ['weights'] are not those of the task's model",
        ),
    ],
)
def test_a_bad_model_scores_zero_with_a_reason(task: Task, submission: bytes, reason: str) -> None:
    assert evaluate_submission(task, submission) == Evaluation(Verdict.INVALID, reason=reason)


def test_predictions_that_are_no_numbers() -> None:
    with pytest.raises(PredictionError, match=r"^a prediction is NaN or infinite$"):
        lowest_argmax(torch.tensor([[0.0, float("inf")]]))
    assert lowest_argmax(torch.tensor([[1.0, 2.0, 2.0], [0.0, 0.0, 0.0]])).tolist() == [1, 0]
