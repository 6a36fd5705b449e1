"""Training processes and sandboxes that outlive their worker and serve that of the next test.

Each loads torch for seconds, and the workers of these tests come and go by the dozen. What runs in
them follows from what they are asked alone, so it does not matter who asked before. A sandbox keeps
the task and the data set that it was given.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from typing import Final

from flockchain.workers.evaluating import Bench, _Seat
from flockchain.workers.training import A, R, TrainingPool
from ml.evaluate import Evaluation
from ml.sandbox import Evaluator
from runtime.primitives.content_id import content_id

SANDBOXES_MAX: Final = 4
Place = tuple[bytes, bytes]


class Kept:
    """What is kept for the next worker."""

    training: ProcessPoolExecutor | None = None
    sandboxes: OrderedDict[Place, KeptEvaluator] = OrderedDict()

    @classmethod
    def end(cls) -> None:
        """End all processes."""
        if cls.training is not None:
            cls.training.shutdown(cancel_futures=True)
        for sandbox in cls.sandboxes.values():
            sandbox.close()
        cls.training = None
        cls.sandboxes.clear()


class KeptPool(TrainingPool):
    """Takes the process that is there, and leaves it behind."""

    def _executor(self) -> ProcessPoolExecutor:
        self._pool = Kept.training
        Kept.training = super()._executor()
        return Kept.training

    async def run(self, work: Callable[[A], R], argument: A) -> R:
        try:
            return await super().run(work, argument)
        except BrokenProcessPool:
            Kept.training = None
            raise

    async def close(self) -> None:
        """Its process goes on."""


class KeptEvaluator(Evaluator):
    """Whoever comes next waits for what a cancelled caller began."""

    def __init__(self, spec: bytes, dataset: bytes) -> None:
        super().__init__(spec, dataset)
        self._turn = threading.RLock()

    def start(self) -> None:
        with self._turn:
            super().start()

    def evaluate(self, submission: bytes) -> Evaluation:
        with self._turn:
            return super().evaluate(submission)


class KeptBench(Bench):
    """Takes the sandboxes that are there, and leaves them behind; has none in reserve."""

    def keep_reserve(self) -> None:
        """What comes next is kept already, or waits for its start."""

    async def close(self) -> None:
        while self._seats:
            place, seat = self._seats.popitem(last=False)
            assert isinstance(seat.evaluator, KeptEvaluator)
            Kept.sandboxes[place] = seat.evaluator
        while len(Kept.sandboxes) > SANDBOXES_MAX:
            _, oldest = Kept.sandboxes.popitem(last=False)
            await asyncio.to_thread(oldest.close)
        await super().close()

    @asynccontextmanager
    async def _ready(self, spec: bytes, dataset: bytes) -> AsyncIterator[Evaluator]:
        place = (content_id(spec), content_id(dataset))
        if place not in self._seats:
            kept = Kept.sandboxes.pop(place, None)
            self._seats[place] = _Seat(kept or KeptEvaluator(spec, dataset))
        async with super()._ready(spec, dataset) as evaluator:
            yield evaluator
