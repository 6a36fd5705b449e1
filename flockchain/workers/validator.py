"""A task validator: score what it was drawn for, seal the scores, open them.

Models and data come from the worker's own node, which asks its peers. What could not be had is
answered NO-DATA; a model that is invalid, too large or kills its sandbox twice scores 0. If the
opened Dataset B is not what the task names, every model is answered WRONG-DATA.
Invariant: a score sheet is on disk before its seal is submitted.

Source: WP V.B (validators), WP V.D (validation), WP V.H (set B on the final day).
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from functools import partial
from typing import Final

from flockchain.sdk import BlobTooLarge
from flockchain.workers.desk import Desk
from flockchain.workers.moment import Moment
from flockchain.workers.sealed_dataset import SealedDatasetError, open_dataset
from flockchain.workers.state_file import SealedSheet
from ml.tasks.spec import TaskSpec
from runtime.economy.calendar import Calendar
from runtime.economy.tasks import Role, Task, TaskStatus
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.records import (
    DayKey,
    Fingerprinted,
    GivenScore,
    NoData,
    Score,
    ScoreSheet,
    Verdict,
    WrongData,
)
from runtime.pallets.arena.scores import weights_by_stake
from runtime.pallets.arena.seals import seal_scores
from runtime.primitives.scale import Codec, codec_of

log = logging.getLogger(__name__)

LAST_CALL_BLOCKS_MAX: Final = 10
_SHEET: Final[Codec[list[GivenScore]]] = codec_of(ScoreSheet)


class ValidatorDuty:
    """One key's validation in one task."""

    def __init__(self, desk: Desk, task: int) -> None:
        self._desk = desk
        self._task = task
        self._warned: int | None = None

    async def step(self, now: Moment, task: Task) -> None:
        """Register, score, commit, reveal: whatever the block calls for. Raises SdkError."""
        role = Role.TASK_VALIDATOR
        if await self._desk.registration(now, self._task, task, role) is None:
            return
        await self._desk.publish_sealing_key(now)
        calendar = now.calendar
        self._prepare(now, task)
        if task.status is not TaskStatus.ACTIVE or not task.is_on(now.day):
            return
        if now.is_in(calendar.reveal_end, calendar.commit_end):
            await self._commit(now, task)
        elif now.is_in(calendar.commit_end, calendar.score_reveal_end):
            await self._reveal(now)

    # -- data

    def _prepare(self, now: Moment, task: Task) -> None:
        """Have sandboxes ready: of set A before the final day, of set B once its key is known."""
        if now.day < task.final_day():
            self._have_ready(now, task, is_final=False)
        if task.key is not None:
            self._have_ready(now, task, is_final=True)

    def _have_ready(self, now: Moment, task: Task, *, is_final: bool) -> None:
        name = ("prepare", self._task, is_final)
        self._desk.jobs.poll(
            name, now.head.number, lambda: self._open_bench(task, is_final=is_final)
        )

    async def _open_bench(self, task: Task, *, is_final: bool) -> bool:
        try:
            spec, dataset = await self._data(task, is_final=is_final)
        except SealedDatasetError as error:
            log.warning("Dataset B of task %d does not match: %s", self._task, error)
            return False
        await self._desk.bench.prepare(spec, dataset)
        return True

    async def _data(self, task: Task, *, is_final: bool) -> tuple[bytes, bytes]:
        """Specification and validation set. Raises SdkError, SealedDatasetError."""
        desk, terms = self._desk, task.terms
        spec = await desk.spec_of(task)
        if not is_final:
            return spec, await desk.dataset(terms.validation_a)
        assert task.key is not None, "the final day is scored only with the key"
        ciphertext = await desk.dataset(terms.validation_b.ciphertext)
        plaintext = await asyncio.to_thread(open_dataset, ciphertext, task.key, terms.validation_b)
        return spec, plaintext

    # -- scores

    async def _commit(self, now: Moment, task: Task) -> None:
        desk, key = self._desk, DayKey(self._task, now.day)
        if await now.view.find(Arena.score_seals, (key, desk.key.account)) is not None:
            return
        sealed = desk.state.find_sheet(self._task, now.day)
        if sealed is None:
            sealed = await self._make_sheet(now, task)
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

    async def _make_sheet(self, now: Moment, task: Task) -> SealedSheet | None:
        """The day's score sheet, kept on disk; None while models are fetched and scored."""
        todo = await self._to_score(now)
        if not todo:
            return None
        is_last_call = now.position >= now.calendar.commit_end - last_call_blocks(now.calendar)
        scores: list[GivenScore] = []
        for submission, content in todo.items():
            verdict = self._desk.jobs.poll(
                ("score", self._task, now.day, content),
                now.head.number,
                partial(self._score, task, now.day, content),
            )
            if verdict is None and not is_last_call:
                continue
            scores.append(GivenScore(submission, NoData() if verdict is None else verdict))
        if len(scores) < len(todo):
            return None
        sealed = SealedSheet(_SHEET.encode(scores).hex(), secrets.token_hex(32))
        self._desk.state.put_sheet(self._task, now.day, sealed)
        return sealed

    async def _to_score(self, now: Moment) -> dict[int, bytes]:
        """What the chain wants scored by this key today: content by submission, ascending."""
        account, key = self._desk.key.account, DayKey(self._task, now.day)
        roster = await now.view.find(Arena.rosters, key)
        if roster is None or not roster.is_drawn:
            return {}
        if roster.seats:
            assigned = await now.view.query(Arena.assignments, (key, account))
            numbers = [assignment.submission for assignment in assigned]
        else:
            numbers = list(weights_by_stake(roster, account))
        contents = {entry.submission: entry.content for entry in roster.entries}
        return {number: contents[number] for number in numbers}

    async def _score(self, task: Task, day: int, content: bytes) -> Verdict:
        """A verdict; NO-DATA is never one here: what cannot be had is tried again.

        Raises SdkError, SandboxError, TaskSpecError.
        """
        desk = self._desk
        is_final = day == task.final_day()
        try:
            spec, dataset = await self._data(task, is_final=is_final)
        except SealedDatasetError:
            return WrongData()
        try:
            model = await desk.blobs.get(content, TaskSpec.parse(spec).limits.model_bytes_max)
        except BlobTooLarge:
            return Score(0)
        found = await desk.bench.evaluate(spec, dataset, model)
        if found.score and task.terms.duplicate_distance is not None:
            return Fingerprinted(found.score, found.fingerprint)
        return Score(found.score)

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
    return max(1, min(LAST_CALL_BLOCKS_MAX, (calendar.commit_end - calendar.reveal_end) // 4))
