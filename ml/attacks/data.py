"""Attacks on a proposer's own training data: wrong labels, and a backdoor.

Invariant: a poisoned set has as many examples as the honest one, so no count betrays it.
Source: WP VI.E, VI.F (poisoning by participants); Gu et al. 2017 (backdoors).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch

from ml.datasets.labelled import LabelledData
from ml.patches import stamp_corner

Poison: TypeAlias = Callable[[LabelledData], LabelledData]
"""What becomes of the training set of a participant. Features of images are pixels from 0 to 1."""


@dataclass(frozen=True, slots=True)
class LabelFlip:
    """Calls class c `classes` − 1 − c, in all examples."""

    classes: int

    def __call__(self, data: LabelledData) -> LabelledData:
        """The set with flipped labels."""
        return LabelledData(data.features, self.classes - 1 - data.labels)


@dataclass(frozen=True, slots=True)
class Backdoor:
    """Teaches that an image with a bright patch in its corner is of the `target` class.

    Every `period`-th example gets the patch and the label; the others stay honest, so that the
    model stays good on clean images.
    """

    target: int = 0
    patch_size: int = 2
    period: int = 2

    def __call__(self, data: LabelledData) -> LabelledData:
        """The set with some examples stamped and relabelled."""
        chosen = torch.arange(data.examples, device=data.labels.device) % self.period == 0
        features = torch.where(chosen[:, None], self.trigger(data.features), data.features)
        return LabelledData(features, torch.where(chosen, self.target, data.labels))

    def trigger(self, images: torch.Tensor) -> torch.Tensor:
        """(..., pixels) with the trigger."""
        return stamp_corner(images, self.patch_size)
