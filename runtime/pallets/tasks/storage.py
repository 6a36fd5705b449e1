"""The state of tasks: every item, the constants, and the reads that its parts share.

Owns the items; `pallet` adds calls, `bounties` what others pay on top.
Source: WP V.A (task creators), WP IV.A (verified or self-funded).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runtime import frame
from runtime.economy.bounty import Contributions
from runtime.economy.calendar import Calendar
from runtime.economy.parameters import ArenaParameters
from runtime.economy.tasks import Task
from runtime.frame.traits import BlockInfo, Currency, pallet_account
from runtime.pallets.tasks import records
from runtime.pallets.tasks.needs import StakeLedger
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML, U32, AccountId, Balance

FEE_BURN: Final = Rational(3, 10)  # burn_rate of a registration fee


@dataclass(frozen=True)
class Config:
    """Amounts in planck. `treasury` gets what is not burned of a registration fee.

    `bounty_min`: the least that is taken at once; `returns_per_block`: payers that get theirs back.
    """

    calendar: Calendar
    treasury: AccountId
    creator_stake: Balance = 10_000 * FML
    node_stake: Balance = 1_000 * FML
    validator_stake: Balance = 3_000 * FML
    registration_fee: Balance = 10 * FML
    fee_burn: Rational = FEE_BURN
    live_tasks_max: U32 = 256
    bounty_min: Balance = FML
    returns_per_block: U32 = 32


def escrow_of(task: int) -> AccountId:
    """The pot that holds the budget of a self-funded task."""
    return pallet_account(b"escrow", task.to_bytes(4, "little"))


def bounty_pot_of(task: int) -> AccountId:
    """The pot that holds a task's bounty."""
    return pallet_account(b"bounty", task.to_bytes(4, "little"))


@frame.scale_type
class Bounty:
    """Who paid what, and how much of it is not paid out. Of an ended task: what each gets back."""

    contributions: Contributions
    left: Balance


@frame.scale_type
class ScheduledParameters:
    """Reward rules and the day that they act from."""

    from_day: U32
    parameters: ArenaParameters


class Tasks(frame.Pallet[Config], index=30):
    """Storage, neighbours and shared reads."""

    next_task = frame.StorageValue[int](U32, default=0, docs="The number of the next task.")
    tasks = frame.StorageMap[int, Task](U32, Task, docs="Every task.")
    rewarded = frame.StorageMap[AccountId, bool](
        AccountId, bool, default=False, docs="Operators that training or validation ever paid."
    )
    attested = frame.StorageMap[AccountId, bool](
        AccountId, bool, default=False, docs="Whom the DAO attests as task creators."
    )
    live = frame.StorageValue[list[int]](
        list[U32], default=[], docs="Scheduled and active tasks, in order of creation."
    )
    escrows = frame.StorageMap[int, int](
        U32, Balance, default=0, docs="What is left of a self-funded task's budget, planck."
    )
    parameters = frame.StorageValue[ArenaParameters](
        ArenaParameters, default=ArenaParameters(), docs="The reward rules in force."
    )
    scheduled_parameters = frame.StorageValue[ScheduledParameters](
        ScheduledParameters, docs="Rules that a decision of the DAO puts in force later."
    )
    bounties = frame.StorageMap[int, Bounty](
        U32, Bounty, docs="What others pay for a task, until it is paid out or returned."
    )
    returning = frame.StorageValue[list[int]](
        list[U32], default=[], docs="Ended tasks whose bounties go back to their payers."
    )

    def __init__(
        self,
        ext: frame.Externalities,
        config: Config,
        *,
        currency: Currency,
        ledger: StakeLedger,
        block: BlockInfo,
    ) -> None:
        super().__init__(ext, config)
        self.currency = currency
        self.ledger = ledger
        self.block = block

    def today(self) -> int:
        """The current day."""
        return self.config.calendar.day_of(self.block.block_number())

    def get_task(self, task: int) -> Task:
        """The task's record. Raises UnknownTask."""
        found = self.tasks.find(task)
        if found is None:
            raise records.UnknownTask
        return found

    def live_task(self, task: int) -> Task:
        """The record of a task that has not ended. Raises UnknownTask, TaskNotLive."""
        found = self.get_task(task)
        if not found.status.is_live():
            raise records.TaskNotLive
        return found
