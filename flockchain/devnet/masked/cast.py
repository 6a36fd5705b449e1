"""Who plays in the chapter: ten clients, two a process, and what the task's terms are.

Of ten participants seven propose and three vote, so of five pairs at least two propose whole: one
of these loses its process. Secrets shared among seven are recovered from five.

Source: WP VI.B (participants), WP VI.H.
"""

from __future__ import annotations

from typing import Final

from flockchain.devnet.fl import cast
from flockchain.devnet.fl.cast import NEWCOMERS, ORIGIN, QUANTITY, Group
from flockchain.workers.alliance.terms import Choices
from runtime.pallets.fl_alliance.terms import Mode
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML

POOL: Final = 200 * FML
EVERYBODY: Final = (*cast.EVERYBODY, *NEWCOMERS)
PROPOSERS: Final = 7
GONE: Final = 2
CHOICES: Final = Choices(
    name="Handwritten digits, masked",
    origin=ORIGIN,
    quantity=QUANTITY,
    rounds=1,
    proposing=Rational(PROPOSERS, len(EVERYBODY)),  # fewer than ten would be too few voters
    slash=Rational(1, 5),
    units_max=256,
    mode=Mode.ZK_MASKED,
)
GROUPS: Final = tuple(
    Group(f"pair {at // 2 + 1}", EVERYBODY[at : at + 2], at // 2 % 4)
    for at in range(0, len(EVERYBODY), 2)
)
