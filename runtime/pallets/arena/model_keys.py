"""Keys of sealed models: who can be sealed to, and what owners hand to the drawn validators.

A model is on the network as ciphertext only. After the draw its owner seals the key to each
validator that has a seat for it, anew every day. Whether a key fits is for the validator to see:
what it opens must have the content id on the chain, and if not, the answer is NO-DATA.
Invariant: a validator has at most one box of a submission and day, and only with a seat for it.
Source: WP V.B (blind validation), Table I (free riders).
"""

from __future__ import annotations

from collections.abc import Sequence

from runtime.pallets.arena import events
from runtime.pallets.arena.key_records import SealedKey, SealingKey
from runtime.pallets.arena.records import DayKey
from runtime.pallets.arena.scores import Scores
from runtime.pallets.arena.storage import Arena
from runtime.primitives.sealing import is_sealing_key
from runtime.primitives.types import AccountId


class ModelKeys:
    """Sealing keys, and boxes sealed to them."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    def set_sealing_key(self, who: AccountId, key: bytes) -> None:
        """Let others seal to `who`, at once. Emits SealingKeySet."""
        arena = self.arena
        if not is_sealing_key(key):
            raise events.BadSealingKey
        before = arena.sealing_keys.find(who)
        since = arena.block.block_number() if before is None else before.since
        arena.sealing_keys.put(who, SealingKey(key, since))
        arena.deposit_event(events.SealingKeySet(who, key))

    def share(self, who: AccountId, task: int, submission: int, keys: Sequence[SealedKey]) -> None:
        """Hand the key of one's own submission to validators of today. Emits KeysShared."""
        arena = self.arena
        arena.active_task(task)
        made = arena.submissions.find((task, submission))
        if made is None or made.owner != who:
            raise events.NotTheOwner
        key = DayKey(task, arena.today())
        self.check(key, submission, keys)
        self.keep(key, submission, keys)

    def check(self, key: DayKey, submission: int, keys: Sequence[SealedKey]) -> None:
        """Whether these boxes are for validators of today, in the score commit window.

        Raises OutsideWindow, NotDrawn, NothingToShare, NoSeat, KeyAlreadyShared.
        """
        arena, calendar = self.arena, self.arena.config.calendar
        arena.ensure_window(calendar.reveal_end, calendar.commit_end)
        if not arena.drawn.contains(key):
            raise events.NotDrawn
        if not keys:
            raise events.NothingToShare
        given = {box.validator for box in arena.model_keys.get((key, submission))}
        for box in keys:
            if not self.has_seat(key, submission, box.validator):
                raise events.NoSeat
            if box.validator in given:
                raise events.KeyAlreadyShared
            given.add(box.validator)

    def keep(self, key: DayKey, submission: int, keys: Sequence[SealedKey]) -> None:
        """Store boxes that were checked. Emits KeysShared."""
        arena = self.arena
        kept = arena.model_keys.get((key, submission))
        arena.model_keys.put((key, submission), [*kept, *keys])
        arena.deposit_event(events.KeysShared(key.task, key.day, submission, len(keys)))

    def has_seat(self, key: DayKey, submission: int, validator: AccountId) -> bool:
        """Whether the validator must score the submission today.

        In a task without committees this does not look for copies and nodes without stake, which
        nobody scores: it would cost to read the whole roster.
        """
        arena = self.arena
        if not arena.drawn.get(key):
            found = arena.tasks.get_task(key.task)
            return self._is_scored(key, submission) and Scores(arena).is_juror(
                key, found, validator
            )
        seats = arena.assignments.get((key, validator))
        return any(seat.submission == submission for seat in seats)

    def _is_scored(self, key: DayKey, submission: int) -> bool:
        arena = self.arena
        made = arena.submissions.find((key.task, submission))
        if made is None:
            return False
        if made.owner is not None:
            return arena.standing.find((key.task, made.owner)) == submission
        first_day = arena.first_blind_day(key)
        return made.revealed_at >= arena.config.calendar.first_block(first_day)
