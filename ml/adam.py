"""Adam's steps, by torch's own function, without what its optimizer loads around it.

The first `torch.optim.Adam` of a process imports torch's compiler, as much again as torch itself:
seconds in each training process. Invariant: parameters are those that `torch.optim.Adam` gives, to
the bit.
Source: Kingma and Ba, Adam; WP VI.B (local training).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch.optim.adam import adam

_BETA1: Final = 0.9
_BETA2: Final = 0.999
_EPSILON: Final = 1e-8


class Adam:
    """Moves parameters by their gradients; they are changed in place."""

    def __init__(self, parameters: Sequence[torch.Tensor], learning_rate: float) -> None:
        self._parameters = list(parameters)
        self._learning_rate = learning_rate
        self._means = [torch.zeros_like(each) for each in self._parameters]
        self._squares = [torch.zeros_like(each) for each in self._parameters]
        self._steps = [torch.zeros(()) for _ in self._parameters]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for each in self._parameters:
            each.grad = None

    def step(self) -> None:
        """One step; each parameter has a gradient."""
        gradients = [each.grad for each in self._parameters if each.grad is not None]
        assert len(gradients) == len(self._parameters), "every parameter is used"
        with torch.no_grad():
            adam(
                self._parameters,
                gradients,
                self._means,
                self._squares,
                [],
                self._steps,
                amsgrad=False,
                beta1=_BETA1,
                beta2=_BETA2,
                lr=self._learning_rate,
                weight_decay=0.0,
                eps=_EPSILON,
                maximize=False,
            )
