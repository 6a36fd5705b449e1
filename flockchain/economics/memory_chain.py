"""The runtime over an empty state in memory, with the economic pallets' hooks block by block.

Owns the empty block and a preset without minimum stakes, fees and caps, so that a scenario may ask
about any amounts.
Source: WP IV.A, V.E to V.I, VI.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flockchain.economics.played_chain import PlayedChain
from runtime import frame
from runtime.constants import MAINNET, Preset
from runtime.economy.calendar import Calendar
from runtime.economy.parameters import ArenaParameters
from runtime.pallets.emission import Curve, EmissionParameters
from runtime.primitives.rational import Rational
from runtime.runtime import Runtime

UNLIMITED: Final = 2**128 - 1
CALENDAR: Final = Calendar(12, 2, 4, 6, 8, 9)
BLOCK_WEIGHT: Final = frame.Weight(2**63, 2**63)
_U32_MAX: Final = 2**32 - 1
_ONE: Final = Rational(1, 1)

PRESET: Final[Preset] = replace(
    MAINNET,
    name="scenario",
    epoch_slots=1,
    calendar=CALENDAR,
    creator_stake=0,
    node_stake=1,
    validator_stake=1,
    fl_stake=1,
    quota_base=1,
    quota_max=_U32_MAX,
    registration_fee=0,
    unbonding_days=1,
    cap=UNLIMITED,
    settlement_steps=_U32_MAX,
)


class MemoryChain(PlayedChain):
    """A chain that begins with nothing.

    The verified tasks get `emission_daily` planck a day, times `decay` a month, by stake^exponent.
    """

    def __init__(
        self, emission_daily: int, *, decay: Rational = _ONE, exponent: Rational = _ONE
    ) -> None:
        ext = frame.Externalities(frame.DictState())
        runtime = Runtime(ext, PRESET)
        paying = (
            *(runtime.tasks, runtime.delegation, runtime.emission),
            *(runtime.arena, runtime.alliance),
        )
        super().__init__(ext, runtime, paying, BLOCK_WEIGHT)
        # The quota's curve needs a minimum above 0; who may take part is up to the scenario.
        self.tasks.config = replace(self.tasks.config, node_stake=0, validator_stake=0)
        self.ledger.config = replace(self.ledger.config, delegation_min=0)
        self.emission.parameters.put(
            EmissionParameters(daily=emission_daily, decay=decay, stake_exponent=exponent)
        )
        self.emission.curve.put(Curve(emission_daily, decay, 0))
        self.emission.ceiling.put(UNLIMITED)

    def set_parameters(self, parameters: ArenaParameters) -> None:
        """The reward rules of every day."""
        self.tasks.parameters.put(parameters)

    def try_state(self) -> None:
        """Raises AssertionError if a pallet's invariant is broken."""
        for pallet in (self.balances, self.tasks, self.ledger, self.emission, self.arena):
            pallet.try_state()
        self.alliance.try_state()
