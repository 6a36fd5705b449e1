"""Training in a process of its own, and how good the result is on unseen data.

Owns the training process and the function that it runs. Trainings wait for it in turn, task by
task; the process ends with its parent and is the first to go when memory runs out. An honest
trainer judges itself on rows that it held out of the training data. Invariant: torch is imported by
the child process only; models come back as canonical files.

Source: WP V.C (training nodes).
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context, parent_process
from multiprocessing.synchronize import Event
from typing import Any, Final, TypeVar

from flockchain.workers.turns import Turns
from ml.confinement import go_first_without_memory
from ml.options import TrainOptions

HELD_OUT_EVERY: Final = 6  # one row in six is held out

A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What the training process is given. `datasets` are trained on in order.

    `has_held_out`: whether rows are kept back to judge the model on, else it is judged on the
    very rows that it was trained on.
    """

    spec: bytes
    datasets: tuple[bytes, ...]
    options: TrainOptions
    device: str
    has_held_out: bool = True


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A canonical model file and its score on the held-out rows, as a part of full scale."""

    model: bytes
    held_out: Fraction


class TrainingPool:
    """One training process, started at the first use; it loads torch once."""

    def __init__(self) -> None:
        self._context = get_context("spawn")
        self._pool: ProcessPoolExecutor | None = None
        self._turns = Turns(1)
        self._stop = self._context.Event()

    async def train(self, request: TrainingRequest, task: Hashable) -> TrainedModel:
        """Train and judge, when it is the task's turn.

        Raises `TaskSpecError`, `ArtifactError`, `BrokenProcessPool`.
        """
        async with self._turns.turn(task):
            return await self.run(train_candidate, request)

    async def load(self) -> bool:
        """Start the process and import torch ahead of its use. Raises `BrokenProcessPool`."""
        return await self.run(load_libraries, None)

    async def run(self, work: Callable[[A], R], argument: A) -> R:
        """Run a module's function in the process. Raises what it raises, `BrokenProcessPool`."""
        pool = self._executor()
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work, argument)
        except BrokenProcessPool:
            if self._pool is pool:  # killed, for its memory perhaps: the next one starts anew
                self._pool = None
            raise

    def _executor(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                1, self._context, initializer=_adopt, initargs=(self._stop,)
            )
        return self._pool

    async def close(self) -> None:
        """End the process; a training under way stops after its training epoch."""
        self._stop.set()
        if self._pool is not None:
            await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)


_stop: Event | None = None  # of the training process


def _adopt(stop: Event) -> None:
    """Runs first in the training process."""
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the worker, which ends it
    go_first_without_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker that was killed leaves nobody behind: the pool's own pipes would never close."""
    parent = parent_process()
    assert parent is not None, "it runs in a child"
    parent.join()
    os._exit(1)


def load_libraries(_: None) -> bool:
    """Have the process ready before there is anything to train."""
    from ml.tasks import registry  # noqa: F401 - every kind of task, with torch

    return True


def train_candidate(request: TrainingRequest) -> TrainedModel:
    """Train and judge. Runs in the training process. Raises `TaskSpecError`, `ArtifactError`."""
    # Imported here: the worker's own process never loads torch.
    from ml.devices import choose_device, limit_threads
    from ml.evaluate import score_of
    from ml.tasks.registry import open_task
    from ml.tasks.spec import SCORE_MAX, TaskSpec

    limit_threads()
    spec = TaskSpec.parse(request.spec)
    task = open_task(spec, choose_device(request.device))
    ends_at = time.monotonic() + spec.limits.train_seconds_max

    def should_stop() -> bool:
        return time.monotonic() > ends_at or (_stop is not None and _stop.is_set())

    model: bytes | None = None
    held_out = b""
    for dataset in request.datasets:
        training, held_out = split_rows(dataset) if request.has_held_out else (dataset, dataset)
        task.init_dataset(training)
        model = task.train(model, request.options, should_stop)
    assert model is not None, "a task has training data"
    task.init_dataset(held_out)
    return TrainedModel(model, Fraction(score_of(spec, task.evaluate(model)), SCORE_MAX))


def split_rows(dataset: bytes) -> tuple[bytes, bytes]:
    """(rows to train on, held-out rows); the whole twice if the tensors have no common rows."""
    from ml.checkpoint import load_checked, save_canonical
    from ml.datasets.labelled import DATASET_LIMITS

    state: dict[str, Any] = load_checked(dataset, DATASET_LIMITS)
    counts = {tensor.shape[0] if tensor.ndim else 0 for tensor in state.values()}
    rows = counts.pop()
    if counts or rows < 2 * HELD_OUT_EVERY:
        return dataset, dataset
    kept = [row for row in range(rows) if row % HELD_OUT_EVERY]
    training = {name: tensor[kept] for name, tensor in state.items()}
    held_out = {name: tensor[::HELD_OUT_EVERY] for name, tensor in state.items()}
    return save_canonical(training, DATASET_LIMITS), save_canonical(held_out, DATASET_LIMITS)
