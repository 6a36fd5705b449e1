"""An attack: a validator that scores nothing and copies another's sealed scores.

It commits the very bytes that another validator of the day committed, waits until that one opens
its sheet, and tries to open its own copy with the scores and the salt that are now public. A seal
names its maker, so the chain refuses the opening; the copier is slashed for a sheet that stays
sealed.

Source: WP V.B (blind validation), Table I (copied scores).
"""

from __future__ import annotations

import logging
from typing import Any, Final

from flockchain.workers.desk import Desk
from flockchain.workers.moment import Moment
from runtime.economy.tasks import Role, Task, TaskStatus
from runtime.frame.extrinsic import decode_extrinsic
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.records import DayKey
from runtime.primitives.multi import Id
from runtime.primitives.types import AccountId, Hash

log = logging.getLogger(__name__)

_REVEAL: Final = Arena.calls[3]


class CopierDuty:
    """One key's attack on one task. No model is ever fetched."""

    def __init__(self, desk: Desk, task: int) -> None:
        self._desk = desk
        self._task = task

    async def step(self, now: Moment, task: Task) -> None:
        """Register, copy a seal, try to open the copy. Raises SdkError."""
        role = Role.TASK_VALIDATOR
        if await self._desk.registration(now, self._task, task, role) is None:
            return
        if not await self._desk.has_sealing_key(now):
            self._desk.publish_sealing_key(now)
        if task.status is not TaskStatus.ACTIVE or not task.is_on(now.day):
            return
        calendar, key = now.calendar, DayKey(self._task, now.day)
        own = await now.view.find(Arena.score_seals, (key, self._desk.key.account))
        if now.is_in(calendar.reveal_end, calendar.commit_end) and own is None:
            await self._commit(now, key)
        elif now.is_in(calendar.commit_end, calendar.score_reveal_end) and own is not None:
            await self._reveal(now, key, own.seal)

    async def _commit(self, now: Moment, key: DayKey) -> None:
        desk = self._desk
        if not await now.view.query(Arena.assignments, (key, desk.key.account)):
            return  # no seat today
        async for victim, sealed in now.view.query_map(Arena.score_seals, key):
            desk.actions.act(
                ("copy seal", desk.key.account, self._task, now.day),
                now.head.number,
                desk.key,
                encode_call(Arena.commit_scores, self._task, sealed.seal),
                f"{desk.name} copied the seal of 0x{victim[:4].hex()}.. in task {self._task}",
            )
            return

    async def _reveal(self, now: Moment, key: DayKey, seal: Hash) -> None:
        """Once the victim has opened its sheet, its scores and salt stand in a block."""
        desk = self._desk
        async for victim, sealed in now.view.query_map(Arena.score_seals, key):
            if victim == desk.key.account or sealed.seal != seal or not sealed.is_revealed:
                continue
            opened = await self._find_opening(now, victim)
            if opened is not None:
                desk.actions.act(
                    ("open copy", desk.key.account, self._task, now.day),
                    now.head.number,
                    desk.key,
                    encode_call(Arena.reveal_scores, *opened),
                    f"{desk.name} opened the sheet that it copied in task {self._task}",
                )

    async def _find_opening(self, now: Moment, victim: AccountId) -> tuple[Any, ...] | None:
        """The arguments of the victim's `reveal_scores`, from the blocks of the window so far."""
        chain, start = self._desk.client.chain, now.head.number - now.position + 1
        for number in range(start + now.calendar.commit_end, now.head.number + 1):
            block = await chain.block_hash(number)
            found = None if block is None else await chain.block(block)
            for data in () if found is None else found.extrinsics:
                extrinsic = decode_extrinsic(data)
                signer = None if extrinsic.preamble is None else extrinsic.preamble.address
                is_opening = extrinsic.call.entry is _REVEAL and signer == Id(victim)
                if is_opening and extrinsic.call.arguments[0] == self._task:
                    return extrinsic.call.arguments
        return None
