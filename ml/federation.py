"""A federation of simulated clients: their data, who of them is malicious, what each hands in.

Owns local training in a round and what becomes of it by an attack, the combination of updates, and
what clients measure. Invariant: everything follows from the setup's seed; a client's proposal
follows from its data, the model and the round, whoever else proposes.
Source: WP VI.B to VI.E.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import torch

from ml.attacks.catalogue import Attack
from ml.attacks.updates import Work
from ml.datasets.digits import CLASSES, INPUTS
from ml.datasets.shards import DealtDigits, Shards, deal_digits, stack
from ml.fixed_point import FRACTION_BITS, Layout, from_fixed, to_fixed_point, to_update
from ml.judging import mark_harmful, scores_of
from ml.models.mlp import MlpConfig, init_mlp, mlp_logits
from ml.round_files import encode_model, encode_update
from ml.stacked_training import LocalOptions, centred, train_stacked

Vector: TypeAlias = torch.Tensor
"""A model, (parameters,) int32, or an update, (parameters,) int16."""

HIDDEN_WIDTH: Final = 64
_MODEL: Final = MlpConfig(INPUTS, CLASSES, HIDDEN_WIDTH)


@dataclass(frozen=True, slots=True)
class FederationSetup:
    """`malicious` of the `clients` follow the attack; which ones the seed decides."""

    clients: int
    malicious: int
    seed: int
    attack: Attack
    training: LocalOptions = field(default_factory=LocalOptions)
    test_examples: int = 6


class Federation:
    """All clients of a simulation. Models are (parameters,) int32, updates int16 of that shape."""

    def __init__(self, setup: FederationSetup, device: torch.device) -> None:
        """Raises `ShardError`."""
        self.setup = setup
        self.device = device
        self.dealt: DealtDigits = deal_digits(
            setup.seed, setup.clients, setup.test_examples, device
        )
        generator = torch.Generator().manual_seed(_number(setup.seed, "start"))
        state = to_fixed_point(init_mlp(_MODEL, HIDDEN_WIDTH, generator), FRACTION_BITS)
        self.layout = Layout.of(state)
        self.start = self.layout.flatten(state).to(device)
        generator = torch.Generator().manual_seed(_number(setup.seed, "malicious"))
        order: list[int] = torch.randperm(setup.clients, generator=generator).tolist()
        self.malicious: frozenset[int] = frozenset(order[: setup.malicious])
        self._train = self._poisoned()
        # Voters look at all of their own data for marks; honest data, whatever they train on.
        self._own = self.dealt.test.beside(self.dealt.train)
        self._last: dict[int, torch.Tensor] = {}

    def _poisoned(self) -> Shards:
        clean, poison = self.dealt.train, self.setup.attack.poison
        parts = [clean.of(client) for client in range(clean.clients)]
        return stack(
            [poison(part) if at in self.malicious else part for at, part in enumerate(parts)]
        )

    # -- proposing

    def propose(
        self, model: torch.Tensor, proposers: Sequence[int], round_: int
    ) -> dict[int, torch.Tensor]:
        """What each of them hands in; those that hand in nothing are left out."""
        start = from_fixed(model, FRACTION_BITS)
        seeds = [_number(self.setup.seed, f"train/{client}/{round_}") for client in proposers]
        trained = train_stacked(
            self.layout.unflatten(start),
            self._train.take(self._at(proposers)),
            self.setup.training,
            seeds,
        )
        flat = torch.cat([trained[name].flatten(1) for name, _ in self.layout.shapes], dim=1)
        updates = to_update(flat, model, FRACTION_BITS)  # (proposers, parameters)
        handed: dict[int, torch.Tensor] = {}
        for client, update in zip(proposers, updates, strict=True):
            given = self._forged(client, update, round_) if client in self.malicious else update
            if given is not None:
                handed[client] = given
        return handed

    def _forged(self, client: int, update: torch.Tensor, round_: int) -> torch.Tensor | None:
        generator = torch.Generator().manual_seed(_number(self.setup.seed, f"{client}/{round_}"))
        given = self.setup.attack.forge(Work(update, self._last.get(client), generator))
        if given is not None:
            self._last[client] = given
        return given

    # -- files

    def id_of_model(self, model: Vector) -> bytes:
        """The content id of its file."""
        return encode_model(model, self.layout)[1]

    def id_of_update(self, update: Vector) -> bytes:
        """The content id of its file."""
        return encode_update(update, self.layout)[1]

    def id_of_nothing(self) -> bytes:
        """The content id of the update that changes nothing."""
        return self.id_of_update(torch.zeros_like(self.start, dtype=torch.int16))

    # -- measuring

    def scores(self, models: Sequence[Vector], clients: Sequence[int]) -> list[list[int]]:
        """The score of each model on each client's test examples."""
        data = self.dealt.test.take(self._at(clients))
        return scores_of(torch.stack(list(models)), data, self.layout, FRACTION_BITS)

    def marks(
        self, aggregate: torch.Tensor, without: torch.Tensor, voters: Sequence[int]
    ) -> list[list[bool]]:
        """Which proposers each voter finds harmful, on all of its data."""
        data = self._own.take(self._at(voters))
        return mark_harmful(aggregate, without, data, self.layout, FRACTION_BITS)

    def accuracy(self, model: torch.Tensor) -> float:
        """The part of the held out examples that the model tells right."""
        guesses = self._guesses(model, self.dealt.holdout.features)
        return float((guesses == self.dealt.holdout.labels).float().mean())

    def backdoor_success(self, model: torch.Tensor) -> float | None:
        """The part of other classes' examples that the trigger turns; None without a backdoor."""
        backdoor = self.setup.attack.backdoor
        if backdoor is None:
            return None
        others = self.dealt.holdout.labels != backdoor.target
        guesses = self._guesses(model, backdoor.trigger(self.dealt.holdout.features[others]))
        return float((guesses == backdoor.target).float().mean())

    def _guesses(self, model: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        state = self.layout.unflatten(from_fixed(model, FRACTION_BITS))
        return mlp_logits(state, centred(features)).argmax(dim=-1)

    def _at(self, clients: Sequence[int]) -> torch.Tensor:
        return torch.tensor(list(clients), dtype=torch.int64, device=self.device)


def _number(seed: int, use: str) -> int:
    """A seed of 63 bits for one use of the setup's seed."""
    digest = hashlib.sha256(f"federation/{seed}/{use}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def make_updates(models: int, parameters: int) -> torch.Tensor:
    """Random updates of a size to measure with: (models, parameters) int16."""
    generator = torch.Generator().manual_seed(models)
    return torch.randint(-999, 1_000, (models, parameters), generator=generator, dtype=torch.int16)
