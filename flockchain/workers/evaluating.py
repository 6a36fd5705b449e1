"""Scores of strangers' models: sandboxed evaluation, shared by all keys of a worker.

Owns one sandboxed process for each data set in use, and the verdicts known so far: the same model
of the same task on the same data is evaluated once. Data sets take turns, so that no task keeps
the others waiting. Invariant: at most `EVALUATORS_MAX` processes; one that died is no verdict on
the model until a second one died of it.

Source: WP V.D (validation); a validator may reuse its score of an unchanged model.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from flockchain.workers.turns import Turns
from ml.evaluate import Evaluation, Verdict
from ml.sandbox import Evaluator
from runtime.primitives.content_id import cid_text, content_id

log = logging.getLogger(__name__)

EVALUATORS_MAX: Final = 4  # processes with torch in memory
AT_WORK_MAX: Final = 2  # of them at once: a task whose models are slow leaves the other place free
VERDICTS_MAX: Final = 100_000
_RETRIED: Final = frozenset({Verdict.CRASHED, Verdict.TIMEOUT, Verdict.OUT_OF_MEMORY})


class Bench:
    """Evaluates models. `close` it in the end: it owns processes."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._evaluators: OrderedDict[tuple[bytes, bytes], Evaluator] = OrderedDict()
        self._turns = Turns(AT_WORK_MAX)
        self._at_work: set[tuple[bytes, bytes]] = set()
        self._verdicts: OrderedDict[tuple[bytes, bytes, bytes], Evaluation] = OrderedDict()

    async def prepare(self, spec: bytes, dataset: bytes) -> None:
        """Start the process of a data set ahead of its use. Raises SandboxError, TaskSpecError."""
        async with self._evaluator(spec, dataset) as evaluator:
            await asyncio.to_thread(evaluator.start)
        log.info("the sandbox for data set %s is ready", cid_text(content_id(dataset)))

    def find(self, spec: bytes, dataset: bytes, content: bytes) -> Evaluation | None:
        """A verdict that is known already, by the three content ids."""
        return self._verdicts.get((spec, dataset, content))

    async def evaluate(self, spec: bytes, dataset: bytes, model: bytes) -> Evaluation:
        """The verdict on a model. Raises SandboxError, TaskSpecError."""
        name = (content_id(spec), content_id(dataset), content_id(model))
        async with self._evaluator(spec, dataset) as evaluator:
            if name in self._verdicts:
                return self._verdicts[name]
            verdict = await asyncio.to_thread(evaluator.evaluate, model)
            if verdict.verdict in _RETRIED:
                log.info("model %s: %s; once more", cid_text(name[2]), verdict.verdict)
                verdict = await asyncio.to_thread(evaluator.evaluate, model)
        if verdict.score == 0:
            log.info("model %s scores 0: %s %s", cid_text(name[2]), verdict.verdict, verdict.reason)
        self._verdicts[name] = verdict
        if len(self._verdicts) > VERDICTS_MAX:
            self._verdicts.popitem(last=False)
        return verdict

    async def close(self) -> None:
        """End the processes."""
        while self._evaluators:
            _, evaluator = self._evaluators.popitem()
            await asyncio.to_thread(evaluator.close)

    @asynccontextmanager
    async def _evaluator(self, spec: bytes, dataset: bytes) -> AsyncIterator[Evaluator]:
        """The data set's process, for one caller at a time. Raises TaskSpecError."""
        place = (content_id(spec), content_id(dataset))
        async with self._turns.turn(place):
            self._at_work.add(place)
            try:
                if place not in self._evaluators:
                    self._evaluators[place] = Evaluator(spec, dataset, self._device)
                self._evaluators.move_to_end(place)
                await self._make_room()
                yield self._evaluators[place]
            finally:
                self._at_work.discard(place)

    async def _make_room(self) -> None:
        """End idle processes, those used longest ago first, while there are too many."""
        while len(self._evaluators) > EVALUATORS_MAX:
            idle = next(place for place in self._evaluators if place not in self._at_work)
            await asyncio.to_thread(self._evaluators.pop(idle).close)
