"""Clients that train side by side learn what each would learn alone."""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from ml.checkpoint import State
from ml.datasets.shards import Shards
from ml.models.mlp import MlpConfig, init_mlp, mlp_logits
from ml.stacked_training import LocalOptions, centred, stacked_logits, train_stacked

CLIENTS, EXAMPLES = 4, 12


def start() -> State:
    return init_mlp(MlpConfig(64, 10, 16), 16, torch.Generator().manual_seed(1))


def data() -> Shards:
    generator = torch.Generator().manual_seed(2)
    features = torch.rand((CLIENTS, EXAMPLES, 64), generator=generator)
    return Shards(features, torch.randint(10, (CLIENTS, EXAMPLES), generator=generator))


def test_a_step_is_that_of_the_mean_cross_entropy() -> None:
    shard = data().of(2)
    parameters = {name: tensor.clone().requires_grad_() for name, tensor in start().items()}
    loss = cross_entropy(mlp_logits(parameters, centred(shard.features)), shard.labels)
    torch.autograd.backward([loss])
    trained = train_stacked(start(), data(), LocalOptions(1, 0.5), range(CLIENTS))
    for name, parameter in parameters.items():
        assert parameter.grad is not None
        expected = parameter.detach() - 0.5 * parameter.grad
        torch.testing.assert_close(trained[name][2], expected)


def test_nobody_learns_from_its_neighbours() -> None:
    options = LocalOptions(patch_size_max=3, moves=True)
    together = train_stacked(start(), data(), options, [7, 8, 9, 10])
    alone = train_stacked(start(), data().take(torch.tensor([1])), options, [8])
    for name, tensor in alone.items():
        torch.testing.assert_close(together[name][1], tensor[0], rtol=0, atol=1e-6)


def test_copies_follow_the_clients_seed() -> None:
    options, alone = LocalOptions(moves=True), data().take(torch.tensor([1]))
    first, again, other = (train_stacked(start(), alone, options, [seed]) for seed in (8, 8, 9))
    assert torch.equal(first["output.bias"], again["output.bias"])
    assert not torch.equal(first["output.bias"], other["output.bias"])


def test_stacked_models_answer_as_each_does() -> None:
    models = train_stacked(start(), data(), LocalOptions(), range(CLIENTS))
    logits = stacked_logits(models, data().features)
    for at in range(CLIENTS):
        one = {name: tensor[at] for name, tensor in models.items()}
        torch.testing.assert_close(logits[at], mlp_logits(one, data().features[at]))
