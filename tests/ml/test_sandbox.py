"""The sandboxed evaluator: the same scores, and a named verdict whatever happens inside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ml.checkpoint import save_canonical
from ml.devices import choose_device
from ml.evaluate import Evaluation, Verdict, evaluate_submission
from ml.models.mlp import MlpConfig, init_mlp
from ml.sandbox import Evaluator, SandboxError, verdict_of_death
from ml.tasks.ready_task import ReadyTask
from ml.tasks.registry import open_task


@pytest.fixture(scope="module")
def evaluator(digits: ReadyTask) -> Iterator[Evaluator]:
    with Evaluator(digits.spec.to_bytes(), digits.validation_b) as opened:
        yield opened


def test_same_evaluations_as_in_process(
    evaluator: Evaluator, digits: ReadyTask, good_model: bytes
) -> None:
    task = open_task(digits.spec, choose_device("cpu"))
    task.init_dataset(digits.validation_b)
    submissions = [
        good_model,
        b"",
        good_model[:-4] + b"\x00\x00\xc0\x7f",
        good_model + b"\0",
        bytes(digits.spec.limits.model_bytes_max),
        bytes(digits.spec.limits.model_bytes_max + 1),
        good_model,
    ]
    inside = [evaluator.evaluate(submission) for submission in submissions]
    assert inside == [evaluate_submission(task, submission) for submission in submissions]
    assert inside[0].score >= 930_000_000
    assert [evaluation.verdict for evaluation in inside[1:-1]] == [Verdict.INVALID] * 5
    assert evaluator.starts == 1


def test_what_the_process_gave_up(evaluator: Evaluator) -> None:
    process = Path(f"/proc/{evaluator.process_id}")
    limits = {
        line[:26].strip(): line[26:].split()[0]
        for line in (process / "limits").read_text().splitlines()
    }
    assert limits["Max open files"] == "0"
    assert limits["Max file size"] == "0"
    assert limits["Max processes"] == "0"
    assert limits["Max core file size"] == "0"
    assert limits["Max address space"].isdigit()
    assert "NoNewPrivs:\t1" in (process / "status").read_text()
    interfaces = (process / "net" / "dev").read_text().splitlines()[2:]
    if evaluator.is_network_cut:
        assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]


def test_a_death_is_a_verdict_and_the_next_process_serves(
    evaluator: Evaluator, good_model: bytes
) -> None:
    before = evaluator.evaluate(good_model)
    assert evaluator.process_id is not None
    os.kill(evaluator.process_id, signal.SIGSEGV)
    assert evaluator.evaluate(good_model) == Evaluation(Verdict.CRASHED, reason="ended by SIGSEGV")
    assert evaluator.evaluate(good_model) == before
    assert evaluator.starts == 2


@pytest.mark.parametrize(
    ("status", "verdict", "reason"),
    [
        (-signal.SIGKILL, Verdict.OUT_OF_MEMORY, "killed, most likely for its memory"),
        (-signal.SIGXCPU, Verdict.TIMEOUT, "processor time used up"),
        (-signal.SIGABRT, Verdict.CRASHED, "ended by SIGABRT"),
        (1, Verdict.CRASHED, "exit status 1: gone"),
        (None, Verdict.CRASHED, "gone"),
    ],
)
def test_every_death_has_a_name(status: int | None, verdict: Verdict, reason: str) -> None:
    assert verdict_of_death(status, "gone") == Evaluation(verdict, reason=reason)


def test_a_model_that_needs_too_much_memory(digits: ReadyTask) -> None:
    width = 40_000
    limits = replace(digits.spec.limits, model_bytes_max=16 << 20, memory_bytes_max=1 << 20)
    model = {**digits.spec.model, "hidden_width_max": width}
    spec = replace(digits.spec, limits=limits, model=model)
    config = MlpConfig(inputs=64, classes=10, hidden_width_max=width)
    big = save_canonical(init_mlp(config, width, torch.Generator().manual_seed(1)))
    with Evaluator(spec.to_bytes(), digits.validation_b) as evaluator:
        assert evaluator.evaluate(big).verdict is Verdict.OUT_OF_MEMORY
        assert evaluator.evaluate(b"").verdict is Verdict.INVALID
        assert evaluator.starts == 1


def test_silence_is_a_timeout(digits: ReadyTask, good_model: bytes) -> None:
    with Evaluator(digits.spec.to_bytes(), digits.validation_b, wall_time_s=0.2) as evaluator:
        assert evaluator.process_id is not None
        os.kill(evaluator.process_id, signal.SIGSTOP)
        evaluation = evaluator.evaluate(good_model)
        assert (evaluation.verdict, evaluation.reason) == (Verdict.TIMEOUT, "no answer in 0.2 s")
        assert evaluator.process_id is None


def test_a_broken_task_is_an_error_of_the_sandbox(digits: ReadyTask) -> None:
    with pytest.raises(SandboxError, match=r"^sandbox refused the task: file of 3 bytes has no"):
        Evaluator(digits.spec.to_bytes(), b"abc").start()


def test_the_parent_needs_no_torch() -> None:
    program = "import sys, ml.sandbox; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
