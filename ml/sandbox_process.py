"""A sandboxed process before and while it serves: started, loaded, given one task, ended.

Owns the process and its pipes. Loading the machine learning libraries takes most of a start and
needs no task, so a process can be started ahead of its use. Invariant: a process is given one task
and one data set in its life, and no stranger's bytes before it confined itself.
Source: WP V.D (validators run the models of training nodes they do not know).
"""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Final

from ml.frames import Channel, ChannelError
from ml.strict_json import JsonValue, StrictJsonError, parse_strict_json

_LOG = logging.getLogger(__name__)
_ROOT: Final = Path(__file__).resolve().parent.parent
ANSWER_BYTES_MAX: Final = 16 << 10
START_TIMEOUT_S: Final = 120.0
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


class SandboxProcess:
    """A process of its own, started by the constructor; `device` is `cpu`, `cuda` or `auto`."""

    def __init__(self, device: str = "cpu") -> None:
        """Starts it and returns at once."""
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ml.sandbox_child", device],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            env=_ENVIRONMENT,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._channel = Channel(self._process.stdin, self._process.stdout)  # type: ignore[arg-type]
        self._is_loaded = False
        self._has_task = False
        self.is_network_cut = False

    @property
    def process_id(self) -> int:
        """The process id."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def load(self) -> None:
        """Wait until its libraries are loaded: some seconds. Raises `SandboxError`."""
        if self._is_loaded:
            return
        try:
            answer = self.receive(START_TIMEOUT_S)
        except (ChannelError, StrictJsonError) as error:
            raise SandboxError(f"sandbox did not start: {error} (status {self.end()})") from error
        self.is_network_cut = answer.get("is_network_cut") is True
        if not self.is_network_cut:
            _LOG.warning("sandbox %d keeps its network: namespaces not permitted", self.process_id)
        self._is_loaded = True

    def open_task(self, spec: bytes, dataset: bytes) -> None:
        """Give it the task that it serves from here on; loads it first. Once in its life.

        Raises `SandboxError`, with the reason if the task or the data set is refused; the process
        has ended then.
        """
        assert not self._has_task, "a process serves one task in its life"
        self._has_task = True
        self.load()
        try:
            self.send(spec, START_TIMEOUT_S)
            self.send(dataset, START_TIMEOUT_S)
            answer = self.receive(START_TIMEOUT_S)
        except (ChannelError, StrictJsonError) as error:
            raise SandboxError(f"sandbox did not start: {error} (status {self.end()})") from error
        if "error" in answer:
            self.end()
            raise SandboxError(f"sandbox refused the task: {answer['error']}")

    def send(self, payload: bytes, timeout_s: float) -> None:
        """Send a frame. Raises `ChannelError`."""
        self._channel.send(payload, timeout_s)

    def receive(self, timeout_s: float) -> dict[str, JsonValue]:
        """The next answer, of a process that is not trusted.

        Raises `ChannelError`, `StrictJsonError`.
        """
        answer = self._channel.receive(ANSWER_BYTES_MAX, timeout_s)
        value = parse_strict_json(answer, ANSWER_BYTES_MAX, depth_max=1)
        if not isinstance(value, dict):
            raise StrictJsonError("answer is not an object")
        return value

    def close(self) -> None:
        """Let it end by itself: it does when its requests do."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            _LOG.warning("sandbox %d did not end by itself", self.process_id)
        self.end()

    def kill(self) -> None:
        """End it at once, from any thread: who waits for its answer sees that it is gone."""
        self._process.kill()

    def end(self) -> int | None:
        """End it; its exit status, negative for a signal, None if it had to be killed."""
        process = self._process
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
