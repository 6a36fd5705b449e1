"""What a kind of task must do, over bytes.

Owns the Protocol that the registry's classes implement. Invariant: bytes in and bytes out, so a
kind may use any library and the callers know none of them.
Source: WP V.D, VI.B; FLock's FlockModel interface (init_dataset, train, evaluate, aggregate).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from ml.options import TrainOptions
from ml.tasks.spec import TaskSpec


class PredictionError(ValueError):
    """A well-formed model whose predictions are not numbers."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """The task's metric as an exact number, and the SimHash of the predictions (64 bits)."""

    metric: Fraction
    fingerprint: int


class Task(Protocol):
    """One opened task on one data set."""

    @property
    def spec(self) -> TaskSpec:
        """The specification that was opened."""

    def init_dataset(self, dataset: bytes) -> None:
        """Take the data to train or to evaluate on. Raises `ArtifactError`."""

    def train(
        self,
        parameters: bytes | None,
        options: TrainOptions,
        should_stop: Callable[[], bool] = ...,
    ) -> bytes:
        """A trained model's canonical file, from a starting model or from nothing.

        `should_stop` is asked between training epochs. Raises `ArtifactError`.
        """

    def evaluate(self, parameters: bytes) -> Measurement:
        """Measure a model on the data set. Raises `ArtifactError`, `PredictionError`."""

    def losses(self, parameters: bytes) -> Sequence[float]:
        """What a model costs on each example, finite, lower is better, by the loss that it trains.

        Raises `ArtifactError`, `PredictionError`.
        """

    def aggregate(self, parameters_list: Sequence[bytes], weights: Sequence[int]) -> bytes:
        """The weighted mean of models, bit-identical on any machine.

        Raises `ArtifactError`, `AggregationError`.
        """
