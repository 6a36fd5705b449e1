"""The sandboxed process: one task, one data set, then submissions one after another.

Owns the program that `ml.sandbox_process` starts; its libraries are loaded before there is a task.
Invariant: what can be given up is given up before the first submission is read; an answer is one
JSON frame of integers and text.
Source: WP V.D.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import BinaryIO

from ml.confinement import (
    cut_network,
    go_first_without_memory,
    limit_memory,
    limit_processor_time,
    refuse_files,
    refuse_new_privileges,
    refuse_processes,
)
from ml.evaluate import REASON_CHARACTERS_MAX, Evaluation, Verdict, evaluate_submission
from ml.frames import read_frame, write_frame
from ml.options import TrainOptions
from ml.strict_json import canonical_json
from ml.tasks.interface import Task
from ml.tasks.spec import SPEC_BYTES_MAX, TaskSpec

_LOG = logging.getLogger(__name__)
DATASET_BYTES_MAX = 1 << 30


def run(requests: BinaryIO, answers: BinaryIO, device_name: str) -> None:
    """Say that it is loaded, that the task is open, then serve until the parent closes its end."""
    is_network_cut = cut_network()
    go_first_without_memory()
    refuse_new_privileges()
    _load()
    write_frame(answers, canonical_json({"is_network_cut": is_network_cut}))
    spec_bytes = read_frame(requests, SPEC_BYTES_MAX)
    dataset = read_frame(requests, DATASET_BYTES_MAX)
    if spec_bytes is None or dataset is None:
        return
    try:
        spec = TaskSpec.parse(spec_bytes)
        task = _prepare(spec, dataset, device_name)
    except ValueError as error:
        write_frame(answers, canonical_json({"error": str(error)[:REASON_CHARACTERS_MAX]}))
        return
    _confine(spec, device_name)
    write_frame(answers, canonical_json({"is_ready": True}))
    while (submission := read_frame(requests, spec.limits.model_bytes_max)) is not None:
        limit_processor_time(spec.limits.evaluate_seconds_max)
        write_frame(answers, _encode(_evaluate(task, submission)))


def _load() -> None:
    """Import torch, most of a start's time, before there is a task to wait for it."""
    # Imported here: torch starts threads, and the network is cut while there is one.
    from ml.devices import limit_threads, set_deterministic
    from ml.tasks import registry  # noqa: F401 - every kind of task

    limit_threads()
    set_deterministic()


def _prepare(spec: TaskSpec, dataset: bytes, device_name: str) -> Task:
    """Open the task and evaluate a made-up model, so that everything lazy is loaded."""
    from ml.devices import choose_device  # with torch, which `_load` imported
    from ml.tasks.registry import open_task

    task = open_task(spec, choose_device(device_name))
    task.init_dataset(dataset)
    evaluate_submission(task, task.train(None, TrainOptions(training_epochs=0, hidden_width=1)))
    evaluate_submission(task, b"")
    return task


def _confine(spec: TaskSpec, device_name: str) -> None:
    # CUDA reserves address space by the hundred gigabytes and starts threads of its own.
    if device_name == "cpu":
        # A submission is received into memory of its own: reading one never hits the limit.
        limit_memory(spec.limits.memory_bytes_max + 2 * spec.limits.model_bytes_max)
        refuse_processes()
    refuse_files()


def _evaluate(task: Task, submission: bytes) -> Evaluation:
    try:
        return evaluate_submission(task, submission)
    except MemoryError:
        return Evaluation(Verdict.OUT_OF_MEMORY, reason="out of memory")
    except Exception as error:  # noqa: BLE001 - the sandbox's door: any failure is a verdict
        _LOG.warning("evaluation failed", exc_info=error)
        reason = f"{type(error).__name__}: {error}"[:REASON_CHARACTERS_MAX]
        is_memory = "memory" in reason.lower()
        return Evaluation(Verdict.OUT_OF_MEMORY if is_memory else Verdict.CRASHED, reason=reason)


def _encode(evaluation: Evaluation) -> bytes:
    return canonical_json(
        {
            "verdict": evaluation.verdict.value,
            "score": evaluation.score,
            "fingerprint": evaluation.fingerprint,
            "reason": evaluation.reason,
        }
    )


def main() -> None:
    """Talk over the pipes given as standard input and output; prints go to standard error."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    run(requests, answers, device_name=sys.argv[1])


if __name__ == "__main__":
    main()
