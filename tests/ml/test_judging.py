"""Voters' scores and marks, against hand-made models."""

from __future__ import annotations

import torch

from ml.datasets.shards import Shards
from ml.fixed_point import Layout, to_fixed_point
from ml.judging import are_harmful, losses_of, mark_harmful, scores_of

BITS = 14
STATE = {
    "hidden.weight": torch.eye(2),
    "hidden.bias": torch.full((2,), 0.75),  # centred pixels are at least −0.75
    "output.weight": torch.eye(2),
    "output.bias": torch.zeros(2),
}
LAYOUT = Layout.of(STATE)
RIGHT = LAYOUT.flatten(to_fixed_point(STATE, BITS))
WRONG = LAYOUT.flatten(to_fixed_point({**STATE, "output.weight": torch.eye(2).flip(0)}, BITS))
# Two voters with three examples each; the brighter pixel is the class, but for the last label.
DATA = Shards(
    torch.tensor([[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]]]),
    torch.tensor([[0, 1, 0], [1, 1, 0]]),
)


def test_scores_are_correct_answers_of_all_rounded_down() -> None:
    scores = scores_of(torch.stack([RIGHT, WRONG]), DATA, LAYOUT, BITS)
    assert scores == [[10**9, 666_666_666], [0, 333_333_333]]


def test_losses_are_of_each_example_of_a_voter() -> None:
    losses = losses_of(torch.stack([RIGHT, WRONG]), DATA, LAYOUT, BITS)
    assert losses.shape == (2, 2, 3)
    losses = losses.mean(dim=-1)
    assert losses[0, 0] < losses[0, 1] < losses[1, 1] < losses[1, 0]


def test_who_is_better_left_out_is_marked_by_those_who_see_it() -> None:
    without = torch.stack([RIGHT, WRONG])
    # The second voter has one example that tells the opposite of the other two.
    assert mark_harmful(WRONG, without, DATA, LAYOUT, BITS) == [[True, False], [False, False]]
    assert mark_harmful(RIGHT, without, DATA, LAYOUT, BITS) == [[False, False], [False, False]]


def test_a_mark_needs_the_margin_and_more_than_chance() -> None:
    aggregate = torch.tensor([1.0, 1.0, 1.0, 1.0])
    by_little, by_luck, by_much = (
        torch.tensor(gains)
        for gains in ([0.02] * 4, [0.9, -0.4, -0.1, 0.0], [0.1, 0.12, 0.08, 0.1])
    )
    without = torch.stack([aggregate - gains for gains in (by_little, by_luck, by_much)])
    assert are_harmful(aggregate, without).tolist() == [False, False, True]
    assert are_harmful(aggregate, aggregate[None]).tolist() == [False]


def test_in_a_ruined_aggregate_a_small_part_is_not_marked() -> None:
    ruined = torch.full((4,), 100.0)
    without = torch.stack([ruined - 4, ruined - 99])
    assert are_harmful(ruined, without).tolist() == [False, True]
