"""Committees: seats drawn with replacement, in proportion to stake, from the chain's VRF outputs.

The beacon is every VRF output of the reveal window, so that nobody knows a committee while
submissions can still change. Without VRF outputs (instant seal) the parent hash and the number of
each block stand in: reproducible, not secure. Bounded: a step reads a task's day or deals one seat.
Invariant: no validator has more seats in a task and day than L(s).
Source: WP V.B (selection rises with stake; rate limiting, Fig. 4), WP IV.B.
"""

from __future__ import annotations

from dataclasses import replace

from runtime.economy.tasks import Role, Task
from runtime.pallets.arena import events
from runtime.pallets.arena.cursor import Cursor, Phase, next_task
from runtime.pallets.arena.entries import Entries
from runtime.pallets.arena.quota import rate_limit
from runtime.pallets.arena.records import (
    Assignment,
    DayKey,
    Juror,
    Roster,
)
from runtime.pallets.arena.seals import draw_randomness, seat_number
from runtime.pallets.arena.storage import Arena
from runtime.pallets.arena.wheel import Wheel
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import AccountId, Hash

SEATS_PER_STEP = 4  # a hash and a search; what is stored is written once a block


class Draw:
    """Records the beacon and deals seats."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.entries = Entries(arena)

    def record_beacon(self, number: int) -> None:
        """Keep this block's VRF output."""
        arena = self.arena
        output = arena.randomness.author_vrf_output()
        if output is None:
            output = blake2b_256(arena.block.parent() + number.to_bytes(4, "little"))
        arena.vrf_outputs.put(arena.config.calendar.position_of(number), output)

    def step(self, cursor: Cursor, budget: int) -> tuple[Cursor, int]:
        """Go on with the cursor's first task; the new cursor and the steps used."""
        task, day = cursor.tasks[0], cursor.job.day
        key = DayKey(task, day)
        if cursor.phase is Phase.START:
            roster = self._open(key)
            self.arena.rosters.put(key, roster)
            calendar = self.arena.config.calendar
            window = calendar.reveal_end - calendar.submit_end
            read = len(roster.entries) + len(roster.jurors)
            if day == self.arena.tasks.get_task(task).final_day():
                read += 2 * len(roster.entries)  # their ranked days, and scores of the day before
            used = 1 + read // 8 + window // 64
            return replace(cursor, phase=Phase.SCORE), used
        roster, used = self._deal(key, self.arena.rosters.get(key), budget)
        self.arena.rosters.put(key, roster)
        if not roster.is_drawn:
            return cursor, used
        if roster.entries:
            self.arena.drawn.put(key, roster.seats)
        self.arena.deposit_event(
            events.SeatsDrawn(task, day, len(roster.entries), len(roster.jurors))
        )
        return next_task(cursor), used + 1

    # -- who scores what

    def _open(self, key: DayKey) -> Roster:
        task, day = key.task, key.day
        found = self.arena.tasks.get_task(task)
        randomness = self._randomness(task, day)
        seats = found.seats_on(day)
        if day == found.final_day() and found.key is None:
            self.arena.tasks.note_key_missing(task)
            return Roster(randomness, seats, [], [], is_drawn=True)
        jurors = self._jurors(task, found, day, seats)
        entries = self.entries.of_day(key, found, randomness)
        if not seats:
            stake = sum(juror.stake for juror in jurors)
            entries = [replace(entry, dealt=stake) for entry in entries]
        return Roster(randomness, seats, entries, jurors, is_drawn=not (seats and entries))

    def _randomness(self, task: int, day: int) -> Hash:
        arena, calendar = self.arena, self.arena.config.calendar
        offsets = range(calendar.submit_end, calendar.reveal_end)
        outputs = [output for at in offsets if (output := arena.vrf_outputs.find(at)) is not None]
        return draw_randomness(arena.block.genesis_hash(), task, day, outputs)

    def _jurors(self, task: int, found: Task, day: int, seats: int) -> list[Juror]:
        """Validators with stake, sealing key, fitting hardware, and with committees with quota."""
        config = self.arena.config
        jurors = []
        for stake in self.arena.stakes.operators_of(task, Role.TASK_VALIDATOR, day):
            if not stake.total or not stake.hardware.fits(found.terms.hardware):
                continue
            quota = rate_limit(
                stake.total, config.validator_stake, config.quota_base, config.quota_max
            )
            if (quota or not seats) and self.arena.can_open_models(stake.account, day):
                jurors.append(Juror(stake.account, stake.total, quota))
        return jurors

    # -- dealing

    def _deal(self, key: DayKey, roster: Roster, budget: int) -> tuple[Roster, int]:
        """Deal seats round by round, at most `budget` steps' worth."""
        entries, wheel = roster.entries, Wheel(roster.jurors)
        seats_of = [entry.dealt for entry in entries]
        dealt: dict[AccountId, dict[int, int]] = {}
        round_, position, count = roster.round, roster.position, 0
        is_drawn = roster.is_drawn
        while not is_drawn and count < budget * SEATS_PER_STEP:
            number = entries[position].submission
            juror = wheel.take(seat_number(roster.randomness, number, round_))
            if juror is None:  # no quota is left anywhere
                is_drawn = True
                break
            seats_of[position] += 1
            seats = dealt.setdefault(juror.account, {})
            seats[number] = seats.get(number, 0) + 1
            count, position = count + 1, position + 1
            if position == len(entries):
                round_, position = round_ + 1, 0
                is_drawn = round_ == roster.seats
        for account, seats in dealt.items():
            self._assign(key, account, seats)
        pairs = zip(entries, seats_of, strict=True)
        made = replace(
            roster,
            entries=[replace(entry, dealt=seats) for entry, seats in pairs],
            jurors=wheel.jurors(),
            round=round_,
            position=position,
            is_drawn=is_drawn,
        )
        return made, 1 + count // SEATS_PER_STEP

    def _assign(self, key: DayKey, account: AccountId, seats: dict[int, int]) -> None:
        """Add seats to what the validator has, by submission, ascending."""
        arena = self.arena
        have = {a.submission: a.seats for a in arena.assignments.get((key, account))}
        for submission, count in seats.items():
            have[submission] = have.get(submission, 0) + count
        arena.assignments.put(
            (key, account), [Assignment(number, have[number]) for number in sorted(have)]
        )
