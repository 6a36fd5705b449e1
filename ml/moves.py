"""Small square images moved by one pixel: more to learn from where there are few examples.

Owns the four moves. Images are rows of side² pixels; what leaves the image is lost, and what comes
in is empty. Invariant: a move changes no pixel's value but by place.
Source: WP VI.C (local training, which is the participant's own choice).
"""

from __future__ import annotations

from typing import Final

import torch
from torch.nn.functional import pad

from ml.patches import side_of

MOVES: Final = ((0, 1), (2, 1), (1, 0), (1, 2))
"""First row and column of the image within one that has an empty pixel on each side."""


def move_randomly(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """(examples, pixels), each moved by one pixel, up, down, left or right."""
    side = side_of(images)
    framed = pad(images.reshape(-1, side, side), (1, 1, 1, 1))
    moved = torch.stack(  # (moves, examples, pixels)
        [
            framed[:, row : row + side, column : column + side].reshape(images.shape)
            for row, column in MOVES
        ]
    )
    chosen = torch.randint(len(MOVES), (len(images),), generator=generator).to(images.device)
    return moved[chosen, torch.arange(len(images), device=images.device)]
