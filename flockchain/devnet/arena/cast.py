"""Who plays in the chapter: names, keys, stakes, and who serves whom.

Source: WP II.D (participants), Table I (free riders, clones, copied scores), V.H (overfitting).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flockchain.devnet.person import Person
from runtime.pallets.treasury import TREASURY
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML, AccountId

VERIFIED_TASK: Final = 0  # of block 0; emission pays for it
OWN_TASK: Final = 1  # created during the story; its creator and a sponsor pay for it
SHARE: Final = Rational(3, 5)  # what delegators get of their pro-rata part


@dataclass(frozen=True)
class Role(Person):
    """A participant; `node` is the devnet node that it speaks to, `stake` whole FML."""

    node: int
    strength: str = ""
    stake: int = 10


@dataclass(frozen=True)
class Delegator:
    """A participant that puts `stake` FML behind an operator of the verified task."""

    role: Role
    operator: Role


TRAINERS: Final = (
    Role("trainer 1 (strong)", "//Trainer1", 0, "strong", stake=100),
    Role("trainer 2 (weak)", "//Trainer2", 0, "weak"),
    Role("trainer 3 (free rider)", "//Trainer3", 0, "noise"),
)
HONEST, _, FREE_RIDER = TRAINERS
OVERFITTER: Final = Role("overfitter", "//Overfitter", 0, "overfit")
CLONES: Final = tuple(Role(f"clone {n}", f"//Clone{n}", 0, "clone") for n in range(1, 11))
TASK_VALIDATORS: Final = (
    Role("task validator 1", "//Validator1", 1, stake=450),
    Role("task validator 2", "//Validator2", 1, stake=450),
    Role("task validator 3", "//Validator3", 1, stake=450),
)
# Little stake, so that it hardly ever has most of the seats for a submission.
COPIER: Final = Role("score copier", "//Copier", 1, stake=60)
CREATOR: Final = Role("creator", "//Creator", 0)
PARTICIPANT: Final = Role("participant", "//Participant", 1)
SPONSOR: Final = Role("sponsor", "//Sponsor", 1)
DELEGATORS: Final = (
    Delegator(Role("delegator 1", "//Delegator1", 1, stake=60), HONEST),
    Delegator(Role("delegator 2", "//Delegator2", 1, stake=40), HONEST),
    Delegator(Role("delegator 3", "//Delegator3", 1, stake=150), TASK_VALIDATORS[0]),
)
BUDGET: Final = 6_000 * FML  # of the participant's task
BOUNTY: Final = 900 * FML  # of the sponsor
FETCHING_NODE: Final = 2  # where the best model is fetched in the end: nobody uploads there
ALIAS_NODE: Final = 1  # to which trainers' aliases speak, who are themselves at another one
KILLED_NODE: Final = 3  # nobody's worker depends on it

_EVERYBODY: Final = (
    *(*TRAINERS, OVERFITTER, *CLONES, *TASK_VALIDATORS, COPIER, CREATOR, PARTICIPANT, SPONSOR),
    *(delegator.role for delegator in DELEGATORS),
)
_NAMES: Final = {role.account: role.name for role in _EVERYBODY} | {TREASURY: "treasury"}
CLONE_ACCOUNTS: Final = frozenset(role.account for role in CLONES)


def name_of(account: AccountId) -> str:
    """The name in the story, or the beginning of the account."""
    return _NAMES.get(account, f"0x{account[:4].hex()}..")
