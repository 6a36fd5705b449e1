"""The attacks by name: what a participant of each kind does as a proposer and as a voter.

Invariant: an attack's parts are usable alone; the catalogue only puts them together.
Source: WP VI.E, VI.F; docs/poisoning.md measures each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch

from ml.attacks.data import Backdoor, LabelFlip, Poison
from ml.attacks.updates import (
    Forgery,
    Scale,
    Work,
    hand_in_last,
    hand_in_noise,
    hand_in_nothing,
    hand_in_zeros,
)
from ml.attacks.votes import (
    VotePolicy,
    vote_for_friends,
    vote_for_nobody,
    vote_honestly,
    vote_lazily,
    vote_within_half,
)
from ml.datasets.digits import CLASSES
from ml.datasets.labelled import LabelledData


class AttackError(ValueError):
    """An attack of a name that is not known."""


def keep_data(data: LabelledData) -> LabelledData:
    """Train on what one has."""
    return data


def hand_in_work(work: Work) -> torch.Tensor:
    """Hand in what was trained."""
    return work.trained


@dataclass(frozen=True, slots=True)
class Attack:
    """A malicious participant's behaviour in each role, honest where nothing else is said.

    `denies`: as a voter it reports of all but its friends' proposals that they cannot be had.
    """

    summary: str
    poison: Poison = keep_data
    forge: Forgery = hand_in_work
    vote: VotePolicy = vote_for_friends
    denies: bool = False

    @property
    def backdoor(self) -> Backdoor | None:
        """The backdoor that it plants, if it plants one."""
        return self.poison if isinstance(self.poison, Backdoor) else None


ATTACKS: Final[Mapping[str, Attack]] = {
    "label-flip": Attack("trains on flipped labels", poison=LabelFlip(CLASSES)),
    "sign-flip": Attack("hands in the opposite of its work", forge=Scale(-1)),
    "strong-sign-flip": Attack("hands in three times the opposite", forge=Scale(-3)),
    "scaling": Attack("hands in its work times −100", forge=Scale(-100)),
    "backdoor": Attack("plants a backdoor", poison=Backdoor()),
    "boosted-backdoor": Attack("plants it fivefold", poison=Backdoor(), forge=Scale(5)),
    "quiet-backdoor": Attack(
        "plants a backdoor, votes honestly", poison=Backdoor(), vote=vote_honestly
    ),
    "free-rider": Attack("hands in noise, votes lazily", forge=hand_in_noise, vote=vote_lazily),
    "zero-update": Attack("hands in zeros, votes lazily", forge=hand_in_zeros, vote=vote_lazily),
    "stale-update": Attack("repeats its work, votes lazily", forge=hand_in_last, vote=vote_lazily),
    "lazy-voter": Attack("works, and accepts everything", vote=vote_lazily),
    "colluding-voter": Attack("works, and votes against all but its friends"),
    "framing-voter": Attack(
        "works, and marks half of the round: no more than is free", vote=vote_within_half
    ),
    "framing-sign-flip": Attack(
        "hands in the opposite, and marks half of the round", forge=Scale(-1), vote=vote_within_half
    ),
    "withholding": Attack(
        "proposes and votes nothing", forge=hand_in_nothing, vote=vote_for_nobody
    ),
    "denial": Attack(
        "flips signs, and denies that others' proposals can be had", forge=Scale(-1), denies=True
    ),
}
"""What `flockchain simulate fl --attack` knows. As voters all but the lazy ones collude."""


def find_attack(name: str) -> Attack:
    """The attack of this name. Raises `AttackError`."""
    if name not in ATTACKS:
        raise AttackError(f"attack {name!r} is not one of {', '.join(ATTACKS)}")
    return ATTACKS[name]
