"""Who plays in the chapter: the clients of the chapter before, and how whoever is drawn cheats.

Source: WP VI.B (participants), WP VI.H.
"""

from __future__ import annotations

from typing import Final

from flockchain.devnet.fl.cast import EVERYBODY, ORIGIN, QUANTITY, Group
from flockchain.workers.alliance.terms import Choices
from ml.attacks.sums import SumCheat
from runtime.pallets.fl_alliance.terms import Mode
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML

POOL: Final = 200 * FML
CHOICES: Final = Choices(
    name="Handwritten digits, by a proved sum",
    origin=ORIGIN,
    quantity=QUANTITY,
    rounds=1,
    proposing=Rational(1, 2),
    slash=Rational(1, 5),
    units_max=256,
    mode=Mode.ZK,
)
CHEAT: Final = SumCheat.OTHER_SUM  # the first aggregator changes one number of the sum
GROUPS: Final = (
    Group("provers 1 to 3", EVERYBODY[:3], 0),
    Group("provers 4 to 7", EVERYBODY[3:], 1),
)
