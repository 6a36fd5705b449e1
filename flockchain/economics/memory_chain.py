"""The economic pallets over an empty state in memory, with their hooks driven block by block.

Owns the wiring of the few pallets that pay, and the empty block. Minimum stakes, fees and the cap
are lifted, so that a scenario may ask about any amounts; slashes have no part in a scenario.
Invariant: every rule that pays is the chain's own pallet; nothing here computes an amount.
Source: WP IV.A, V.E to V.I.
"""

from __future__ import annotations

from typing import Final

from runtime import frame
from runtime.economy.calendar import Calendar
from runtime.economy.parameters import ArenaParameters
from runtime.pallets import balances, delegation, system, tasks
from runtime.pallets.arena.pallet import Arena
from runtime.pallets.arena.storage import Config as ArenaConfig
from runtime.pallets.emission import Config as EmissionConfig
from runtime.pallets.emission import Curve, Emission, EmissionParameters
from runtime.pallets.treasury import TREASURY
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.header import Digest
from runtime.primitives.rational import Rational
from runtime.primitives.types import AccountId, Hash

UNLIMITED: Final = 2**128 - 1
CALENDAR: Final = Calendar(12, 2, 4, 6, 8, 9)
BLOCK_WEIGHT: Final = frame.Weight(2**63, 2**63)
_U32_MAX: Final = 2**32 - 1
_ONE: Final = Rational(1, 1)


class NoBeacon:
    """A chain without authors: draws start from the parents' hashes."""

    def author_vrf_output(self) -> bytes | None:
        """No author, no output."""
        return None

    def epoch_randomness(self) -> Hash:
        """Zeros."""
        return Hash(bytes(32))

    def epoch_index(self) -> int:
        """The first."""
        return 0


class NoRegistry:
    """A chain that does not remember finished models."""

    def record_model(
        self,
        task: int,
        content: bytes,
        submission: int,
        owner: AccountId,
        score: tuple[int, int],
        parents: list[bytes],
    ) -> None:
        """Nothing is kept."""


class MemoryChain:
    """Pallets by name.

    The verified tasks get `emission_daily` planck a day, times `decay` a month, by stake^exponent.
    """

    def __init__(
        self, emission_daily: int, *, decay: Rational = _ONE, exponent: Rational = _ONE
    ) -> None:
        self.ext = frame.Externalities(frame.DictState())
        self.system = system.System(self.ext, system.Config())
        self.balances = balances.Balances(
            self.ext, balances.Config(cap=UNLIMITED), accounts=self.system
        )
        self.ledger = delegation.Delegation(
            self.ext,
            delegation.Config(CALENDAR, unbonding_days=1, delegation_min=0),
            currency=self.balances,
            block=self.system,
        )
        self.tasks = tasks.Tasks(
            self.ext,
            tasks.Config(CALENDAR, TREASURY, 0, 0, 0, 0),
            currency=self.balances,
            ledger=self.ledger,
            block=self.system,
        )
        self.emission = Emission(
            self.ext, EmissionConfig(emission_max=UNLIMITED), currency=self.balances
        )
        self.arena = Arena(
            self.ext,
            ArenaConfig(CALENDAR, TREASURY, 1, 1, 1, _U32_MAX, steps_per_block=_U32_MAX),
            currency=self.balances,
            block=self.system,
            randomness=NoBeacon(),
            tasks=self.tasks,
            stakes=self.ledger,
            emission=self.emission,
            models=NoRegistry(),
        )
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
