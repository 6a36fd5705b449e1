"""Saying which aliases were one's own, once scores cannot change any more.

What there is to open follows from the account's key and the chain alone: a worker that lost its
state directory opens them all the same. Aliases of a task's last day but one are opened on the
final day. Invariant: all tags of a day are shown or none; the chain takes nothing else.

Source: WP V.B (blind validation), Table I; the aliases are this project's.
"""

from __future__ import annotations

from flockchain.workers.desk import Desk
from flockchain.workers.moment import Moment
from flockchain.workers.ring_key import ENTROPY_BYTES, ring_secret
from runtime.arena_api import ArenaApi
from runtime.economy.tasks import Task
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.alias_messages import alias_base, opening_context
from runtime.pallets.arena.records import DayKey
from runtime.primitives.ring_signature import tag_of
from runtime.primitives.tag_proof import prove_tags


class AliasOpening:
    """One key's openings in one task."""

    def __init__(self, desk: Desk, task: int) -> None:
        self._desk = desk
        self._task = task

    async def step(self, now: Moment, task: Task) -> None:
        """In the opening window: open what is not open yet. Raises SdkError."""
        day, desk = _day_to_open(now.day, task.final_day()), self._desk
        if day is None or not now.is_in(now.calendar.score_reveal_end, now.calendar.alias_end):
            return
        places = await now.view.ask(ArenaApi.ring_places, self._task, day, desk.key.account)
        if not places:
            return
        genesis, secret = desk.client.genesis, ring_secret(desk.key, desk.client.genesis)
        bases = [alias_base(genesis, self._task, day, place.index) for place in places]
        tags = [tag_of(secret, base) for base in bases]
        if not await self._is_any_hidden(now, DayKey(self._task, day), tags):
            return
        context = opening_context(genesis, self._task, day, desk.key.account)
        proof = prove_tags(secret, bases, tags, context, desk.random.randbytes(ENTROPY_BYTES))
        desk.actions.act(
            ("open aliases", desk.key.account, self._task, day),
            now.head.number,
            desk.key,
            encode_call(Arena.open_aliases, self._task, day, tags, proof),
            f"{desk.name} opened its aliases of day {day} in task {self._task}",
        )

    async def _is_any_hidden(self, now: Moment, key: DayKey, tags: list[bytes]) -> bool:
        """Whether one of these tags made a submission that is nobody's yet. Raises SdkError."""
        for tag in tags:
            number = await now.view.find(Arena.alias_tags, (key, tag))
            if number is None:
                continue
            made = await now.view.find(Arena.submissions, (key.task, number))
            if made is not None and made.owner is None:
                return True
        return False


def _day_to_open(today: int, final_day: int) -> int | None:
    """Whose aliases are opened today; None on the last day but one."""
    if today == final_day:
        return final_day - 1
    return None if today == final_day - 1 else today
