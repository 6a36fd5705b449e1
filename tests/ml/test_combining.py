"""Which rule does what."""

from __future__ import annotations

import pytest
import torch

from ml.combining import Rule, combine

START = torch.tensor([100, 100], dtype=torch.int32)
UPDATES = torch.tensor([[10, 0], [12, 0], [8, 0], [11, 0], [900, 0]], dtype=torch.int16)


@pytest.mark.parametrize(
    ("rule", "moved"),
    [
        (Rule.MEAN, 188),
        (Rule.CLIPPED_MEAN, 13),
        (Rule.MEDIAN, 11),
        (Rule.TRIMMED_MEAN, 11),
        (Rule.KRUM, 10),
        (Rule.MULTI_KRUM, 11),
    ],
)
def test_rules(rule: Rule, moved: int) -> None:
    found = combine(rule, START, list(UPDATES), [1] * 5, leave=False)
    assert found.model.tolist() == [100 + moved, 100]
    assert found.without is None


def test_of_a_mean_each_can_be_left_out() -> None:
    found = combine(Rule.MEAN, START, list(UPDATES), [1] * 5, leave=True)
    assert found.without is not None
    assert found.without[4].tolist() == [108, 100]


@pytest.mark.parametrize("rule", list(Rule))
def test_one_update_is_enough(rule: Rule) -> None:
    assert combine(rule, START, [UPDATES[0]], [1], leave=False).model.tolist() == [110, 100]
    assert combine(rule, START, [UPDATES[0]], [1], leave=True).without is None
