"""Attacks on the update that a proposer hands in: turned round, blown up, or no work at all.

Invariant: what comes out is an int16 update of the same length, or nothing.
Source: WP VI.D to VI.F; free riders are those whom WP VI.F would reward for a zero update.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch

from ml.fixed_point import UPDATE_MAX, UPDATE_MIN


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What a proposer has in its hands: the update that honest training on its data gave,
    (parameters,) int16, and the last one that it handed in, if there was one."""

    trained: torch.Tensor
    last: torch.Tensor | None
    generator: torch.Generator


Forgery: TypeAlias = Callable[[Work], torch.Tensor | None]
"""What the proposer hands in; None: nothing."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The update times `factor`: −1 undoes the work of an honest proposer, 100 outweighs all."""

    factor: int

    def __call__(self, work: Work) -> torch.Tensor:
        """The scaled update, clamped."""
        wide = work.trained.to(torch.int64) * self.factor
        return wide.clamp(UPDATE_MIN, UPDATE_MAX).to(torch.int16)


def hand_in_zeros(work: Work) -> torch.Tensor:
    """A free rider that trains nothing."""
    return torch.zeros_like(work.trained)


def hand_in_last(work: Work) -> torch.Tensor:
    """A free rider that repeats its last update, with one number changed so that it seems new."""
    if work.last is None:
        return hand_in_noise(work)
    update = work.last.clone()
    update[0] += 1 if update[0] < UPDATE_MAX else -1
    return update


def hand_in_noise(work: Work) -> torch.Tensor:
    """A free rider that hands in numbers from −8 to 8 instead of work: small and harmless."""
    noise = torch.randint(-8, 9, work.trained.shape, generator=work.generator)
    return noise.to(work.trained.device, torch.int16)


def hand_in_nothing(work: Work) -> None:
    """A proposer that is drawn and never answers."""
