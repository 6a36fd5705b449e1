"""Weights as integers: an int32 model, int16 updates of it, and the one vector that holds either.

Owns the step between float32 weights and fixed point, and the order of a model's parameters in a
vector. Invariant: parameters stand in the order of their tensors' names, so a state has one vector.
Source: WP VI.B, VI.D (models and updates that proposers share).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch

from ml.artifact import ArtifactMismatchError
from ml.checkpoint import State

FRACTION_BITS: Final = 14
INT32_MAX: Final = 2**31 - 1
UPDATE_MIN: Final = -(2**15)
UPDATE_MAX: Final = 2**15 - 1


@dataclass(frozen=True, slots=True)
class Layout:
    """Names and shapes of a model's tensors, sorted by name."""

    shapes: tuple[tuple[str, tuple[int, ...]], ...]

    @staticmethod
    def of(state: Mapping[str, torch.Tensor]) -> Layout:
        """The layout of these tensors."""
        return Layout(tuple((name, tuple(state[name].shape)) for name in sorted(state)))

    @property
    def parameters(self) -> int:
        """How many numbers the model has."""
        return sum(math.prod(shape) for _, shape in self.shapes)

    def flatten(self, state: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """All tensors as one vector: (parameters,), of the same dtype.

        Raises `ArtifactMismatchError` for other names or shapes.
        """
        if Layout.of(state) != self:
            raise ArtifactMismatchError("models to aggregate differ in names or shapes")
        return torch.cat([state[name].reshape(-1) for name, _ in self.shapes])

    def unflatten(self, vectors: torch.Tensor) -> State:
        """(..., parameters) -> tensors of (..., *shape) that share its memory."""
        leading = vectors.shape[:-1]
        sizes = [math.prod(shape) for _, shape in self.shapes]
        parts = torch.split(vectors, sizes, dim=-1)
        return {
            name: part.reshape(*leading, *shape)
            for (name, shape), part in zip(self.shapes, parts, strict=True)
        }


def to_fixed(values: torch.Tensor, bits: int) -> torch.Tensor:
    """round(w·2^bits), half to even, clamped to int32."""
    scaled: torch.Tensor = values.double() * 2**bits
    return scaled.round().clamp(-INT32_MAX, INT32_MAX).to(torch.int32)


def from_fixed(values: torch.Tensor, bits: int) -> torch.Tensor:
    """w / 2^bits, rounded once to float32."""
    scaled: torch.Tensor = values.double() / 2**bits
    return scaled.float()


def to_update(local: torch.Tensor, start: torch.Tensor, bits: int) -> torch.Tensor:
    """round((θ_local − θ_start)·2^bits) clamped to int16: float32 and int32 vectors to int16.

    A weight that is not a number is left as it was.
    """
    moved: torch.Tensor = local.double() * 2**bits - start.double()
    return moved.round().nan_to_num(0.0).clamp(UPDATE_MIN, UPDATE_MAX).to(torch.int16)


def to_fixed_point(state: Mapping[str, torch.Tensor], bits: int) -> State:
    """`to_fixed` of each tensor."""
    return {name: to_fixed(tensor, bits) for name, tensor in state.items()}


def from_fixed_point(state: Mapping[str, torch.Tensor], bits: int) -> State:
    """`from_fixed` of each tensor."""
    return {name: from_fixed(tensor, bits) for name, tensor in state.items()}
