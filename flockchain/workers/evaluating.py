"""Scores of strangers' models: sandboxed evaluation, shared by all keys of a worker.

Owns one sandboxed process for each data set in use, and the verdicts known so far: the same model
on the same data is evaluated once. Invariant: a process that died is no verdict on the model until
a second process died of it.

Source: WP V.D (validation); a validator may reuse its score of an unchanged model.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import Final

from ml.evaluate import Evaluation, Verdict
from ml.sandbox import Evaluator
from runtime.primitives.content_id import cid_text, content_id

log = logging.getLogger(__name__)

EVALUATORS_MAX: Final = 4  # processes with torch in memory
VERDICTS_MAX: Final = 100_000
_RETRIED: Final = frozenset({Verdict.CRASHED, Verdict.TIMEOUT, Verdict.OUT_OF_MEMORY})


class Bench:
    """Evaluates models. `close` it in the end: it owns processes."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._evaluators: OrderedDict[tuple[bytes, bytes], Evaluator] = OrderedDict()
        self._turns: dict[tuple[bytes, bytes], asyncio.Lock] = {}
        self._verdicts: OrderedDict[tuple[bytes, bytes], Evaluation] = OrderedDict()

    async def prepare(self, spec: bytes, dataset: bytes) -> None:
        """Start the process of a data set ahead of its use. Raises SandboxError, TaskSpecError."""
        place = (content_id(spec), content_id(dataset))
        async with self._turn(place):
            await asyncio.to_thread(self._evaluator(place, spec, dataset).start)

    async def evaluate(self, spec: bytes, dataset: bytes, model: bytes) -> Evaluation:
        """The verdict on a model. Raises SandboxError, TaskSpecError."""
        place = (content_id(spec), content_id(dataset))
        name = (place[1], content_id(model))
        async with self._turn(place):
            known = self._verdicts.get(name)
            if known is not None:
                return known
            evaluator = self._evaluator(place, spec, dataset)
            verdict = await asyncio.to_thread(evaluator.evaluate, model)
            if verdict.verdict in _RETRIED:
                log.info("model %s: %s; once more", cid_text(name[1]), verdict.verdict)
                verdict = await asyncio.to_thread(evaluator.evaluate, model)
            if verdict.score == 0:
                log.info(
                    "model %s scores 0: %s %s", cid_text(name[1]), verdict.verdict, verdict.reason
                )
            self._verdicts[name] = verdict
            if len(self._verdicts) > VERDICTS_MAX:
                self._verdicts.popitem(last=False)
            return verdict

    async def close(self) -> None:
        """End the processes."""
        for place, evaluator in list(self._evaluators.items()):
            async with self._turn(place):
                await asyncio.to_thread(evaluator.close)
        self._evaluators.clear()

    def _turn(self, place: tuple[bytes, bytes]) -> asyncio.Lock:
        """An evaluator serves one caller at a time."""
        return self._turns.setdefault(place, asyncio.Lock())

    def _evaluator(self, place: tuple[bytes, bytes], spec: bytes, dataset: bytes) -> Evaluator:
        found = self._evaluators.get(place)
        if found is None:
            found = self._evaluators[place] = Evaluator(spec, dataset, self._device)
        self._evaluators.move_to_end(place)
        for other in list(self._evaluators):
            if len(self._evaluators) <= EVALUATORS_MAX:
                break
            if not self._turns[other].locked():
                self._evaluators.pop(other).close()
                del self._turns[other]
        return found
