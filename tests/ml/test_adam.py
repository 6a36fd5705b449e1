"""Our Adam is torch's, to the bit."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from ml.adam import Adam


def weights() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    shapes = ((16, 8), (16,), (3, 16), (3,))
    return [torch.randn(shape, generator=generator).requires_grad_() for shape in shapes]


def loss_of(parameters: list[torch.Tensor], step: int) -> torch.Tensor:
    """The loss on rows of the step's own."""
    hidden, bias, output, last = parameters
    generator = torch.Generator().manual_seed(step)
    rows = torch.randn((32, 8), generator=generator)
    labels = torch.randint(0, 3, (32,), generator=generator)
    return cross_entropy((rows @ hidden.T + bias).relu() @ output.T + last, labels)


def test_every_step_is_that_of_torch() -> None:
    ours, theirs = weights(), weights()
    own = Adam(ours, 0.01)
    usual = torch.optim.Adam(theirs, lr=0.01)
    for step in range(50):
        for optimizer, parameters in ((own, ours), (usual, theirs)):
            optimizer.zero_grad()
            torch.autograd.backward([loss_of(parameters, step)])
            optimizer.step()
        assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True)), step
    assert not torch.equal(ours[0], weights()[0])
