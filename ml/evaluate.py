"""From a submission to a score: the one place where a metric becomes an integer.

Owns the fixed map of each metric and the verdict on a submission. Invariant: a score is an integer
of 0 to 10^9, higher is better, floored from the exact value of the metric; a submission that
cannot be scored gets 0 and a reason.
Source: WP V.D, V.E.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from ml.artifact import ArtifactError
from ml.tasks.interface import Measurement, PredictionError, Task
from ml.tasks.spec import SCORE_MAX, TaskSpec

REASON_CHARACTERS_MAX: Final = 500
BYTE_BITS: Final = 8


class Verdict(StrEnum):
    """How an evaluation ended. Only `SCORED` and `INVALID` are the submission's own doing."""

    SCORED = "scored"
    INVALID = "invalid"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out of memory"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A score of 0 to 10^9, the SimHash of the predictions, and why the score is 0 if it must be.

    `fingerprint` and `reason` are 0 and empty where there is none.
    """

    verdict: Verdict
    score: int = 0
    fingerprint: int = 0
    reason: str = ""


def score_of_accuracy(accuracy: Fraction) -> int:
    """correct · 10^9 // total, for an accuracy of 0 to 1. Raises `ValueError` outside."""
    if not 0 <= accuracy <= 1:
        raise ValueError(f"accuracy {accuracy} is outside 0..1")
    return accuracy.numerator * SCORE_MAX // accuracy.denominator


def score_of_bits_per_byte(bits: Fraction) -> int:
    """Which part of a byte's 8 bits a model saves, of 10^9; 0 for one that saves none.

    Raises `ValueError` below 0.
    """
    if bits < 0:
        raise ValueError(f"{bits} bits per byte are below 0")
    saved = max(Fraction(BYTE_BITS) - bits, Fraction(0)) / BYTE_BITS
    return saved.numerator * SCORE_MAX // saved.denominator


SCORE_MAPS: Final[Mapping[str, Callable[[Fraction], int]]] = {
    "accuracy": score_of_accuracy,
    "bits_per_byte": score_of_bits_per_byte,
}
"""The map of each metric, by the name in the task's specification."""


def score_of(spec: TaskSpec, measurement: Measurement) -> int:
    """The score of what was measured, by the task's metric."""
    return SCORE_MAPS[spec.metric](measurement.metric)


def evaluate_submission(task: Task, submission: bytes) -> Evaluation:
    """Score a submission on the task's data set, in this process; an invalid one scores 0."""
    try:
        measurement = task.evaluate(submission)
    except (ArtifactError, PredictionError) as error:
        return invalid(f"{type(error).__name__}: {error}")
    score = score_of(task.spec, measurement)
    return Evaluation(Verdict.SCORED, score=score, fingerprint=measurement.fingerprint)


def invalid(reason: str) -> Evaluation:
    """The evaluation of a submission that breaks a rule."""
    return Evaluation(Verdict.INVALID, reason=reason[:REASON_CHARACTERS_MAX])
