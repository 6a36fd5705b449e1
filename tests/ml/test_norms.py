"""The bound on norms: whole, at the lower median, for long updates only."""

from __future__ import annotations

import torch

from ml.norms import clip_to_median, norms_of


def rows(*values: list[int]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.int16)


def test_norms_are_rounded_down() -> None:
    assert norms_of(rows([3, 4], [1, 1], [-(2**15), -(2**15)])) == [5, 1, 46340]


def test_long_updates_are_shortened_to_twice_the_lower_median() -> None:
    updates = rows([3, 4], [30, -40], [0, 1], [3000, 4000])
    assert clip_to_median(updates).tolist() == [[3, 4], [6, -8], [0, 1], [6, 8]]


def test_a_boosted_update_loses_its_weight() -> None:
    honest = [rows([at % 7, 90 + at, -5])[0] for at in range(6)]
    boosted = (honest[0].to(torch.int64) * 100).to(torch.int16)
    clipped = clip_to_median(torch.stack([*honest, boosted, boosted]))
    bound = sorted(norms_of(clipped))[-1]
    assert bound <= 2 * 93
    assert torch.equal(clipped[:2], torch.stack(honest[:2]))


def test_a_round_of_nothing_stays_nothing() -> None:
    assert clip_to_median(rows([0, 0], [0, 0], [5, 5])).tolist() == [[0, 0]] * 3


def test_two_have_no_median() -> None:
    assert clip_to_median(rows([0, 1], [50, 50])).tolist() == [[0, 1], [50, 50]]
