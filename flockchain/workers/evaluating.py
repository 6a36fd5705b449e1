"""Scores of strangers' models: sandboxed evaluation, shared by all keys of a worker.

Owns one sandboxed process for each data set in use, and the verdicts known so far: the same model
of the same task on the same data is evaluated once. Data sets take turns, so that no task keeps
the others waiting. Invariant: at most `EVALUATORS_MAX` processes, and one in reserve; one that died
is no verdict on the model until a second one died of it.

Source: WP V.D (validation); a validator may reuse its score of an unchanged model.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from flockchain.workers.reserve import Reserve
from flockchain.workers.turns import Turns
from ml.evaluate import Evaluation, Verdict
from ml.sandbox import Evaluator
from ml.sandbox_process import SandboxProcess
from runtime.primitives.content_id import cid_text, content_id

log = logging.getLogger(__name__)

EVALUATORS_MAX: Final = 4  # processes with torch in memory
AT_WORK_MAX: Final = 2  # of them at once: a task whose models are slow leaves the other place free
VERDICTS_MAX: Final = 100_000
_IN_RESERVE: Final = "in reserve"
_RETRIED: Final = frozenset({Verdict.CRASHED, Verdict.TIMEOUT, Verdict.OUT_OF_MEMORY})


@dataclass
class _Seat:
    """A data set's process, and whose turn it is: an evaluator serves one caller at a time."""

    evaluator: Evaluator
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Bench:
    """Evaluates models. `close` it in the end: it owns processes."""

    def __init__(self, device: str, spawn: Callable[[], SandboxProcess] | None = None) -> None:
        """`spawn` starts a process; by default one that evaluates on the device."""
        self._reserve = Reserve(spawn or (lambda: SandboxProcess(device)))
        self._filling: asyncio.Task[None] | None = None
        self._seats: OrderedDict[tuple[bytes, bytes], _Seat] = OrderedDict()
        self._starts = Turns(1)  # a start is slow, and slower beside another
        self._turns = Turns(AT_WORK_MAX)
        self._left = asyncio.Event()  # a process became idle
        self._verdicts: OrderedDict[tuple[bytes, bytes, bytes], Evaluation] = OrderedDict()

    def keep_reserve(self) -> None:
        """Have a loaded process for what comes next; called again and again, returns at once."""
        if self._reserve.is_due() and (self._filling is None or self._filling.done()):
            self._filling = asyncio.create_task(self._fill())

    async def _fill(self) -> None:
        async with self._starts.turn(_IN_RESERVE):
            await self._reserve.fill()

    async def prepare(self, spec: bytes, dataset: bytes) -> None:
        """Start the process of a data set ahead of its use. Raises SandboxError, TaskSpecError."""
        async with self._ready(spec, dataset):
            pass
        log.info("the sandbox for data set %s is ready", cid_text(content_id(dataset)))

    def find(self, spec: bytes, dataset: bytes, content: bytes) -> Evaluation | None:
        """A verdict that is known already, by the three content ids."""
        return self._verdicts.get((spec, dataset, content))

    async def evaluate(self, spec: bytes, dataset: bytes, model: bytes) -> Evaluation:
        """The verdict on a model. Raises SandboxError, TaskSpecError."""
        place, content = (content_id(spec), content_id(dataset)), content_id(model)
        name = (*place, content)
        async with self._ready(spec, dataset) as evaluator:
            if name in self._verdicts:
                return self._verdicts[name]
            async with self._turns.turn(place):
                verdict = await asyncio.to_thread(evaluator.evaluate, model)
                if verdict.verdict in _RETRIED:
                    log.info("model %s: %s; once more", cid_text(content), verdict.verdict)
                    verdict = await asyncio.to_thread(evaluator.evaluate, model)
        if verdict.score == 0:
            log.info("model %s scores 0: %s %s", cid_text(content), verdict.verdict, verdict.reason)
        self._verdicts[name] = verdict
        if len(self._verdicts) > VERDICTS_MAX:
            self._verdicts.popitem(last=False)
        return verdict

    async def close(self) -> None:
        """End the processes."""
        if self._filling is not None:
            self._filling.cancel()
            with suppress(asyncio.CancelledError):
                await self._filling
        await self._reserve.close()
        while self._seats:
            _, seat = self._seats.popitem()
            await asyncio.to_thread(seat.evaluator.close)

    @asynccontextmanager
    async def _ready(self, spec: bytes, dataset: bytes) -> AsyncIterator[Evaluator]:
        """The data set's running process, for one caller at a time.

        Raises SandboxError, TaskSpecError.
        """
        place = (content_id(spec), content_id(dataset))
        if place not in self._seats:
            self._seats[place] = _Seat(Evaluator(spec, dataset, spawn=self._reserve.take))
        self._seats.move_to_end(place)
        seat = self._seats[place]
        async with seat.lock:
            if seat.evaluator.process_id is None:
                async with self._starts.turn(place):
                    await self._make_room()
                    await asyncio.to_thread(seat.evaluator.start)
            try:
                yield seat.evaluator
            finally:
                self._left.set()

    async def _make_room(self) -> None:
        """Until there may be one more process: end the idle one that was used longest ago."""
        while sum(seat.evaluator.process_id is not None for seat in self._seats.values()) >= (
            EVALUATORS_MAX
        ):
            idle = [place for place, seat in self._seats.items() if not seat.lock.locked()]
            if idle:
                await asyncio.to_thread(self._seats.pop(idle[0]).evaluator.close)
            else:
                self._left.clear()
                await self._left.wait()
