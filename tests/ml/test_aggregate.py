"""The integer mean: its formula, its rounding, its independence of order and machine."""

from __future__ import annotations

import pytest
import torch

from ml.aggregate import (
    AggregationError,
    apply_sum,
    apply_updates,
    leave_one_out,
    mean_of_rows,
    weighted_mean,
)
from ml.artifact import ArtifactMismatchError
from ml.fixed_point import INT32_MAX, from_fixed_point, to_fixed_point


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


def draw_updates(models: int, parameters: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(models)
    shape = (models, parameters)
    return torch.randint(-(2**15), 2**15, shape, dtype=torch.int16, generator=generator)


def test_updates_move_the_start_by_the_mean_of_whole_models() -> None:
    """start + mean(u) is the rounded mean of the models start + u, by plain Python integers."""
    updates, weights = draw_updates(5, 40), [3, 1, 1024, 7, 20]
    start = torch.arange(-20, 20, dtype=torch.int32) * 1_000_003
    total = sum(weights)
    expected = [
        (2 * sum(a * (s + u) for a, u in zip(weights, column, strict=True)) + total) // (2 * total)
        for s, column in zip(start.tolist(), updates.T.tolist(), strict=True)
    ]
    assert apply_updates(start, updates, weights).tolist() == expected
    shuffled = [4, 2, 0, 1, 3]
    again = apply_updates(start, updates[shuffled], [weights[at] for at in shuffled])
    assert again.tolist() == expected


def test_pieces_and_threads_do_not_change_a_bit() -> None:
    updates, weights = draw_updates(256, 4_000), [1024 - at for at in range(256)]
    pieces = torch.cat(
        [mean_of_rows(updates[:, at : at + 7], weights) for at in range(0, 4_000, 7)]
    )
    assert torch.equal(mean_of_rows(updates, weights), pieces)
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert torch.equal(mean_of_rows(updates, weights), pieces)
    finally:
        torch.set_num_threads(threads)


def test_a_model_stays_within_int32() -> None:
    top = torch.tensor([2**31 - 1, 1 - 2**31], dtype=torch.int32)
    update = torch.tensor([[9, -9]], dtype=torch.int16)
    assert apply_updates(top, update, [1]).tolist() == top.tolist()


def test_leaving_one_out_replaces_it_by_no_change() -> None:
    updates, weights = draw_updates(4, 30), [5, 9, 2, 9]
    start = torch.arange(30, dtype=torch.int32)
    models = leave_one_out(start, updates, weights)
    for at in range(4):
        idle = updates.clone()
        idle[at] = 0
        assert torch.equal(models[at], apply_updates(start, idle, weights))


@pytest.mark.cuda
def test_a_gpu_gives_the_same_bits() -> None:
    updates, weights = draw_updates(50, 100_003), [1 + 20 * at for at in range(50)]
    start = torch.arange(100_003, dtype=torch.int32)
    on_gpu = (start.cuda(), updates.cuda(), weights)
    assert torch.equal(apply_updates(*on_gpu).cpu(), apply_updates(start, updates, weights))
    assert torch.equal(leave_one_out(*on_gpu).cpu(), leave_one_out(start, updates, weights))


def test_refusals() -> None:
    with pytest.raises(AggregationError, match=r"^0 models and 0 weights$"):
        weighted_mean([], [])
    with pytest.raises(AggregationError, match=r"^1 models and 2 weights$"):
        weighted_mean([state(1)], [1, 1])
    with pytest.raises(AggregationError, match=r"^a weight is outside 1\.\.1024$"):
        weighted_mean([state(1)], [0])
    with pytest.raises(ArtifactMismatchError):
        weighted_mean([state(1), state(1, 2)], [1, 1])


def test_a_model_follows_from_the_weighted_sum_alone() -> None:
    start = torch.tensor([5, -5, INT32_MAX], dtype=torch.int32)
    updates = torch.tensor([[3, 7, 9], [-8, 2, 9]], dtype=torch.int16)
    weights = [3, 2]
    sums = (updates.to(torch.int64) * torch.tensor(weights)[:, None]).sum(0)
    assert torch.equal(apply_sum(start, sums, 5), apply_updates(start, updates, weights))
