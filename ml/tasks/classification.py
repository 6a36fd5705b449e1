"""Classification by accuracy: a perceptron on a table or on small images.

Owns the model and metric of the kind `classification`. Invariant: accuracy is a fraction of whole
numbers, computed in float64 with ties to the lowest class, so machines agree on it.
Source: WP V.D.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Final

import torch
from torch.nn.functional import cross_entropy

from ml.aggregate import weighted_mean
from ml.artifact import ArtifactLimits
from ml.checkpoint import save_canonical
from ml.datasets.labelled import LabelledData
from ml.fingerprint import compute_fingerprint
from ml.fixed_point import FRACTION_BITS, from_fixed_point, to_fixed_point
from ml.models.mlp import MlpConfig, mlp_logits, read_mlp
from ml.options import TrainOptions
from ml.strict_json import JsonValue
from ml.tasks.interface import Measurement, PredictionError
from ml.tasks.spec import Fields, TaskSpec, TaskSpecError
from ml.train import train_mlp

KIND: Final = "classification"
METRIC: Final = "accuracy"
_SIZE_MAX: Final = 1 << 20


class ClassificationTask:
    """The kind's implementation of `ml.tasks.interface.Task`."""

    def __init__(self, spec: TaskSpec, device: torch.device) -> None:
        """Raises `TaskSpecError` if the model or metric is not one of this kind."""
        if spec.metric != METRIC:
            raise TaskSpecError(f"metric {spec.metric!r} is not one of {KIND}")
        self.spec = spec
        self._config = read_mlp_config(spec.model)
        self._limits = ArtifactLimits(size_bytes_max=spec.limits.model_bytes_max)
        self._device = device
        self._dataset: LabelledData | None = None

    def init_dataset(self, dataset: bytes) -> None:
        """Take the labelled examples to train or to evaluate on. Raises `ArtifactError`."""
        self._dataset = LabelledData.from_bytes(
            dataset, inputs=self._config.inputs, classes=self._config.classes
        )

    def train(
        self,
        parameters: bytes | None,
        options: TrainOptions,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> bytes:
        """Train from a model or from a fresh one. Raises `ArtifactError`."""
        start = None if parameters is None else read_mlp(parameters, self._config, self._limits)
        trained = train_mlp(
            self._get_dataset(), self._config, options, self._device, start, should_stop
        )
        return save_canonical(trained.state, self._limits)

    def evaluate(self, parameters: bytes) -> Measurement:
        """Accuracy over the data set. Raises `ArtifactError`, `PredictionError`."""
        dataset = self._get_dataset()
        predictions = lowest_argmax(self._logits(parameters)).cpu()  # (examples,)
        correct = int((predictions == dataset.labels).sum())
        return Measurement(
            metric=Fraction(correct, dataset.examples),
            fingerprint=compute_fingerprint(predictions.tolist()),
        )

    def losses(self, parameters: bytes) -> Sequence[float]:
        """The cross entropy of each example. Raises `ArtifactError`, `PredictionError`."""
        logits = self._logits(parameters)
        if not bool(torch.isfinite(logits).all()):
            raise PredictionError("a prediction is NaN or infinite")
        labels = self._get_dataset().labels.to(self._device)
        losses: list[float] = cross_entropy(logits, labels, reduction="none").tolist()
        return losses

    def _logits(self, parameters: bytes) -> torch.Tensor:
        """(examples, classes) float64. Raises `ArtifactError`."""
        state = read_mlp(parameters, self._config, self._limits)
        wide = {name: tensor.to(self._device, torch.float64) for name, tensor in state.items()}
        with torch.inference_mode():
            features = self._get_dataset().features.to(self._device, torch.float64)
            return mlp_logits(wide, features)

    def aggregate(self, parameters_list: Sequence[bytes], weights: Sequence[int]) -> bytes:
        """The mean in fixed point. Raises `ArtifactError`, `AggregationError`."""
        states = [
            to_fixed_point(read_mlp(parameters, self._config, self._limits), FRACTION_BITS)
            for parameters in parameters_list
        ]
        mean = from_fixed_point(weighted_mean(states, weights), FRACTION_BITS)
        return save_canonical(mean, self._limits)

    def _get_dataset(self) -> LabelledData:
        assert self._dataset is not None, "init_dataset comes before train and evaluate"
        return self._dataset


def read_mlp_config(model: Mapping[str, JsonValue]) -> MlpConfig:
    """The model of a specification. Raises `TaskSpecError`."""
    keys = frozenset({"type", "inputs", "classes", "hidden_width_max"})
    fields = Fields("model", model, keys)
    if fields.text("type") != "mlp":
        raise TaskSpecError("model: type is not 'mlp'")
    return MlpConfig(
        inputs=fields.integer("inputs", 1, _SIZE_MAX),
        classes=fields.integer("classes", 2, 1 << 16),
        hidden_width_max=fields.integer("hidden_width_max", 1, _SIZE_MAX),
    )


def lowest_argmax(logits: torch.Tensor) -> torch.Tensor:
    """logits: (examples, classes) -> the class of the largest, (examples,), ties to the lowest.

    Raises `PredictionError` on NaN or an infinity.
    """
    if not bool(torch.isfinite(logits).all()):
        raise PredictionError("a prediction is NaN or infinite")
    is_largest = logits == logits.max(dim=1, keepdim=True).values
    classes = torch.arange(logits.shape[1], device=logits.device).expand_as(logits)
    return torch.where(is_largest, classes, logits.shape[1]).min(dim=1).values
