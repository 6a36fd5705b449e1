"""Handing out the keys of one's models: to the validators that were drawn, every day anew.

A standing submission is scored each day by other validators, so its key is kept as long as it
stands. Each key is sealed to one validator; nobody else learns it, the node included.

Source: WP V.B (blind validation), Table I (free riders).
"""

from __future__ import annotations

import logging

from flockchain.workers.desk import Desk
from flockchain.workers.model_seal import ModelSealError, seal_key
from flockchain.workers.moment import Moment
from runtime.arena_api import ArenaApi
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.key_records import SHARED_KEYS_MAX, SealedKey
from runtime.pallets.arena.views import Recipient

log = logging.getLogger(__name__)


class KeySharing:
    """One key's models in one task."""

    def __init__(self, desk: Desk, task: int) -> None:
        self._desk = desk
        self._task = task
        self._lost: set[bytes] = set()  # models that are not here, and were complained of

    async def step(self, now: Moment) -> None:
        """After the draw: give each drawn validator what it lacks. Raises SdkError."""
        calendar, desk = now.calendar, self._desk
        if not now.is_in(calendar.reveal_end, calendar.commit_end):
            return
        number = await now.view.find(Arena.standing, (self._task, desk.key.account))
        if number is None:
            return
        drawn = await now.view.ask(ArenaApi.validators_of, self._task, now.day, number)
        lacking = [each for each in drawn if not each.has_key]
        if not lacking:
            return
        made = await now.view.query(Arena.submissions, (self._task, number))
        key = self._key_of(made.content)
        if key is None:
            return
        boxes = seal_to(lacking[:SHARED_KEYS_MAX], key)
        if boxes:
            desk.actions.act(
                ("share keys", desk.key.account, self._task, now.day, number),
                now.head.number,
                desk.key,
                encode_call(Arena.share_keys, self._task, number, boxes),
                f"{desk.name} gave {len(boxes)} validators the key of its model in task "
                f"{self._task}",
            )

    def _key_of(self, content: bytes) -> bytes | None:
        kept = self._desk.state.find_kept(self._task, content)
        if kept is not None:
            return bytes.fromhex(kept.key)
        if content not in self._lost:
            self._lost.add(content)
            log.error(
                "%s: the key of its model in task %d is not in the state directory: nobody can "
                "score it",
                self._desk.name,
                self._task,
            )
        return None


def seal_to(recipients: list[Recipient], key: bytes) -> list[SealedKey]:
    """A box for each validator whose sealing key is one."""
    boxes = []
    for each in recipients:
        try:
            boxes.append(SealedKey(each.validator, seal_key(key, each.sealing_key)))
        except ModelSealError as error:
            log.warning("validator 0x%s: %s", each.validator[:4].hex(), error)
    return boxes
