"""The runtime over an empty state in memory, with the economic pallets' hooks block by block.

Owns the empty block and a preset without minimum stakes, fees and caps, so that a scenario may ask
about any amounts. Invariant: every rule that pays is the chain's own pallet, wired as in a node;
nothing here computes an amount.
Source: WP IV.A, V.E to V.I.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from runtime import frame
from runtime.constants import MAINNET, Preset
from runtime.economy.calendar import Calendar
from runtime.economy.parameters import ArenaParameters
from runtime.frame.origin import signed
from runtime.pallets.emission import Curve, EmissionParameters
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.header import Digest
from runtime.primitives.rational import Rational
from runtime.primitives.types import AccountId, Hash
from runtime.runtime import Runtime

UNLIMITED: Final = 2**128 - 1
CALENDAR: Final = Calendar(12, 2, 4, 6, 8, 9)
BLOCK_WEIGHT: Final = frame.Weight(2**63, 2**63)
_U32_MAX: Final = 2**32 - 1
_ONE: Final = Rational(1, 1)
SEALING_KEY: Final = (9).to_bytes(32, "little")  # the curve's base point: everybody's

PRESET: Final[Preset] = replace(
    MAINNET,
    name="scenario",
    calendar=CALENDAR,
    creator_stake=0,
    node_stake=1,
    validator_stake=1,
    quota_base=1,
    quota_max=_U32_MAX,
    registration_fee=0,
    unbonding_days=1,
    cap=UNLIMITED,
    settlement_steps=_U32_MAX,
)


class MemoryChain:
    """Pallets by name.

    The verified tasks get `emission_daily` planck a day, times `decay` a month, by stake^exponent.
    """

    def __init__(
        self, emission_daily: int, *, decay: Rational = _ONE, exponent: Rational = _ONE
    ) -> None:
        self.ext = frame.Externalities(frame.DictState())
        runtime = Runtime(self.ext, PRESET)
        self.system, self.balances = runtime.system, runtime.balances
        self.ledger, self.tasks = runtime.delegation, runtime.tasks
        self.emission, self.arena = runtime.emission, runtime.arena
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

    def fund(self, who: AccountId, amount: int) -> None:
        """Mint to the account: `amount` can be staked, and the account exists."""
        deposit = self.balances.config.existential_deposit
        self.balances.mint(who, amount + deposit)

    def set_sealing_key(self, who: AccountId) -> None:
        """Let the account be drawn as a validator. Nothing is sealed here: scores are given."""
        self.arena.set_sealing_key(signed(who), SEALING_KEY)

    @property
    def position(self) -> int:
        """The offset in the day of the block that is open."""
        return CALENDAR.position_of(self.system.block_number())

    def advance_to(self, position: int) -> list[object]:
        """Close blocks until one at this offset of a day is open; the events of all of them."""
        events: list[object] = []
        self._next_block(events)
        while self.position != position:
            self._next_block(events)
        return events

    def _next_block(self, events: list[object]) -> None:
        """Close the open block and open the next, with the hooks of every pallet."""
        number = self.system.block_number()
        for pallet in (self.tasks, self.ledger, self.emission, self.arena):
            pallet.on_idle(number, BLOCK_WEIGHT)
            pallet.on_finalize(number)
        parent = Hash(blake2b_256(number.to_bytes(4, "little")))
        self.system.initialize(number + 1, parent, Digest([]))
        for pallet in (self.tasks, self.ledger, self.emission, self.arena):
            pallet.on_initialize(number + 1)
        events.extend(event for _, event in self.ext.events)
        self.ext.events.clear()

    def try_state(self) -> None:
        """Raises AssertionError if a pallet's invariant is broken."""
        for pallet in (self.balances, self.tasks, self.ledger, self.emission, self.arena):
            pallet.try_state()
