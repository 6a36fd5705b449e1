"""The weighted mean of models in fixed point: the same bits on any machine, in any order.

Owns the integer mean, alone and with each proposer's part taken out. Invariant: a mean is
(2·Σ a·w + A) // (2·A) with A = Σ a; sums are formed in float64 and stay below 2^53, so each is
exact whatever the order, the number of threads or the device.
Source: WP VI.B, VI.D (aggregation of the proposers' models).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import torch

from ml.checkpoint import State
from ml.fixed_point import INT32_MAX, Layout

MODELS_MAX: Final = 256
WEIGHT_MAX: Final = 1024
_BUFFER_NUMBERS: Final = {"cpu": 1 << 17, "cuda": 1 << 26}
"""How many float64 the rows of a piece fill: a core's cache, or what keeps a GPU busy."""


class AggregationError(ValueError):
    """Models or weights that cannot be averaged."""


def weighted_mean(states: Sequence[Mapping[str, torch.Tensor]], weights: Sequence[int]) -> State:
    """The integer mean of int32 states of equal names and shapes, rounded half up.

    Raises `AggregationError` on a bad count or weight, `ArtifactMismatchError` on other shapes.
    """
    _ensure_valid(len(states), weights)
    layout = Layout.of(states[0])
    rows = torch.stack([layout.flatten(state) for state in states])  # (models, parameters)
    return layout.unflatten(mean_of_rows(rows, weights))


def mean_of_rows(rows: torch.Tensor, weights: Sequence[int]) -> torch.Tensor:
    """rows: (models, parameters) int16 or int32 -> their integer mean: (parameters,) int32.

    Raises `AggregationError`.
    """
    _ensure_valid(rows.shape[0], weights)
    mean = torch.empty(rows.shape[1], dtype=torch.int32, device=rows.device)
    for columns, sums in _weighted_sums(rows, weights):
        mean[columns] = _round_half_up(sums, sum(weights)).to(torch.int32)
    return mean


def apply_updates(
    start: torch.Tensor, updates: torch.Tensor, weights: Sequence[int]
) -> torch.Tensor:
    """The mean of the models that the updates make of `start`: (parameters,) int32.

    updates: (models, parameters) int16. As start is whole, this is `start` plus the mean update;
    it is clamped to int32. Raises `AggregationError`.
    """
    return _clamped(start, mean_of_rows(updates, weights))


def apply_sum(start: torch.Tensor, sums: torch.Tensor, total: int) -> torch.Tensor:
    """`apply_updates` from Σ a·w alone: (parameters,) int32.

    sums: (parameters,) int64, below 2^53; `total`: Σ a.
    """
    return _clamped(start, _round_half_up(sums, total))


def leave_one_out(
    start: torch.Tensor, updates: torch.Tensor, weights: Sequence[int]
) -> torch.Tensor:
    """`apply_updates` with each update in turn replaced by no change: (models, parameters) int32.

    Raises `AggregationError`.
    """
    _ensure_valid(updates.shape[0], weights)
    factors = _as_float64(weights, updates.device)
    models = torch.empty(updates.shape, dtype=torch.int32, device=updates.device)
    for columns, sums in _weighted_sums(updates, weights):
        without = sums - updates[:, columns] * factors[:, None]  # (models, columns)
        models[:, columns] = _clamped(start[columns], _round_half_up(without, sum(weights)))
    return models


def _weighted_sums(
    rows: torch.Tensor, weights: Sequence[int]
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Σ a·w of one piece of the columns after another: (columns,) float64, exact."""
    models, parameters = rows.shape
    factors = _as_float64(weights, rows.device)
    width = max(1, _BUFFER_NUMBERS[rows.device.type] * torch.get_num_threads() // models)
    buffer = torch.empty((models, min(width, parameters)), dtype=torch.float64, device=rows.device)
    for first in range(0, parameters, width):
        columns = slice(first, min(first + width, parameters))
        piece = buffer[:, : columns.stop - first]
        yield columns, factors @ piece.copy_(rows[:, columns])


def _round_half_up(sums: torch.Tensor, total: int) -> torch.Tensor:
    # In integers: a GPU divides floats by a number as it multiplies with the inverse, inexactly.
    return torch.div(2 * sums.to(torch.int64) + total, 2 * total, rounding_mode="floor")


def _clamped(start: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
    return (start.double() + moved).clamp(-INT32_MAX, INT32_MAX).to(torch.int32)


def _as_float64(weights: Sequence[int], device: torch.device) -> torch.Tensor:
    return torch.tensor(weights, dtype=torch.float64, device=device)


def _ensure_valid(models: int, weights: Sequence[int]) -> None:
    if not 1 <= models <= MODELS_MAX or models != len(weights):
        raise AggregationError(f"{models} models and {len(weights)} weights")
    if not all(1 <= weight <= WEIGHT_MAX for weight in weights):
        raise AggregationError(f"a weight is outside 1..{WEIGHT_MAX}")
