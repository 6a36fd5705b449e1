"""Labelled examples: features and the class of each, as one canonical file.

Owns the format of a classification data set. Invariant: one label an example, none negative, all
features finite.
Source: WP V.C.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch

from ml.artifact import ArtifactLimits, ArtifactMismatchError
from ml.checkpoint import load_expected, save_canonical

DATASET_LIMITS: Final = ArtifactLimits(size_bytes_max=1 << 30, dtypes=("F32", "I64"))


@dataclass(frozen=True, slots=True, eq=False)
class LabelledData:
    """features: (examples, inputs) float32; labels: (examples,) int64."""

    features: torch.Tensor
    labels: torch.Tensor

    @property
    def examples(self) -> int:
        """How many examples there are."""
        return self.labels.shape[0]

    def to(self, device: torch.device) -> LabelledData:
        """The same data on a device."""
        return LabelledData(self.features.to(device), self.labels.to(device))

    def take(self, indices: torch.Tensor) -> LabelledData:
        """The examples at these indices: (chosen,) int64."""
        return LabelledData(self.features[indices], self.labels[indices])

    def to_bytes(self) -> bytes:
        """The canonical file."""
        return save_canonical(
            {"features": self.features, "labels": self.labels}, limits=DATASET_LIMITS
        )

    @staticmethod
    def from_bytes(data: bytes, inputs: int, classes: int) -> LabelledData:
        """The data of a canonical file. Raises `ArtifactError` on any other bytes or shapes."""
        shapes = {"features": (None, inputs), "labels": (None,)}
        state = load_expected(data, DATASET_LIMITS, shapes)
        features, labels = state["features"], state["labels"]
        if labels.dtype != torch.int64 or features.dtype != torch.float32:
            raise ArtifactMismatchError("features are not float32 or labels not int64")
        if features.shape[0] != labels.shape[0]:
            raise ArtifactMismatchError(
                f"{features.shape[0]} examples of features, {labels.shape[0]} labels"
            )
        if bool((labels < 0).any()) or bool((labels >= classes).any()):
            raise ArtifactMismatchError(f"a label is outside 0..{classes - 1}")
        return LabelledData(features, labels)
