"""Evaluate strangers' models in a process that can do nothing else.

Owns the life of the sandboxed process: start, limits in wall time, restart after a death.
Invariant: whatever a submission does to that process, the caller gets a named verdict in bounded
time. The process has no network where the system permits cutting it, opens no files once it is
ready, and is bounded in processor time and (on the CPU) in memory; see `ml.confinement`.
Source: WP V.D (validators run the models of training nodes they do not know).
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import TracebackType

from ml.evaluate import Evaluation, Verdict, invalid
from ml.frames import ChannelError, ChannelTimeoutError
from ml.sandbox_process import SandboxError, SandboxProcess
from ml.strict_json import JsonValue, StrictJsonError
from ml.tasks.spec import SCORE_MAX, TaskSpec

__all__ = ["Evaluator", "SandboxError", "evaluate_sandboxed", "verdict_of_death"]


class Evaluator:
    """A sandboxed process for one task and one data set; it starts anew when it dies.

    `device` is `cpu`, `cuda` or `auto`. For use by one thread at a time, as a context manager or
    with `start` and `close`.
    """

    def __init__(
        self,
        spec: bytes,
        dataset: bytes,
        device: str = "cpu",
        wall_time_s: float | None = None,
        spawn: Callable[[], SandboxProcess] | None = None,
    ) -> None:
        """`wall_time_s` replaces the task's `evaluate_seconds_max`. Raises `TaskSpecError`.

        `spawn` gives a process that has no task yet, loaded ahead perhaps; by default a new one.
        """
        self._spec_bytes = spec
        self._dataset = dataset
        limits = TaskSpec.parse(spec).limits
        self._model_bytes_max = limits.model_bytes_max
        self._wall_time_s = limits.evaluate_seconds_max if wall_time_s is None else wall_time_s
        self._spawn = spawn or (lambda: SandboxProcess(device))
        self._process: SandboxProcess | None = None
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
        return self._process.process_id if self._process else None

    @property
    def is_network_cut(self) -> bool:
        """Whether the running sandbox has no network."""
        return self._process is not None and self._process.is_network_cut

    def start(self) -> None:
        """Start the process and wait until it is ready: some seconds, or none if it was loaded.

        Raises `SandboxError`, with the reason if the task or the data set is refused.
        """
        if self._process is not None:
            return
        process = self._process = self._spawn()
        self.starts += 1
        try:
            process.open_task(self._spec_bytes, self._dataset)
        except SandboxError:
            self._process = None
            raise

    def evaluate(self, submission: bytes) -> Evaluation:
        """Score one submission; starts the process if none runs. Raises `SandboxError`."""
        if len(submission) > self._model_bytes_max:
            return invalid(
                f"ArtifactSizeError: file of {len(submission)} bytes is above "
                f"{self._model_bytes_max}"
            )
        self.start()
        process = self._process
        assert process is not None
        try:
            process.send(submission, self._wall_time_s)
            return _read_evaluation(process.receive(self._wall_time_s))
        except ChannelTimeoutError:
            self._end(process)
            return Evaluation(Verdict.TIMEOUT, reason=f"no answer in {self._wall_time_s:g} s")
        except (ChannelError, StrictJsonError) as error:
            return verdict_of_death(self._end(process), str(error))

    def close(self) -> None:
        """End the process; a later `evaluate` starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.close()

    def _end(self, process: SandboxProcess) -> int | None:
        self._process = None
        return process.end()


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
