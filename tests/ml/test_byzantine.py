"""Other ways to combine updates: against their definitions, in any order, on bad counts."""

from __future__ import annotations

import pytest
import torch

from ml.aggregate import AggregationError
from ml.byzantine import coordinate_median, krum, multi_krum, trimmed_mean


def rows(*values: list[int]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.int16)


UPDATES = rows([1, 10], [2, 11], [3, 12], [4, 14], [900, -900])


def test_median_of_odd_and_even_counts() -> None:
    assert coordinate_median(UPDATES).tolist() == [3, 11]
    assert coordinate_median(UPDATES[:4]).tolist() == [3, 12]  # 2.5 and 11.5, rounded half up
    assert coordinate_median(rows([-1], [-2])).tolist() == [-1]


def test_trimmed_mean() -> None:
    assert trimmed_mean(UPDATES, 1).tolist() == [3, 11]
    assert trimmed_mean(UPDATES, 0).tolist() == [182, -171]


def test_krum_takes_one_of_the_crowd() -> None:
    assert krum(UPDATES, malicious=1).tolist() == [2, 11]
    assert multi_krum(UPDATES, malicious=1, selected=3).tolist() == [2, 11]


def test_krum_follows_its_definition() -> None:
    generator = torch.Generator().manual_seed(5)
    updates = torch.randint(-99, 99, (9, 6), generator=generator).to(torch.int16)
    numbers = updates.tolist()

    def score(at: int) -> int:
        squares = sorted(
            sum((a - b) ** 2 for a, b in zip(numbers[at], other, strict=True))
            for index, other in enumerate(numbers)
            if index != at
        )
        return sum(squares[: 9 - 3 - 2])

    best = min(range(9), key=score)
    assert krum(updates, malicious=3).tolist() == numbers[best]


def test_order_does_not_matter() -> None:
    for combine in (coordinate_median, lambda u: trimmed_mean(u, 1), lambda u: krum(u, 1)):
        assert torch.equal(combine(UPDATES), combine(UPDATES.flip(0)))


def test_refusals() -> None:
    with pytest.raises(AggregationError, match=r"^5 models, 3 trimmed at each end$"):
        trimmed_mean(UPDATES, 3)
    with pytest.raises(AggregationError, match=r"^5 models, 3 malicious, 1 selected$"):
        krum(UPDATES, malicious=3)
    with pytest.raises(AggregationError, match=r"^5 models, 1 malicious, 6 selected$"):
        multi_krum(UPDATES, malicious=1, selected=6)
