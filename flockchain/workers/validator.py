"""A task validator: score what it was drawn for, seal the scores, open them.

Models and data come from the worker's own node, which asks its peers; the models' keys from their
owners by the chain. What could not be had by the last call is answered NO-DATA; a model that is
invalid, too large or kills its sandbox twice scores 0. If the opened Dataset B is not what the task
names, every model is answered WRONG-DATA.
Invariant: a score sheet is on disk before its seal is submitted.

Source: WP V.B (validators), WP V.D (validation), WP V.H (set B on the final day).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Final

from flockchain.workers.desk import Desk
from flockchain.workers.moment import Moment
from flockchain.workers.scoring import Scorer
from flockchain.workers.state_file import SealedSheet
from runtime.arena_api import ArenaApi
from runtime.economy.calendar import Calendar
from runtime.economy.tasks import Role, Task, TaskStatus
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.records import DayKey, GivenScore, NoData, ScoreSheet
from runtime.pallets.arena.seals import seal_scores
from runtime.pallets.arena.views import ToScore
from runtime.primitives.scale import Codec, codec_of

log = logging.getLogger(__name__)

LAST_CALL_BLOCKS_MAX: Final = 10
LAST_CALL_SLOT_PERCENT: Final = 75  # of a slot, in which what was awaited may still come
_SHEET: Final[Codec[list[GivenScore]]] = codec_of(ScoreSheet)


class ValidatorDuty:
    """One key's validation in one task."""

    def __init__(self, desk: Desk, task: int) -> None:
        self._desk = desk
        self._task = task
        self._scorer = Scorer(desk, task)
        self._warned: int | None = None

    async def step(self, now: Moment, task: Task) -> None:
        """Register, score, commit, reveal: whatever the block calls for. Raises SdkError."""
        desk, calendar = self._desk, now.calendar
        desk.bench.keep_reserve()
        operator, has_key = await asyncio.gather(
            desk.registration(now, self._task, task, Role.TASK_VALIDATOR),
            desk.has_sealing_key(now),
        )
        if operator is None:
            return
        if not has_key:
            desk.publish_sealing_key(now)
        self._scorer.prepare(now, task)
        if task.status is not TaskStatus.ACTIVE or not task.is_on(now.day):
            return
        if now.is_in(calendar.reveal_end, calendar.commit_end):
            await self._commit(now, task)
        elif now.is_in(calendar.commit_end, calendar.score_reveal_end):
            await self._reveal(now)

    # -- scores

    async def _commit(self, now: Moment, task: Task) -> None:
        desk, key = self._desk, DayKey(self._task, now.day)
        account, day = desk.key.account, now.day
        sealed = desk.state.find_sheet(self._task, day)
        finding = now.view.find(Arena.score_seals, (key, account))
        asking = now.view.ask(ArenaApi.to_score, self._task, day, account)
        on_chain, todo = await asyncio.gather(finding, asking)
        if on_chain is not None:
            return
        if sealed is None:
            sealed = await self._make_sheet(now, task, todo)
            if sealed is None:
                return
        scores = _SHEET.decode_all(bytes.fromhex(sealed.scores))
        seal = seal_scores(
            desk.client.genesis,
            self._task,
            now.day,
            desk.key.account,
            scores,
            bytes.fromhex(sealed.salt),
        )
        desk.actions.act(
            ("commit scores", desk.key.account, self._task, now.day),
            now.head.number,
            desk.key,
            encode_call(Arena.commit_scores, self._task, seal),
            f"{desk.name} sealed {len(scores)} scores in task {self._task}",
        )

    async def _make_sheet(self, now: Moment, task: Task, todo: list[ToScore]) -> SealedSheet | None:
        """The day's score sheet, kept on disk; None while models are fetched and scored."""
        names = [(DayKey(self._task, now.day), each.submission) for each in todo]
        boxes = await now.view.query_many(Arena.model_keys, names)
        verdicts = [
            self._scorer.poll(now, task, each, keys or [])
            for each, keys in zip(todo, boxes, strict=True)
        ]
        if not todo or (None in verdicts and not self._is_last_call(now)):
            return None
        scores = [
            GivenScore(each.submission, NoData() if verdict is None else verdict)
            for each, verdict in zip(todo, verdicts, strict=True)
        ]
        sealed = SealedSheet(_SHEET.encode(scores).hex(), secrets.token_hex(32))
        self._desk.state.put_sheet(self._task, now.day, sealed)
        return sealed

    def _is_last_call(self, now: Moment) -> bool:
        """Whether the sheet must go as it is: some time after the last call's first block came.

        Keys and verdicts that come within this time still count; what comes later might make the
        sheet miss its window.
        """
        calendar, jobs = now.calendar, self._desk.jobs
        if now.position < calendar.commit_end - last_call_blocks(calendar):
            return False
        wait_s = self._desk.client.preset.slot_ms * LAST_CALL_SLOT_PERCENT / 100_000
        name = ("last call", self._task, now.day)
        return jobs.poll(name, now.head.number, lambda: _wait(wait_s)) is not None

    # -- opening

    async def _reveal(self, now: Moment) -> None:
        desk, key = self._desk, DayKey(self._task, now.day)
        on_chain = await now.view.find(Arena.score_seals, (key, desk.key.account))
        if on_chain is None or on_chain.is_revealed:
            return
        sealed = desk.state.find_sheet(self._task, now.day)
        if sealed is None:
            if self._warned != now.day:
                self._warned = now.day
                log.error(
                    "%s: the scores sealed for task %d are not in the state directory, they "
                    "cannot be opened",
                    desk.name,
                    self._task,
                )
            return
        scores, salt = _SHEET.decode_all(bytes.fromhex(sealed.scores)), bytes.fromhex(sealed.salt)
        desk.actions.act(
            ("reveal scores", desk.key.account, self._task, now.day),
            now.head.number,
            desk.key,
            encode_call(Arena.reveal_scores, self._task, scores, salt),
            f"{desk.name} opened its scores in task {self._task}",
        )


def last_call_blocks(calendar: Calendar) -> int:
    """How long before its window ends a sheet is sealed although something is not scored yet."""
    return max(1, min(LAST_CALL_BLOCKS_MAX, (calendar.commit_end - calendar.reveal_end) // 2))


async def _wait(seconds: float) -> bool:
    await asyncio.sleep(seconds)
    return True
