"""Committees: seats drawn with replacement, in proportion to stake, from the chain's VRF outputs.

The beacon is every VRF output of the reveal window, so that nobody knows a committee while
submissions can still change. Without VRF outputs (instant seal) the parent hash and the number of
each block stand in: reproducible, not secure. Bounded: who scores what is gathered part by part
(`gathering`), and seats are dealt one by one.
A seat that falls on a validator at its limit goes to another; what it is paid for is what fell on
it (`shares.pay_by_draws`), so that splitting a stake to have more seats gains nothing.
Invariant: no validator has more seats in a task and day than L(s).
Source: WP V.B (selection rises with stake; rate limiting, Fig. 4), WP IV.B.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from runtime.pallets.arena import events
from runtime.pallets.arena.budget import Budget
from runtime.pallets.arena.cursor import Cursor, Phase, next_task
from runtime.pallets.arena.gathering import ENTRIES_PER_STEP, Gatherer
from runtime.pallets.arena.records import Assignment, DayKey, Roster
from runtime.pallets.arena.seals import draw_randomness, seat_number
from runtime.pallets.arena.storage import SLASH_STEPS, Arena
from runtime.pallets.arena.wheel import Wheel
from runtime.pallets.arena.work_records import Gathering
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import AccountId, Hash

OUTPUTS_PER_STEP: Final = 2
SEAT_STEPS: Final = 1  # a hash and a search
ASSIGN_STEPS: Final = 10  # a validator's seats, read and written once a block


class Draw:
    """Records the beacon and deals seats."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.gathering = Gatherer(arena)

    def record_beacon(self, number: int) -> None:
        """Keep this block's VRF output."""
        arena = self.arena
        output = arena.randomness.author_vrf_output()
        if output is None:
            output = blake2b_256(arena.block.parent() + number.to_bytes(4, "little"))
        arena.vrf_outputs.put(arena.config.calendar.position_of(number), output)

    def step(self, cursor: Cursor, budget: Budget) -> Cursor:
        """Do the phase of the cursor's first task, or as much of it as the budget allows."""
        key = DayKey(cursor.tasks[0], cursor.job.day)
        match cursor.phase:
            case Phase.START:
                return self._start(key, cursor, budget)
            case Phase.GATHER:
                return self.gathering.step(key, cursor, budget)
            case _:
                return self._go_on_dealing(key, cursor, budget)

    def _start(self, key: DayKey, cursor: Cursor, budget: Budget) -> Cursor:
        """Fix the randomness. Without Dataset B's key on the final day nobody scores anything."""
        arena, task, day = self.arena, key.task, key.day
        found = arena.tasks.get_task(task)
        is_missing = day == found.final_day() and found.key is None
        backers = arena.stakes.backers_of(task, found.creator) if is_missing else 0
        calendar = arena.config.calendar
        window = calendar.reveal_end - calendar.submit_end
        if not budget.take(1 + window // OUTPUTS_PER_STEP + backers * SLASH_STEPS):
            return cursor
        randomness, seats = self._randomness(task, day), found.seats_on(day)
        if is_missing:
            arena.tasks.note_key_missing(task)
            arena.rosters.put(key, Roster(randomness, seats, [], [], is_drawn=True))
            return cursor.at(Phase.DEAL)
        arena.gathering.put(Gathering(randomness, seats, [], []))
        return cursor.at(Phase.GATHER)

    def _randomness(self, task: int, day: int) -> Hash:
        arena, calendar = self.arena, self.arena.config.calendar
        offsets = range(calendar.submit_end, calendar.reveal_end)
        outputs = [output for at in offsets if (output := arena.vrf_outputs.find(at)) is not None]
        return draw_randomness(arena.block.genesis_hash(), task, day, outputs)

    # -- dealing

    def _go_on_dealing(self, key: DayKey, cursor: Cursor, budget: Budget) -> Cursor:
        """Deal seats; when all are dealt, go to the next task. Emits SeatsDrawn."""
        roster = self.arena.rosters.get(key)
        budget.spend((len(roster.entries) + len(roster.jurors)) // ENTRIES_PER_STEP)
        if not roster.is_drawn:
            roster = self._deal(key, roster, budget)
            self.arena.rosters.put(key, roster)
        if not roster.is_drawn or not budget.take(1):
            return cursor
        if roster.entries:
            self.arena.drawn.put(key, roster.seats)
        self.arena.deposit_event(
            events.SeatsDrawn(key.task, key.day, len(roster.entries), len(roster.jurors))
        )
        return next_task(cursor)

    def _deal(self, key: DayKey, roster: Roster, budget: Budget) -> Roster:
        """Deal seats round by round, as many as the budget allows."""
        entries, wheel = roster.entries, Wheel(roster.jurors)
        seats_of = [entry.dealt for entry in entries]
        dealt: dict[AccountId, dict[int, int]] = {}
        round_, position = roster.round, roster.position
        is_drawn = False
        while not is_drawn:
            number = entries[position].submission
            found = wheel.find(seat_number(roster.randomness, number, round_))
            if found is None:  # no quota is left anywhere
                is_drawn = True
                break
            account = roster.jurors[found[1]].account
            if not budget.take(SEAT_STEPS + (0 if account in dealt else ASSIGN_STEPS)):
                break
            wheel.take(*found)
            seats_of[position] += 1
            seats = dealt.setdefault(account, {})
            seats[number] = seats.get(number, 0) + 1
            position += 1
            if position == len(entries):
                round_, position = round_ + 1, 0
                is_drawn = round_ == roster.seats
        for account, seats in dealt.items():
            self._assign(key, account, seats)
        pairs = zip(entries, seats_of, strict=True)
        return replace(
            roster,
            entries=[entry.with_dealt(seats) for entry, seats in pairs],
            jurors=wheel.jurors(),
            round=round_,
            position=position,
            is_drawn=is_drawn,
        )

    def _assign(self, key: DayKey, account: AccountId, seats: dict[int, int]) -> None:
        """Add seats to what the validator has, by submission, ascending."""
        arena = self.arena
        have = {a.submission: a.seats for a in arena.assignments.get((key, account))}
        for submission, count in seats.items():
            have[submission] = have.get(submission, 0) + count
        arena.assignments.put(
            (key, account), [Assignment(number, have[number]) for number in sorted(have)]
        )
