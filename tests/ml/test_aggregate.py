"""The integer mean: its formula, its rounding, its independence of order and machine."""

from __future__ import annotations

import pytest
import torch

from ml.aggregate import (
    AggregationError,
    from_fixed_point,
    to_fixed_point,
    weighted_mean,
)
from ml.artifact import ArtifactMismatchError


def state(*values: int) -> dict[str, torch.Tensor]:
    return {"w": torch.tensor(values, dtype=torch.int32)}


def test_worked_example() -> None:
    """n = (10, 30, 60), θ = (1, 2, 3) give 2.5 (WP VI.D)."""
    models = [to_fixed_point({"w": torch.tensor([theta])}, 14) for theta in (1.0, 2.0, 3.0)]
    mean = from_fixed_point(weighted_mean(models, [10, 30, 60]), 14)
    assert mean["w"].tolist() == [2.5]


def test_rounding_is_half_up_also_below_zero() -> None:
    assert weighted_mean([state(0, 0, -1), state(1, -1, -2)], [1, 1])["w"].tolist() == [1, 0, -1]


def test_order_does_not_matter() -> None:
    models = [state(7, -3), state(2, 9), state(-8, 5)]
    forward = weighted_mean(models, [1, 2, 3])
    assert torch.equal(forward["w"], weighted_mean(models[::-1], [3, 2, 1])["w"])


def test_extremes_do_not_overflow() -> None:
    top = 2**31 - 1
    models = [state(top, -top)] * 256
    assert weighted_mean(models, [1024] * 256)["w"].tolist() == [top, -top]
    clamped = to_fixed_point({"w": torch.tensor([3e38, -3e38, 2**-15])}, 14)
    assert clamped["w"].tolist() == [top, -top, 0]


def test_refusals() -> None:
    with pytest.raises(AggregationError, match=r"^0 models and 0 weights$"):
        weighted_mean([], [])
    with pytest.raises(AggregationError, match=r"^1 models and 2 weights$"):
        weighted_mean([state(1)], [1, 1])
    with pytest.raises(AggregationError, match=r"^a weight is outside 1\.\.1024$"):
        weighted_mean([state(1)], [0])
    with pytest.raises(ArtifactMismatchError):
        weighted_mean([state(1), state(1, 2)], [1, 1])
