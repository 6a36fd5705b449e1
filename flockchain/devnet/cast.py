"""Who plays in the devnet's story: names, keys, roles, and who serves whom.

Source: WP II.D (participants), Table I (the free rider).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flockchain.keys import KeyPair, key_pair_from_uri
from runtime.pallets.treasury import TREASURY
from runtime.primitives.types import AccountId


@dataclass(frozen=True)
class Role:
    """A participant; `node` is the devnet node that its worker speaks to."""

    name: str
    uri: str
    node: int
    strength: str = ""

    @property
    def key(self) -> KeyPair:
        """Its key pair."""
        return key_pair_from_uri(self.uri)


TRAINERS: Final = (
    Role("trainer 1 (strong)", "//Trainer1", 0, "strong"),
    Role("trainer 2 (weak)", "//Trainer2", 0, "weak"),
    Role("trainer 3 (free rider)", "//Trainer3", 0, "noise"),
)
TASK_VALIDATORS: Final = (
    Role("task validator 1", "//Validator1", 1),
    Role("task validator 2", "//Validator2", 1),
    Role("task validator 3", "//Validator3", 1),
)
CREATOR: Final = Role("task creator", "//Creator", 0)
FREE_RIDER: Final = TRAINERS[2]
FETCHING_NODE: Final = 2  # where the best model is fetched in the end: nobody uploads there
KILLED_NODE: Final = 3  # nobody's worker depends on it

_NAMES: Final = {role.key.account: role.name for role in (*TRAINERS, *TASK_VALIDATORS, CREATOR)} | {
    TREASURY: "treasury"
}


def name_of(account: AccountId) -> str:
    """The name in the story, or the beginning of the account."""
    return _NAMES.get(account, f"0x{account[:4].hex()}..")
