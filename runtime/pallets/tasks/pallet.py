"""Tasks: creation with locked stake, registration, the start of days, Dataset B's key, the end.

Invariant (`try_state`): each self-funded task's escrow pot holds at least what is left of its
budget, each bounty's pot what is left of the bounty; live tasks are listed.

Source: WP V.A (task creators), WP IV.A (verified or self-funded), WP III.A.2 (registration fee),
WP V.H (Dataset B).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Final

from runtime import frame
from runtime.economy.bounty import Contribution
from runtime.economy.parameters import ArenaParameters, ParameterOutOfBounds
from runtime.economy.schedule import in_force
from runtime.economy.tasks import (
    VERIFICATIONS_MAX,
    Funding,
    Hardware,
    Role,
    SelfFunded,
    Task,
    TaskStatus,
    TaskTerms,
    Verified,
    VerifiedFrom,
)
from runtime.frame.weights import Weight
from runtime.pallets.tasks import records, storage
from runtime.pallets.tasks.bounties import Bounties
from runtime.pallets.tasks.storage import ScheduledParameters, escrow_of
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.rational import Rational
from runtime.primitives.types import (
    U32,
    AccountId,
    Balance,
    BlockNumber,
    Bytes32,
    CompactBalance,
)

CREATE: Final = Weight(400_000_000)
REGISTER: Final = Weight(300_000_000)
DAY: Final = Weight(50_000_000)  # for each live task when a day begins
ALL: Final = Rational(1, 1)


class Tasks(storage.Tasks, index=30):
    @cached_property
    def bounty_book(self) -> Bounties:
        """What others pay for tasks."""
        return Bounties(self)

    # -- calls

    @frame.call(0, weight=CREATE)
    def create_task(self, origin: frame.Origin, terms: TaskTerms, budget: CompactBalance) -> None:
        """Create a self-funded task: locks S_c, escrows the whole budget. Signed.

        Of S_c only what the creator's lock does not cover is staked. It starts with the next day.
        Emits TaskCreated.
        """
        who = frame.ensure_signed(origin)
        records.ensure_valid_terms(terms)
        if budget < terms.days:
            raise records.BudgetTooSmall
        self._create(who, terms, SelfFunded(budget), self.today() + 1)

    @frame.call(1, weight=CREATE)
    def create_verified_task(
        self, origin: frame.Origin, creator: AccountId, terms: TaskTerms
    ) -> None:
        """Create a task that emission pays for; locks S_c of `creator`. Root: only the DAO."""
        frame.ensure_root(origin)
        records.ensure_valid_terms(terms)
        self._create(creator, terms, Verified(), self.today() + 1)

    @frame.call(2, weight=REGISTER)
    def register(
        self,
        origin: frame.Origin,
        task: U32,
        role: Role,
        stake: CompactBalance,
        share_ratio: Rational | None,
        hardware: Hardware,
    ) -> None:
        """Take a role in a task with a stake; pays the registration fee. Signed.

        The stake counts from the next day. A node may stake less than the minimum as far as its
        lock counts for it. `share_ratio` is what delegators get of their pro-rata
        part; None takes the DAO's default. Emits Registered.
        """
        who = frame.ensure_signed(origin)
        if role is Role.CREATOR:
            raise records.CreatorsRole
        self.live_task(task)
        minimum = self._minimum(role)
        ratio = self._ratio_within_bounds(share_ratio)
        self.ledger.ensure_can_register(task, who, role, stake, minimum, ratio)
        fee = self.config.registration_fee
        if self.currency.spendable(who) < fee + stake:
            raise records.InsufficientFunds
        burned = self.config.fee_burn.mul_floor(fee)
        self.currency.burn(who, burned)
        self.currency.transfer(who, self.config.treasury, fee - burned)
        self.ledger.register(task, who, role, stake, minimum, ratio, hardware)
        self.deposit_event(records.Registered(task, who, role, stake))

    @frame.call(3, weight=REGISTER)
    def reveal_key(self, origin: frame.Origin, task: U32, key: Bytes32) -> None:
        """Open Dataset B, after submissions froze and before the final day's draw. Signed."""
        who = frame.ensure_signed(origin)
        found = self.live_task(task)
        if who != found.creator:
            raise records.NotTheCreator
        if found.key is not None:
            raise records.KeyAlreadyRevealed
        number, calendar = self.block.block_number(), self.config.calendar
        final = calendar.first_block(found.final_day())
        if number < final - calendar.day_blocks + calendar.reveal_end:
            raise records.KeyTooEarly
        if number >= final + calendar.reveal_end:
            raise records.KeyTooLate
        if blake2b_256(key) != found.terms.validation_b.key_hash:
            raise records.WrongKey
        self.tasks.put(task, replace(found, key=key))
        self.deposit_event(records.KeyRevealed(task, key))

    @frame.call(4, weight=REGISTER)
    def cancel_task(self, origin: frame.Origin, task: U32) -> None:
        """End a task before its first reveal; the escrow returns. Signed by the creator."""
        who = frame.ensure_signed(origin)
        found = self.live_task(task)
        if who != found.creator:
            raise records.NotTheCreator
        if found.has_reveals:
            raise records.TooLateToCancel
        self.end_task(task, TaskStatus.CANCELLED)

    @frame.call(5, weight=CREATE)
    def set_parameters(self, origin: frame.Origin, parameters: ArenaParameters) -> None:
        """Change the reward rules from the next day on. Root. Emits ParametersScheduled."""
        frame.ensure_root(origin)
        try:
            parameters.ensure_within_bounds()
        except ParameterOutOfBounds:
            raise records.ParametersOutOfBounds from None
        from_day = self.today() + 1
        self.parameters.put(self.parameters_on(self.today()))
        self.scheduled_parameters.put(ScheduledParameters(from_day, parameters))
        self.deposit_event(records.ParametersScheduled(from_day, parameters))

    @frame.call(6, weight=REGISTER)
    def set_share_ratio(self, origin: frame.Origin, task: U32, ratio: Rational) -> None:
        """Change what one's delegators get. Signed by an operator of the task.

        A rise acts the next day; a cut after the time that a delegation takes to leave, and at most
        once in an interval. Emits ShareRatioScheduled.
        """
        who = frame.ensure_signed(origin)
        self.live_task(task)
        self.ledger.change_ratio(task, who, self._ratio_within_bounds(ratio))

    @frame.call(7, weight=REGISTER)
    def verify_task(self, origin: frame.Origin, task: U32) -> None:
        """Let emission pay for a task from tomorrow on. Root. Emits VerificationChanged.

        What is left of its own budget stays in escrow: for days after a withdrawal, or to return.
        """
        frame.ensure_root(origin)
        self._change_verification(task, is_verified=True)

    @frame.call(8, weight=REGISTER)
    def unverify_task(self, origin: frame.Origin, task: U32) -> None:
        """Withdraw it from tomorrow on: only a budget of its own pays then. Root."""
        frame.ensure_root(origin)
        self._change_verification(task, is_verified=False)

    def _change_verification(self, task: int, *, is_verified: bool) -> None:
        found, from_day = self.live_task(task), self.today() + 1
        if found.is_verified_on(from_day) == is_verified:
            raise records.VerificationUnchanged
        kept = [entry for entry in found.verification if entry.from_day < from_day]
        if in_force(kept, from_day).is_verified == is_verified:
            changes = kept  # today's change is taken back before it acted
        else:
            changes = [*kept, VerifiedFrom(from_day, is_verified)]
        if len(changes) > VERIFICATIONS_MAX:
            raise records.TooManyVerifications
        self.tasks.put(task, replace(found, verification=changes))
        self.deposit_event(records.VerificationChanged(task, from_day, is_verified))

    @frame.call(9, weight=REGISTER)
    def attest_creator(self, origin: frame.Origin, who: AccountId, is_attested: bool) -> None:
        """Recognise a task creator, or take that back. Root. Emits CreatorAttested."""
        frame.ensure_root(origin)
        if is_attested:
            self.attested.put(who, True)
        else:
            self.attested.remove(who)
        self.deposit_event(records.CreatorAttested(who, is_attested))

    @frame.call(10, weight=REGISTER)
    def add_bounty(self, origin: frame.Origin, task: U32, amount: CompactBalance) -> None:
        """Pay for a task's result on top of its reward, until the final day's draw. Signed.

        At completion nodes and validators share it; what nobody can get, and all if the task fails
        or is cancelled, returns. Emits BountyAdded. Raises TaskNotLive, BountyTooLate,
        BountyTooSmall, TooManyPayers, InsufficientFunds.
        """
        self.bounty_book.add(frame.ensure_signed(origin), task, amount)

    def _ratio_within_bounds(self, ratio: Rational | None) -> Rational:
        rules = self.parameters_on(self.today()).share_ratio
        if ratio is None:
            return rules.usual
        if ratio.is_at_most_one() and (ratio < rules.least or rules.most < ratio):
            raise records.RatioOutOfBounds
        return ratio  # one above 1 is the ledger's to refuse

    # -- creation

    def _create(self, who: AccountId, terms: TaskTerms, funding: Funding, start_day: int) -> int:
        live = self.live.get()
        if len(live) >= self.config.live_tasks_max:
            raise records.TooManyTasks
        minimum = self.config.creator_stake
        stake = self.ledger.least_stake(who, minimum)
        budget = funding.budget if isinstance(funding, SelfFunded) else 0
        if self.currency.spendable(who) < stake + budget:
            raise records.InsufficientFunds
        task = self.take_number()
        self.ledger.open_task(task, start_day)
        usual = self.parameters_on(self.today()).share_ratio.usual
        self.ledger.register(task, who, Role.CREATOR, stake, minimum, usual, terms.hardware)
        if budget:
            self.currency.transfer(who, escrow_of(task), budget)
            self.escrows.put(task, budget)
        number = self.block.block_number()
        vesting = self.parameters_on(self.today()).vesting
        status, verified = TaskStatus.SCHEDULED, isinstance(funding, Verified)
        verification = [VerifiedFrom(0, verified)]
        self.tasks.put(
            task, Task(who, terms, funding, vesting, start_day, number, status, verification)
        )
        self.live.put([*live, task])
        self.deposit_event(records.TaskCreated(task, who, terms.spec, start_day, budget))
        return task

    def _minimum(self, role: Role) -> int:
        return {
            Role.CREATOR: self.config.creator_stake,
            Role.TRAINING_NODE: self.config.node_stake,
            Role.TASK_VALIDATOR: self.config.validator_stake,
        }[role]

    # -- what other pallets ask and tell

    def take_number(self) -> int:
        """The number of a new task: tasks of Arena and FL Alliance share them."""
        task = self.next_task.get()
        self.next_task.put(task + 1)
        return task

    def tasks_on(self, day: int) -> list[int]:
        """Live tasks that have `day` among their days, in order of creation."""
        return [task for task in self.live.get() if self.get_task(task).is_on(day)]

    def parameters_on(self, day: int) -> ArenaParameters:
        """The reward rules of a day, today's or yesterday's."""
        scheduled = self.scheduled_parameters.find()
        if scheduled is not None and day >= scheduled.from_day:
            return scheduled.parameters
        return self.parameters.get()

    def daily_budget(self, task: int, day: int) -> Balance:
        """R_d of a self-funded task: the budget in equal days, the odd planck first."""
        found = self.get_task(task)
        if not isinstance(found.funding, SelfFunded):
            return 0
        share, odd = divmod(found.funding.budget, found.terms.days)
        return share + (day - found.start_day < odd)

    def pay_from_escrow(self, task: int, to: AccountId, amount: Balance) -> None:
        """Move a part of the day's budget to the pot that rewards are paid from."""
        self.escrows.put(task, self.escrows.get(task) - amount)
        self.currency.transfer(escrow_of(task), to, amount)

    def contributions_of(self, task: int) -> list[Contribution]:
        """What others paid for a live task, by payer in the order of their first payments."""
        found = self.bounties.find(task)
        return [] if found is None else found.contributions

    def pay_from_bounty(self, task: int, to: AccountId, amount: Balance) -> None:
        """Move a part of the bounty to the pot that rewards are paid from."""
        self.bounty_book.pay(task, to, amount)

    def note_rewarded(self, who: AccountId) -> None:
        """Training or validation paid `who`: a record that counts for a task creator."""
        if not self.rewarded.contains(who):
            self.rewarded.put(who, True)

    def note_reveal(self, task: int) -> None:
        """A submission was revealed: the creator can no longer cancel."""
        found = self.get_task(task)
        if not found.has_reveals:
            self.tasks.put(task, replace(found, has_reveals=True))

    def note_key_missing(self, task: int) -> None:
        """Dataset B stays closed: all of S_c is burned. Emits KeyMissing."""
        burned = self.ledger.slash(task, self.get_task(task).creator, ALL, None)
        self.deposit_event(records.KeyMissing(task, burned))

    def note_wrong_data(self, task: int) -> None:
        """Dataset B is not what the task names: S_c is burned. Emits DatasetMismatched."""
        burned = self.ledger.slash(task, self.get_task(task).creator, ALL, None)
        self.deposit_event(records.DatasetMismatched(task, burned))

    def end_task(self, task: int, status: TaskStatus) -> None:
        """End a task: the rest of its escrow returns, its stakes become free. Emits TaskEnded."""
        found = self.get_task(task)
        self.tasks.put(task, replace(found, status=status))
        self.live.put([other for other in self.live.get() if other != task])
        returned = self.escrows.get(task)
        self.escrows.remove(task)
        if returned:
            self.return_to_creator(task, escrow_of(task), returned)
        self.bounty_book.close(task)
        self.ledger.close_task(task)
        self.deposit_event(records.TaskEnded(task, status, returned))

    def return_to_creator(self, task: int, pot: AccountId, amount: Balance) -> None:
        """Give a self-funding creator its own back; the treasury has what a reaped one cannot."""
        try:
            self.currency.transfer(pot, self.get_task(task).creator, amount)
        except frame.DispatchError:
            self.currency.transfer(pot, self.config.treasury, amount)

    # -- hooks and genesis

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Give bounties back; on the first block of a day start the tasks that are due."""
        calendar, returned = self.config.calendar, self.bounty_book.give_back()
        if calendar.position_of(number):
            return returned
        day, live = calendar.day_of(number), self.live.get()
        self.deposit_event(records.DayStarted(day))
        for task in live:
            found = self.get_task(task)
            if found.status is TaskStatus.SCHEDULED and found.start_day <= day:
                self.tasks.put(task, replace(found, status=TaskStatus.ACTIVE))
                self.deposit_event(records.TaskStarted(task, day))
        return returned + DAY.times(1 + len(live))

    def genesis_build(
        self,
        parameters: ArenaParameters,
        verified: list[tuple[AccountId, TaskTerms, int]],
    ) -> None:
        """Set the rules and create verified tasks: creator, terms, first day (at least 1).

        The creators' balances must be there. Raises ValueError, DispatchError.
        """
        parameters.ensure_within_bounds()
        self.parameters.put(parameters)
        for creator, terms, start_day in verified:
            if start_day < 1:
                raise ValueError(f"tasks: {terms.name!r} cannot start before day 1")
            records.ensure_valid_terms(terms)
            self._create(creator, terms, Verified(), start_day)

    def try_state(self) -> None:
        live = self.live.get()
        for task, found in self.tasks.items():
            assert found.status.is_live() == (task in live), f"task {task} is {found.status}"
            assert self.escrows.contains(task) <= found.status.is_live()
        for task, left in self.escrows.items():
            # Above it is what somebody sent there; nothing can take it out.
            assert self.currency.free(escrow_of(task)) >= left, f"escrow of task {task}"
        self.bounty_book.try_state()
