"""Simulated clients: honest ones alike, malicious ones by their attack."""

from __future__ import annotations

import torch

from ml.attacks.catalogue import find_attack
from ml.federation import Federation, FederationSetup

CPU = torch.device("cpu")


def federation(attack: str = "sign-flip", malicious: int = 2, seed: int = 5) -> Federation:
    return Federation(FederationSetup(5, malicious, seed, find_attack(attack)), CPU)


def test_sign_flippers_hand_in_the_opposite_and_the_others_are_not_changed() -> None:
    honest, attacked = federation(malicious=0), federation()
    assert len(attacked.malicious) == 2
    before = honest.propose(honest.start, range(5), 0)
    after = attacked.propose(attacked.start, range(5), 0)
    for client in range(5):
        sign = -1 if client in attacked.malicious else 1
        assert torch.equal(after[client], sign * before[client])


def test_label_flippers_train_on_other_labels() -> None:
    honest, attacked = federation(malicious=0), federation("label-flip")
    before = honest.propose(honest.start, range(5), 0)
    after = attacked.propose(attacked.start, range(5), 0)
    changed = {at for at in range(5) if not torch.equal(before[at], after[at])}
    assert changed == attacked.malicious


def test_withholders_hand_in_nothing() -> None:
    attacked = federation("withholding")
    assert attacked.propose(attacked.start, range(5), 0).keys().isdisjoint(attacked.malicious)


def test_training_helps_and_the_sign_flip_harms() -> None:
    clients = federation()
    update = torch.stack(
        [
            each
            for at, each in clients.propose(clients.start, range(5), 0).items()
            if at not in clients.malicious
        ]
    ).to(torch.int32)
    mean = update.sum(dim=0) // len(update)
    better, worse = clients.start + mean, clients.start - mean
    assert clients.accuracy(better) > clients.accuracy(clients.start) > clients.accuracy(worse)
    marks = clients.marks(clients.start, torch.stack([better, clients.start]), range(5))
    assert marks == [[True, False]] * 5
    good, bad = clients.scores([better, worse], range(5))
    assert all(high >= low for high, low in zip(good, bad, strict=True))


def test_only_a_backdoor_has_a_success() -> None:
    clients = federation()
    assert clients.backdoor_success(clients.start) is None
    attacked = federation("backdoor")
    share = attacked.backdoor_success(attacked.start)
    assert share is not None
    assert 0 <= share <= 1
