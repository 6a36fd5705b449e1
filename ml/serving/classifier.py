"""Classes for rows that callers send: the models that the Arena and the FL Alliance leave.

Owns the reading of inputs. Invariant: a row's answer depends on that row alone, is computed in
float64, and ties go to the lowest class, as in the tasks' own metric.
Source: WP V.H, VI.B (the models of finished tasks); WP II.C.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch

from ml.artifact import ArtifactLimits
from ml.language.sampling import GenerationError
from ml.models.mlp import mlp_logits, read_mlp
from ml.round_work import GlobalModel
from ml.serving.limits import ROWS_MAX
from ml.tasks.classification import KIND, lowest_argmax, read_mlp_config
from ml.tasks.spec import TaskSpec, TaskSpecError

NEAR: Final = 1e-9  # of the largest logit: machines that sum float64 in other orders differ by less


@dataclass(frozen=True, slots=True)
class Prediction:
    """The likeliest class of a row, how likely each is, and which rounding could make likeliest."""

    label: int
    probabilities: list[float]
    near: list[int]


class Classifier:
    """A task's model, opened."""

    def __init__(
        self, spec: bytes, weights: bytes, device: torch.device, fraction_bits: int | None = None
    ) -> None:
        """`fraction_bits`: of the fixed point of an FL Alliance's model.

        Raises `TaskSpecError`, `ArtifactError`.
        """
        task = TaskSpec.parse(spec)
        if task.kind != KIND:
            raise TaskSpecError(f"models of kind {task.kind!r} answer no rows")
        self._config = read_mlp_config(task.model)
        most = task.limits.model_bytes_max
        if fraction_bits is not None:
            model = GlobalModel.read(weights, fraction_bits, most)
            weights = model.to_float_file(model.vector)
        limits = ArtifactLimits(size_bytes_max=most)
        state = read_mlp(weights, self._config, limits)
        self._state = {name: each.to(device, torch.float64) for name, each in state.items()}
        self._device = device

    def predict(self, rows: Sequence[Sequence[float]]) -> list[Prediction]:
        """One prediction a row. Raises `GenerationError` for rows of another width or not finite,
        `PredictionError` if the model's own output is not finite."""
        if not 1 <= len(rows) <= ROWS_MAX:
            raise GenerationError(f"{len(rows)} rows are outside 1..{ROWS_MAX}")
        if any(len(row) != self._config.inputs for row in rows):
            raise GenerationError(f"a row of this model has {self._config.inputs} numbers")
        features = torch.tensor(rows, dtype=torch.float32)  # (rows, inputs)
        if not bool(torch.isfinite(features).all()):
            raise GenerationError("a number of a row is not finite in 32 bits")
        with torch.inference_mode():
            wide = features.to(self._device, torch.float64)
            logits = mlp_logits(self._state, wide)  # (rows, classes)
            labels = lowest_argmax(logits).tolist()
            shares = torch.softmax(logits, dim=1).tolist()
            slack = NEAR * logits.abs().amax(dim=1, keepdim=True)
            is_near = logits >= logits.amax(dim=1, keepdim=True) - slack  # (rows, classes)
            near = [row.nonzero()[:, 0].tolist() for row in is_near]
        return [Prediction(*each) for each in zip(labels, shares, near, strict=True)]
