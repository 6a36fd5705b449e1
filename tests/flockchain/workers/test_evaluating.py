"""Verdicts on strangers' models, from a real sandbox."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from flockchain.workers.evaluating import Bench
from flockchain.workers.training import (
    Strength,
    TrainingRequest,
    options_of,
    split_rows,
    train_candidate,
)
from ml.evaluate import Verdict
from ml.tasks.digits import DigitsTask, create_digits_task
from runtime.primitives.types import AccountId

WHO = AccountId(b"w" * 32)


@pytest.fixture(scope="module")
def digits() -> DigitsTask:
    return create_digits_task(seed=2)


def train(digits: DigitsTask, strength: Strength, attempt: int = 0) -> tuple[bytes, float]:
    options = options_of(strength, WHO, 0, attempt)
    spec = digits.spec.to_bytes()
    made = train_candidate(TrainingRequest(spec, (digits.train,), options, "cpu"))
    return made.model, float(made.held_out)


def test_strengths_differ_on_held_out_rows(digits: DigitsTask) -> None:
    strong, weak, noise = (train(digits, strength)[1] for strength in Strength)
    assert strong > 0.9 > weak > 0.25 > noise
    assert train(digits, Strength.NOISE, 0) == train(digits, Strength.NOISE, 0)
    assert train(digits, Strength.NOISE, 0) != train(digits, Strength.NOISE, 1)


def test_held_out_rows_are_not_trained_on(digits: DigitsTask) -> None:
    training, held_out = split_rows(digits.train)
    assert len(training) + len(held_out) == pytest.approx(len(digits.train), abs=500)
    again, _ = split_rows(training)
    assert again != training


def test_a_sandbox_that_dies_is_no_verdict_until_it_dies_twice(digits: DigitsTask) -> None:
    model, _ = train(digits, Strength.STRONG)
    spec = digits.spec.to_bytes()

    async def run() -> None:
        bench = Bench("cpu")
        try:
            await bench.prepare(spec, digits.validation_a)
            (evaluator,) = bench._evaluators.values()
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
