"""A participant's training code as a Flower `ClientApp`, in a process and a Python of its own.

Flower asks for other versions of libraries than this project, so the participant names the Python
that has it. Owns the child process, its deadline and its limits; `ml.flower_child` tells the
protocol. Private rows reach the app as a file that only its user can read and that is gone after
the training. Invariant: what comes back are float32 weights of the given names and shapes, or an
error that says why not; neither the child nor what it started in its session outlives the call.
Source: WP VI.B, VI.C (local training is the participant's own choice).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from ml.artifact import LENGTH_BYTES
from ml.frames import Channel, ChannelError
from ml.strict_json import StrictJsonError, parse_strict_json

TIMEOUT_S: Final = 600.0
ANSWER_BYTES_MAX: Final = 1 << 10
ANSWER_DEPTH_MAX: Final = 1
_SHOWN_CHARACTERS: Final = 500
_TAIL_BYTES: Final = 1 << 12  # of what the child told that is looked at
_END_TIMEOUT_S: Final = 5.0
_ROWS: Final = "rows.safetensors"
_CHILD: Final = Path(__file__).with_name("flower_child.py")


class FlowerError(Exception):
    """The participant's app gave no weights."""


@dataclass(frozen=True, slots=True)
class FlowerCode:
    """`app` as `module:app`, found from where the worker was started; `python` has flwr."""

    app: str
    python: str
    timeout_s: float = TIMEOUT_S


@dataclass(frozen=True, slots=True)
class FlowerWork:
    """The trained weights, a canonical float32 file, and on how many examples, as the app says."""

    weights: bytes
    examples: int


def train_with_flower(code: FlowerCode, weights: bytes, rows: bytes, round_: int) -> FlowerWork:
    """Let the app train from float32 weights on private rows, both canonical files.

    Raises `FlowerError`. The weights' values are not checked.
    """
    with tempfile.TemporaryDirectory(prefix="flower-") as folder, tempfile.TemporaryFile() as said:
        file = Path(folder, _ROWS)
        file.write_bytes(rows)
        settings = json.dumps({"app": code.app, "round": round_, "rows": str(file)}).encode()
        try:
            return _ask(code, settings, weights, said)
        except (ChannelError, StrictJsonError, OSError) as error:
            raise FlowerError(f"{code.app}: {error}{_end_of(said)}") from error


def _ask(code: FlowerCode, settings: bytes, weights: bytes, said: IO[bytes]) -> FlowerWork:
    process = subprocess.Popen(
        [code.python, "-c", _CHILD.read_text(encoding="utf-8")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        bufsize=0,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        channel = Channel(process.stdin, process.stdout)  # type: ignore[arg-type]
        channel.send(settings, code.timeout_s)
        channel.send(weights, code.timeout_s)
        answer = parse_strict_json(
            channel.receive(ANSWER_BYTES_MAX, code.timeout_s), ANSWER_BYTES_MAX, ANSWER_DEPTH_MAX
        )
        head = LENGTH_BYTES + int.from_bytes(weights[:LENGTH_BYTES], "little")
        body = channel.receive(len(weights) - head, code.timeout_s)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with what the app started
        process.wait(_END_TIMEOUT_S)
        process.stdin.close()
        process.stdout.close()
    examples = answer.get("examples") if isinstance(answer, dict) else None
    if type(examples) is not int or examples < 1 or len(body) != len(weights) - head:
        raise FlowerError(f"{code.app}: {len(body)} bytes of weights on {examples} examples")
    return FlowerWork(weights[:head] + body, examples)


def _end_of(said: IO[bytes]) -> str:
    """The last of what the child told on standard error, in one line."""
    said.seek(max(0, said.seek(0, os.SEEK_END) - _TAIL_BYTES))
    lines = said.read().decode(errors="replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "")
    return f": {last.strip()[:_SHOWN_CHARACTERS]}" if last else ""
