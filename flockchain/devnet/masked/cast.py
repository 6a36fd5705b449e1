"""Who plays in the chapter: fourteen clients in three processes, and the task's terms.

Half of them propose and half vote; fewer than fourteen would be too few voters. Of seven proposers
one process has three at least: two of these drop out. Secrets that seven share are recovered from
five.

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
    proposing=Rational(1, 2),
    voters_min=len(EVERYBODY) - PROPOSERS,
    slash=Rational(1, 5),
    units_max=256,
    mode=Mode.ZK_MASKED,
)
GROUPS: Final = tuple(
    Group(f"maskers {place + 1}", EVERYBODY[place::3], place) for place in range(3)
)
