"""Forged updates: scaled and clamped, or free of work."""

from __future__ import annotations

import torch

from ml.attacks.updates import (
    Scale,
    Work,
    hand_in_last,
    hand_in_noise,
    hand_in_nothing,
    hand_in_zeros,
)

TRAINED = torch.tensor([1, -400, 2**15 - 1, -(2**15)], dtype=torch.int16)


def work(last: torch.Tensor | None = None) -> Work:
    return Work(TRAINED, last, torch.Generator().manual_seed(3))


def test_scaling_is_clamped_to_int16() -> None:
    assert Scale(-1)(work()).tolist() == [-1, 400, 1 - 2**15, 2**15 - 1]
    assert Scale(100)(work()).tolist() == [100, -(2**15), 2**15 - 1, -(2**15)]


def test_free_riders() -> None:
    assert hand_in_zeros(work()).tolist() == [0, 0, 0, 0]
    assert hand_in_nothing(work()) is None
    noise = hand_in_noise(work())
    assert noise.dtype == torch.int16
    assert 0 < int(noise.abs().max()) <= 8
    assert torch.equal(noise, hand_in_noise(work()))


def test_a_repeated_update_differs_in_one_number() -> None:
    assert hand_in_last(work(TRAINED)).tolist() == [2, -400, 2**15 - 1, -(2**15)]
    full = torch.full((2,), 2**15 - 1, dtype=torch.int16)
    assert hand_in_last(work(full)).tolist() == [2**15 - 2, 2**15 - 1]
    assert torch.equal(hand_in_last(work()), hand_in_noise(work()))
