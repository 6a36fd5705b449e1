"""Verdicts on strangers' models, from a real sandbox."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace

import pytest
import torch

from flockchain.workers.evaluating import EVALUATORS_MAX, Bench
from flockchain.workers.strengths import Method
from flockchain.workers.training import TrainingRequest, train_candidate
from ml.artifact import ArtifactLimits
from ml.checkpoint import save_canonical
from ml.evaluate import Verdict
from ml.sandbox import Evaluator
from ml.tasks.digits import create_digits_task
from ml.tasks.ready_task import ReadyTask
from runtime.primitives.types import AccountId


@pytest.fixture(scope="module")
def digits() -> ReadyTask:
    return create_digits_task(seed=2)


@pytest.fixture(scope="module")
def model(digits: ReadyTask) -> bytes:
    options = Method().options(AccountId(b"w" * 32), 0, 0)
    request = TrainingRequest(digits.spec.to_bytes(), (digits.train,), options, "cpu")
    return train_candidate(request).model


def test_a_sandbox_that_dies_is_no_verdict_until_it_dies_twice(
    digits: ReadyTask, model: bytes
) -> None:
    spec = digits.spec.to_bytes()

    async def run() -> None:
        bench = Bench("cpu")
        try:
            await bench.prepare(spec, digits.validation_a)
            (seat,) = bench._seats.values()
            evaluator = seat.evaluator
            assert evaluator.process_id is not None
            os.kill(evaluator.process_id, signal.SIGKILL)
            verdict = await bench.evaluate(spec, digits.validation_a, model)
            assert verdict.verdict is Verdict.SCORED
            assert verdict.score > 850_000_000
            assert evaluator.starts == 2
            bad = await bench.evaluate(spec, digits.validation_a, b"\x80\x04pickle")
            assert (bad.verdict, bad.score) == (Verdict.INVALID, 0)
            assert evaluator.starts == 2
            assert await bench.evaluate(spec, digits.validation_a, model) is verdict
        finally:
            await bench.close()
        assert evaluator.process_id is None

    asyncio.run(run())


def test_a_model_that_needs_too_much_memory_scores_0_and_the_next_is_scored(
    digits: ReadyTask, model: bytes
) -> None:
    """Two rows of 64 MiB fit the file's limit; the copy in float64 does not fit the memory's."""
    limits = replace(digits.spec.limits, model_bytes_max=1 << 28, memory_bytes_max=1 << 20)
    network = {**digits.spec.model, "hidden_width_max": 1 << 20}
    spec = replace(digits.spec, limits=limits, model=network).to_bytes()
    width = 1 << 19
    big = save_canonical(
        {
            "hidden.weight": torch.zeros(width, 64),
            "hidden.bias": torch.zeros(width),
            "output.weight": torch.zeros(10, width),
            "output.bias": torch.zeros(10),
        },
        ArtifactLimits(size_bytes_max=1 << 28),
    )

    async def run() -> None:
        bench = Bench("cpu")
        try:
            bad = await bench.evaluate(spec, digits.validation_a, big)
            assert (bad.verdict, bad.score) == (Verdict.OUT_OF_MEMORY, 0)
            good = await bench.evaluate(spec, digits.validation_a, model)
            assert good.score > 850_000_000
        finally:
            await bench.close()

    asyncio.run(run())


def test_a_model_is_judged_anew_under_another_specification(
    digits: ReadyTask, model: bytes
) -> None:
    small = replace(digits.spec, limits=replace(digits.spec.limits, model_bytes_max=1_000))

    async def run() -> None:
        bench = Bench("cpu")
        try:
            first = await bench.evaluate(digits.spec.to_bytes(), digits.validation_a, model)
            second = await bench.evaluate(small.to_bytes(), digits.validation_a, model)
        finally:
            await bench.close()
        assert (first.verdict, second.verdict) == (Verdict.SCORED, Verdict.INVALID)

    asyncio.run(run())


def test_never_more_processes_than_allowed(
    digits: ReadyTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: set[Evaluator] = set()
    most = 0

    def start(evaluator: Evaluator) -> None:
        nonlocal most
        alive.add(evaluator)
        most = max(most, len(alive))

    def close(evaluator: Evaluator) -> None:
        alive.discard(evaluator)

    monkeypatch.setattr(Evaluator, "start", start)
    monkeypatch.setattr(Evaluator, "close", close)
    monkeypatch.setattr(Evaluator, "process_id", property(lambda self: self in alive or None))
    specs = [replace(digits.spec, seed=seed).to_bytes() for seed in range(4 * EVALUATORS_MAX)]

    async def run() -> None:
        bench = Bench("cpu")
        await asyncio.gather(*(bench.prepare(spec, digits.validation_a) for spec in specs))
        assert len(alive) == EVALUATORS_MAX
        await bench.close()

    asyncio.run(run())
    assert not alive
    assert most == EVALUATORS_MAX
