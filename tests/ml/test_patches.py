"""Patches: where they lie, how many there are, and that draws follow the generator."""

from __future__ import annotations

import pytest
import torch

from ml.patches import stamp_corner, stamp_everywhere, stamp_randomly

BLANK = torch.zeros(1, 9)


def test_a_corner() -> None:
    assert stamp_corner(BLANK, 2).tolist() == [[1, 1, 0, 1, 1, 0, 0, 0, 0]]


def test_every_place_once() -> None:
    copies = stamp_everywhere(BLANK, 2)
    assert copies.shape == (4, 1, 9)
    assert copies.sum(dim=(0, 1)).tolist() == [1, 2, 1, 2, 4, 2, 1, 2, 1]
    assert torch.equal(copies[0], stamp_corner(BLANK, 2))


def test_random_patches_lie_within_and_follow_the_generator() -> None:
    blank = torch.zeros(200, 64)
    first = stamp_randomly(blank, 3, torch.Generator().manual_seed(1))
    assert {int(count) for count in first.sum(dim=1)} == {1, 4, 9}
    assert torch.equal(first, stamp_randomly(blank, 3, torch.Generator().manual_seed(1)))
    assert bool((first.sum(dim=0) > 0).all())


def test_only_square_images() -> None:
    with pytest.raises(ValueError, match=r"^images of 8 pixels are not square$"):
        stamp_corner(torch.zeros(1, 8), 1)
