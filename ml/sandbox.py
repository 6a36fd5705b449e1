"""Evaluate strangers' models in a process that can do nothing else.

Owns the life of the sandboxed process: start, limits in wall time, restart after a death.
Invariant: whatever a submission does to that process, the caller gets a named verdict in bounded
time. The process has no network where the system permits cutting it, opens no files once it is
ready, and is bounded in processor time and (on the CPU) in memory; see `ml.confinement`.
Source: WP V.D (validators run the models of training nodes they do not know).
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Final

from ml.evaluate import Evaluation, Verdict, invalid
from ml.frames import Channel, ChannelError, ChannelTimeoutError
from ml.strict_json import JsonValue, StrictJsonError, parse_strict_json
from ml.tasks.spec import SCORE_MAX, TaskSpec

_LOG = logging.getLogger(__name__)
_ROOT: Final = Path(__file__).resolve().parent.parent
_ANSWER_BYTES_MAX: Final = 16 << 10
_START_TIMEOUT_S: Final = 120.0
_END_TIMEOUT_S: Final = 5.0
_GRACE_S: Final = 0.2
_ENVIRONMENT: Final = {
    "PYTHONPATH": str(_ROOT),
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}


class SandboxError(Exception):
    """The sandboxed process did not become ready: a broken task, data set or installation."""


class Evaluator:
    """A sandboxed process for one task and one data set; it starts anew when it dies.

    `device` is `cpu`, `cuda` or `auto`. For use by one thread at a time, as a context manager or
    with `start` and `close`.
    """

    def __init__(
        self, spec: bytes, dataset: bytes, device: str = "cpu", wall_time_s: float | None = None
    ) -> None:
        """`wall_time_s` replaces the task's `evaluate_seconds_max`. Raises `TaskSpecError`."""
        self._spec_bytes = spec
        self._dataset = dataset
        self._device = device
        limits = TaskSpec.parse(spec).limits
        self._model_bytes_max = limits.model_bytes_max
        self._wall_time_s = limits.evaluate_seconds_max if wall_time_s is None else wall_time_s
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self.is_network_cut = False
        self.starts = 0

    def __enter__(self) -> Evaluator:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def process_id(self) -> int | None:
        """The process id of the sandbox, while one runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process and wait until it is ready: about two seconds, most of it imports.

        Raises `SandboxError`, with the reason if the task or the data set is refused.
        """
        if self._channel is not None:
            return
        command = [sys.executable, "-P", "-m", "ml.sandbox_child", self._device]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            env=_ENVIRONMENT,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self.starts += 1
        channel = Channel(process.stdin, process.stdout)  # type: ignore[arg-type]
        try:
            channel.send(self._spec_bytes, _START_TIMEOUT_S)
            channel.send(self._dataset, _START_TIMEOUT_S)
            answer = _parse(channel.receive(_ANSWER_BYTES_MAX, _START_TIMEOUT_S))
        except (ChannelError, StrictJsonError) as error:
            status = self._end()
            raise SandboxError(f"sandbox did not start: {error} (status {status})") from error
        if "error" in answer:
            self._end()
            raise SandboxError(f"sandbox refused the task: {answer['error']}")
        self.is_network_cut = answer.get("is_network_cut") is True
        if not self.is_network_cut:
            _LOG.warning("sandbox %d keeps its network: namespaces not permitted", process.pid)
        self._channel = channel

    def evaluate(self, submission: bytes) -> Evaluation:
        """Score one submission; starts the process if none runs. Raises `SandboxError`."""
        if len(submission) > self._model_bytes_max:
            return invalid(
                f"ArtifactSizeError: file of {len(submission)} bytes is above "
                f"{self._model_bytes_max}"
            )
        self.start()
        assert self._channel is not None
        try:
            self._channel.send(submission, self._wall_time_s)
            answer = self._channel.receive(_ANSWER_BYTES_MAX, self._wall_time_s)
            return _read_evaluation(_parse(answer))
        except ChannelTimeoutError:
            self._end()
            return Evaluation(Verdict.TIMEOUT, reason=f"no answer in {self._wall_time_s:g} s")
        except (ChannelError, StrictJsonError) as error:
            return verdict_of_death(self._end(), str(error))

    def close(self) -> None:
        """End the process; a later `evaluate` starts another."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            try:
                self._process.wait(_END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                _LOG.warning("sandbox %d did not end by itself", self._process.pid)
        self._end()

    def _end(self) -> int | None:
        """End the process; its exit status, negative for a signal, None if it had to be killed."""
        process, self._process, self._channel = self._process, None, None
        if process is None:
            return None
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            # A process whose pipe closed is about to end: its own status tells the cause.
            return process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None


def evaluate_sandboxed(
    spec: bytes, dataset: bytes, submission: bytes, device: str = "cpu"
) -> Evaluation:
    """Score one submission in a process of its own. Raises `TaskSpecError`, `SandboxError`."""
    with Evaluator(spec, dataset, device) as evaluator:
        return evaluator.evaluate(submission)


def verdict_of_death(status: int | None, problem: str) -> Evaluation:
    """The verdict when the process went: its exit status as of `subprocess`, None if we killed it
    after `problem`."""
    if status is None:
        return Evaluation(Verdict.CRASHED, reason=problem)
    if status == -signal.SIGXCPU:
        return Evaluation(Verdict.TIMEOUT, reason="processor time used up")
    if status == -signal.SIGKILL:
        return Evaluation(Verdict.OUT_OF_MEMORY, reason="killed, most likely for its memory")
    if status < 0:
        return Evaluation(Verdict.CRASHED, reason=f"ended by {signal.Signals(-status).name}")
    return Evaluation(Verdict.CRASHED, reason=f"exit status {status}: {problem}")


def _parse(answer: bytes) -> dict[str, JsonValue]:
    value = parse_strict_json(answer, _ANSWER_BYTES_MAX, depth_max=1)
    if not isinstance(value, dict):
        raise StrictJsonError("answer is not an object")
    return value


def _read_evaluation(answer: dict[str, JsonValue]) -> Evaluation:
    """The answer of a process that is not trusted. Raises `StrictJsonError`."""
    verdict, score = answer.get("verdict"), answer.get("score")
    fingerprint, reason = answer.get("fingerprint"), answer.get("reason")
    if not isinstance(verdict, str) or verdict not in list(Verdict):
        raise StrictJsonError("answer has no verdict")
    if type(score) is not int or not 0 <= score <= SCORE_MAX:
        raise StrictJsonError("answer has no score")
    if type(fingerprint) is not int or not 0 <= fingerprint < 1 << 64:
        raise StrictJsonError("answer has no fingerprint")
    if not isinstance(reason, str):
        raise StrictJsonError("answer has no reason")
    return Evaluation(Verdict(verdict), score, fingerprint, reason)
