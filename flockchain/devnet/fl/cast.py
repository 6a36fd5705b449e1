"""Who plays in the chapter: seven participants, one of them malicious, and who holds their keys.

Source: WP VI.B (participants), WP VI.F (malicious ones).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flockchain.devnet.person import Person
from flockchain.keys import key_pair_from_uri
from flockchain.workers.alliance.terms import Choices
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML, AccountId

ORIGIN: Final = 0  # the Arena's verified task
QUANTITY: Final = 50 * FML  # that each stakes
ALLOWANCE: Final = 80 * FML  # that each is given to live on
POOL: Final = 600 * FML
CHOICES: Final = Choices(
    name="Handwritten digits, together",
    origin=ORIGIN,
    quantity=QUANTITY,
    rounds=6,
    slash=Rational(1, 5),
    attributes=True,
)
ATTACK: Final = "strong-sign-flip"  # three times the opposite of its work
KILLED_IN_ROUND: Final = 1  # one worker, by SIGKILL


@dataclass(frozen=True)
class Group:
    """The clients of one worker process, and the devnet node that it speaks to."""

    name: str
    clients: tuple[Person, ...]
    node: int
    attack: str = "none"


CLIENTS: Final = tuple(Person(f"client {n}", f"//Client{n}") for n in range(1, 7))
POISONER: Final = Person("the poisoner", "//Client7")
EVERYBODY: Final = (*CLIENTS, POISONER)
NEWCOMERS: Final = tuple(Person(f"newcomer {n}", f"//Newcomer{n}") for n in range(1, 8))
"""They join where updates are masked."""
GROUPS: Final = (
    Group("clients 1 to 3", CLIENTS[:3], 0),
    Group("clients 4 to 6", CLIENTS[3:], 1),
    Group("poisoner", (POISONER,), 2, ATTACK),
)
KILLED: Final = GROUPS[1]
CREATOR: Final = key_pair_from_uri("//Creator")
HONEST: Final = tuple(client.account for client in CLIENTS)
_NAMES: Final = {client.account: client.name for client in (*EVERYBODY, *NEWCOMERS)}


def name_of(account: AccountId) -> str:
    """The name in the story, or the beginning of the account."""
    return _NAMES.get(account, f"0x{account[:4].hex()}..")
