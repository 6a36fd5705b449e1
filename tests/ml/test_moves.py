"""Images moved by a pixel."""

from __future__ import annotations

import torch

from ml.moves import MOVES, move_randomly


def test_each_image_moves_by_one_pixel_to_any_side() -> None:
    image = torch.zeros(5, 5)
    image[2, 3] = 0.5
    moved = move_randomly(image.reshape(1, 25).repeat(64, 1), torch.Generator().manual_seed(1))
    places = {divmod(int(row.argmax()), 5) for row in moved}
    assert places == {(1, 3), (3, 3), (2, 2), (2, 4)}
    assert len(places) == len(MOVES)
    assert moved.sum() == 32


def test_what_leaves_the_image_is_lost() -> None:
    corner = torch.zeros(32, 9)
    corner[:, 0] = 1
    moved = move_randomly(corner, torch.Generator().manual_seed(2))
    assert {tuple(row.nonzero().flatten().tolist()) for row in moved} == {(), (1,), (3,)}


def test_the_seed_decides() -> None:
    images = torch.rand((20, 64), generator=torch.Generator().manual_seed(3))
    first, again, other = (
        move_randomly(images, torch.Generator().manual_seed(seed)) for seed in (4, 4, 5)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
