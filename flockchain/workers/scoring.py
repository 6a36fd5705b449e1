"""The verdict on one submission: fetch its ciphertext, open it, evaluate it in a sandbox.

The key comes from the submission's owner after the draw, sealed to this validator. A model that was
judged before on the same data, or opened before by another key of this worker, needs none. What
cannot be had is no verdict here and is tried again; a key that opens nothing is NO-DATA.

Source: WP V.B (blind validation), WP V.D (validation), WP V.H (set B on the final day).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from flockchain.sdk import BlobTooLarge
from flockchain.workers.desk import Desk
from flockchain.workers.model_seal import (
    TAG_BYTES,
    ModelSealError,
    open_key,
    open_model,
    sealing_key,
)
from flockchain.workers.moment import Moment
from flockchain.workers.sealed_dataset import SealedDatasetError, open_dataset
from ml.evaluate import Evaluation
from ml.tasks.spec import TaskSpec
from runtime.economy.tasks import Task
from runtime.pallets.arena.key_records import SealedKey
from runtime.pallets.arena.records import Fingerprinted, NoData, Score, Verdict, WrongData
from runtime.pallets.arena.views import ToScore

log = logging.getLogger(__name__)


class Scorer:
    """Judges submissions of one task for one key."""

    def __init__(self, desk: Desk, task: int) -> None:
        self._desk = desk
        self._task = task

    # -- data

    def prepare(self, now: Moment, task: Task) -> None:
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

    # -- verdicts

    def poll(
        self, now: Moment, task: Task, made: ToScore, keys: Sequence[SealedKey]
    ) -> Verdict | None:
        """The verdict on a submission; None while it, or its key, is on the way."""
        desk = self._desk
        known = self._known(task, made, is_final=now.day == task.final_day())
        if known is not None:
            return known
        desk.jobs.poll(("fetch", made.ciphertext), now.head.number, lambda: self._fetch(task, made))
        box = next((key.box for key in keys if key.validator == desk.key.account), None)
        if box is None and desk.opened.find(made.content) is None:
            return None
        return desk.jobs.poll(
            ("score", desk.key.account, self._task, now.day, made.submission),
            now.head.number,
            lambda: self._score(task, now.day, made, box),
        )

    def _known(self, task: Task, made: ToScore, *, is_final: bool) -> Verdict | None:
        terms = task.terms
        dataset = terms.validation_b.plaintext if is_final else terms.validation_a
        found = self._desk.bench.find(terms.spec, dataset, made.content)
        return None if found is None else _verdict(task, found)

    async def _fetch(self, task: Task, made: ToScore) -> bool:
        """Have the ciphertext here before its key comes. Raises SdkError, TaskSpecError."""
        await self._ciphertext(await self._desk.spec_of(task), made)
        return True

    async def _ciphertext(self, spec: bytes, made: ToScore) -> bytes:
        size_max = TaskSpec.parse(spec).limits.model_bytes_max + TAG_BYTES
        return await self._desk.blobs.get(made.ciphertext, size_max)

    async def _score(self, task: Task, day: int, made: ToScore, box: bytes | None) -> Verdict:
        """Raises SdkError, SandboxError, TaskSpecError: what cannot be had is tried again."""
        desk = self._desk
        try:
            spec, dataset = await self._data(task, is_final=day == task.final_day())
        except SealedDatasetError:
            return WrongData()
        try:
            model = await self._model(spec, made, box)
        except BlobTooLarge:
            return Score(0)
        except ModelSealError as error:
            log.warning(
                "%s, task %d, submission %d: %s", desk.name, self._task, made.submission, error
            )
            return NoData()
        return _verdict(task, await desk.bench.evaluate(spec, dataset, model))

    async def _model(self, spec: bytes, made: ToScore, box: bytes | None) -> bytes:
        """The model in plain. Raises SdkError, ModelSealError, TaskSpecError."""
        desk = self._desk
        known = desk.opened.find(made.content)
        if known is not None:
            return known
        if box is None:
            raise ModelSealError("its owner has not handed out the key")
        ciphertext = await self._ciphertext(spec, made)
        key = open_key(box, sealing_key(desk.key, desk.client.genesis))
        model = await asyncio.to_thread(open_model, ciphertext, key, made.content)
        desk.opened.put(made.content, model)
        return model


def _verdict(task: Task, found: Evaluation) -> Verdict:
    if found.score and task.terms.duplicate_distance is not None:
        return Fingerprinted(found.score, found.fingerprint)
    return Score(found.score)
