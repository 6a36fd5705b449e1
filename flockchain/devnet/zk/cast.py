"""Who plays in the chapter: the six honest clients of the chapter before, and how one cheats.

Source: WP VI.B (participants), WP VI.H.
"""

from __future__ import annotations

from typing import Final

from flockchain.devnet.fl.cast import CLIENTS, ORIGIN, QUANTITY, Client, Group
from flockchain.workers.alliance.terms import Choices
from ml.attacks.sums import SumCheat
from runtime.pallets.fl_alliance.terms import Mode
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML, AccountId

POOL: Final = 200 * FML
CHOICES: Final = Choices(
    name="Handwritten digits, by a proved sum",
    origin=ORIGIN,
    quantity=QUANTITY,
    rounds=2,
    proposing=Rational(1, 2),
    slash=Rational(1, 5),
    units_max=256,
    mode=Mode.ZK,
)
CHEATED_ROUND: Final = 1
CHEAT: Final = SumCheat.OTHER_SUM  # one number of the sum is changed
GROUPS: Final = (
    Group("provers 1 to 3", CLIENTS[:3], 0),
    Group("provers 4 to 6", CLIENTS[3:], 1),
)


def find_client(account: AccountId) -> tuple[Group, Client]:
    """A client by its account, and the group that it is in. Raises LookupError."""
    for group in GROUPS:
        for client in group.clients:
            if client.account == account:
                return group, client
    raise LookupError(f"0x{account.hex()} plays no part")
