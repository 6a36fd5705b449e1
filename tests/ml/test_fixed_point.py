"""Fixed point: rounding, clamping, updates, and the one vector of a model."""

from __future__ import annotations

import pytest
import torch

from ml.artifact import ArtifactMismatchError
from ml.fixed_point import Layout, from_fixed, to_fixed, to_fixed_point, to_update

STATE = {"b": torch.arange(3), "a": torch.arange(4).reshape(2, 2)}


def test_a_state_has_one_vector_in_the_order_of_its_names() -> None:
    layout = Layout.of(STATE)
    assert layout.parameters == 7
    vector = layout.flatten(STATE)
    assert vector.tolist() == [0, 1, 2, 3, 0, 1, 2]
    back = layout.unflatten(vector)
    assert list(back) == ["a", "b"]
    assert all(torch.equal(back[name], STATE[name]) for name in STATE)


def test_stacked_vectors_give_stacked_tensors() -> None:
    layout = Layout.of(STATE)
    stacked = layout.unflatten(torch.stack([layout.flatten(STATE)] * 5))
    assert stacked["a"].shape == (5, 2, 2)
    assert stacked["b"].shape == (5, 3)


def test_another_model_is_refused() -> None:
    message = "^models to aggregate differ in names or shapes$"
    with pytest.raises(ArtifactMismatchError, match=message):
        Layout.of(STATE).flatten({"a": STATE["a"]})


def test_rounding_is_half_to_even_and_clamped() -> None:
    values = torch.tensor([2.5, 3.5, -2.5, 3e38, -3e38]) / 2**14
    assert to_fixed(values, 14)[:3].tolist() == [2, 4, -2]
    extremes = to_fixed_point({"w": torch.tensor([3e38, -3e38])}, 14)["w"]
    assert extremes.tolist() == [2**31 - 1, 1 - 2**31]
    assert from_fixed(torch.tensor([2**14, -1], dtype=torch.int32), 14).tolist() == [1, -(2**-14)]


def test_an_update_is_clamped_and_holds_numbers_only() -> None:
    start = to_fixed(torch.tensor([1.0, 1.0, 1.0, 1.0, 1.0]), 14)
    local = torch.tensor([1.5, 9.0, -9.0, float("nan"), float("inf")])
    update = to_update(local, start, 14)
    assert update.dtype == torch.int16
    assert update.tolist() == [2**13, 2**15 - 1, -(2**15), 0, 2**15 - 1]
