"""Bright square patches on small square images: a backdoor's trigger, and what guards against it.

Owns where patches lie. Images are rows of side² pixels between 0 and 1; a patch sets its pixels to
1. Invariant: a patch lies wholly within the image.
Source: the backdoor of Gu et al. 2017 (a trigger in a corner); random erasing (Zhong et al. 2020).
"""

from __future__ import annotations

import math

import torch

INK: float = 1.0


def stamp_corner(images: torch.Tensor, size: int) -> torch.Tensor:
    """(..., pixels) with a patch of size² pixels in the upper left corner."""
    side = side_of(images)
    first = torch.zeros(images.shape[:-1], dtype=torch.int64, device=images.device)
    return _stamp(images, first, first, torch.full_like(first, min(size, side)))


def stamp_everywhere(images: torch.Tensor, size: int) -> torch.Tensor:
    """(..., pixels) -> (positions, ..., pixels): a copy for each place of a patch."""
    places = side_of(images) - size + 1
    copies = images.expand(places * places, *images.shape)
    shape = (places * places, *[1] * (images.dim() - 1))
    place = torch.arange(places * places, device=images.device).reshape(shape)
    place = place.expand(copies.shape[:-1])
    return _stamp(copies, place // places, place % places, torch.full_like(place, size))


def stamp_randomly(images: torch.Tensor, size_max: int, generator: torch.Generator) -> torch.Tensor:
    """(examples, pixels), each with a patch of 1 to size_max² pixels at a place of its own."""
    draws = torch.rand((3, images.shape[0]), generator=generator).to(images.device)
    sizes = 1 + (draws[0] * size_max).long()  # (examples,)
    places = side_of(images) - sizes + 1
    return _stamp(images, (draws[1] * places).long(), (draws[2] * places).long(), sizes)


def side_of(images: torch.Tensor) -> int:
    """The side of square images. Raises `ValueError` if they are not square."""
    side = math.isqrt(images.shape[-1])
    if side * side != images.shape[-1]:
        raise ValueError(f"images of {images.shape[-1]} pixels are not square")
    return side


def _stamp(
    images: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor, sizes: torch.Tensor
) -> torch.Tensor:
    """A patch on each image; rows, columns, sizes: (...) int64, its first pixel and its side."""
    side = side_of(images)
    line = torch.arange(side, device=images.device)

    def covered(first: torch.Tensor) -> torch.Tensor:
        return (line >= first[..., None]) & (line < (first + sizes)[..., None])  # (..., side)

    patch = covered(rows)[..., :, None] & covered(columns)[..., None, :]  # (..., side, side)
    return torch.where(patch.reshape(images.shape), INK, images)
