"""The weighted mean of models in fixed point: the same bits on any machine, in any order.

Owns the step between float32 weights and int32 fixed point and the integer mean. Invariant: the
mean is (2·Σ a·w + A) // (2·A) with A = Σ a, in integers that cannot overflow 64 bits.
Source: WP VI.B, VI.D (aggregation of the proposers' models).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import torch

from ml.artifact import ArtifactMismatchError

FRACTION_BITS: Final = 14
MODELS_MAX: Final = 256
WEIGHT_MAX: Final = 1024
_INT32_MAX: Final = 2**31 - 1


class AggregationError(ValueError):
    """Models or weights that cannot be averaged."""


def to_fixed_point(state: Mapping[str, torch.Tensor], bits: int) -> dict[str, torch.Tensor]:
    """round(w·2^bits), half to even, clamped to int32: float tensors to int32 tensors."""
    return {
        name: (tensor.double() * 2**bits).round().clamp(-_INT32_MAX, _INT32_MAX).to(torch.int32)
        for name, tensor in state.items()
    }


def from_fixed_point(state: Mapping[str, torch.Tensor], bits: int) -> dict[str, torch.Tensor]:
    """w / 2^bits, rounded once to float32: int32 tensors to float32 tensors."""
    return {name: (tensor.double() / 2**bits).float() for name, tensor in state.items()}


def weighted_mean(
    states: Sequence[Mapping[str, torch.Tensor]], weights: Sequence[int]
) -> dict[str, torch.Tensor]:
    """The integer mean of int32 states of equal names and shapes, rounded half up.

    Raises `AggregationError` on a bad count or weight, `ArtifactMismatchError` on other shapes.
    """
    if not 1 <= len(states) <= MODELS_MAX or len(states) != len(weights):
        raise AggregationError(f"{len(states)} models and {len(weights)} weights")
    if not all(1 <= weight <= WEIGHT_MAX for weight in weights):
        raise AggregationError(f"a weight is outside 1..{WEIGHT_MAX}")
    shapes = _shapes(states[0])
    if any(_shapes(state) != shapes for state in states):
        raise ArtifactMismatchError("models to aggregate differ in names or shapes")
    total = sum(weights)
    mean: dict[str, torch.Tensor] = {}
    for name in sorted(states[0]):
        weighted = torch.zeros_like(states[0][name], dtype=torch.int64)
        for state, weight in zip(states, weights, strict=True):
            weighted += state[name].to(torch.int64) * weight
        rounded = torch.div(2 * weighted + total, 2 * total, rounding_mode="floor")
        mean[name] = rounded.to(torch.int32)
    return mean


def _shapes(state: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}
