"""Watching processes: how long the pauses are, what is said, and that nothing stays behind."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from flockchain.directories import worker_key_file, worker_state_directory
from flockchain.supervisor import Supervisor, WorkerKeyError, worker_commands

ENDS = [sys.executable, "-c", "raise SystemExit(3)"]


class Pauses:
    """Instead of sleeping: notes the pauses, and holds the supervisor after the last one."""

    def __init__(self, count: int) -> None:
        self.seconds: list[float] = []
        self.are_enough = asyncio.Event()
        self._count = count

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) == self._count:
            self.are_enough.set()
            await asyncio.Event().wait()


def pauses_of(command: list[str], count: int, settled_s: float) -> list[float]:
    async def run() -> list[float]:
        pauses = Pauses(count)
        async with Supervisor({"it": command}, sleep=pauses, settled_s=settled_s):
            await pauses.are_enough.wait()
        return pauses.seconds

    return asyncio.run(run())


def test_pauses_double_up_to_a_minute() -> None:
    assert pauses_of(["/no/such/program"], 9, 60) == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_worker_that_ran_long_enough_starts_again_soon() -> None:
    assert pauses_of(["/no/such/program"], 4, 0) == [1, 1, 1, 1]


def test_ends_are_told(caplog: pytest.LogCaptureFixture) -> None:
    assert pauses_of(ENDS, 1, 60) == [1]
    assert "worker it ended with status 3, starts again in 1 s" in caplog.messages
    pauses_of(["/no/such/program"], 1, 60)
    assert "worker it cannot be started: No such file or directory, starts again in 1 s" in (
        caplog.messages
    )


def test_leaving_ends_the_worker_and_what_it_started(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    child = f"import signal; file = open({str(fifo)!r}, 'wb', 0); file.write(b'up'); signal.pause()"
    worker = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"

    async def run() -> None:
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        has_more = asyncio.Event()
        asyncio.get_running_loop().add_reader(reader, has_more.set)
        async with Supervisor({"it": [sys.executable, "-c", worker]}):
            await has_more.wait()
        asyncio.get_running_loop().remove_reader(reader)
        os.set_blocking(reader, True)
        # The pipe ends when nobody holds its other side.
        assert os.read(reader, 8) == b"up"
        assert os.read(reader, 8) == b""
        os.close(reader)

    asyncio.run(asyncio.wait_for(run(), 30))


def test_commands_name_rpc_key_and_state(tmp_path: Path) -> None:
    key_file = worker_key_file(tmp_path, "c", "validator")
    key_file.parent.mkdir(parents=True)
    key_file.write_text("//Somebody\n")
    found = worker_commands(("trainer", "validator"), 7, tmp_path, "c", "bob")
    state = str(worker_state_directory(tmp_path, "c", "trainer"))
    assert found["trainer"][1:] == [
        *("-m", "flockchain", "worker", "trainer", "--rpc", "ws://127.0.0.1:7"),
        *("--key", "//Bob", "--scheme", "sr25519", "--state-dir", state),
        "--until-eof",
    ]
    assert found["validator"][7:9] == ["--key-file", str(key_file)]


def test_two_roles_with_one_development_key_are_two_accounts(tmp_path: Path) -> None:
    found = worker_commands(("trainer", "validator"), 7, tmp_path, "c", "bob")
    assert [words[9:11] for words in found.values()] == [
        ["--scheme", "sr25519"],
        ["--scheme", "ed25519"],
    ]


def test_a_role_without_a_key_is_refused(tmp_path: Path) -> None:
    path = worker_key_file(tmp_path, "c", "trainer")
    with pytest.raises(WorkerKeyError) as caught:
        worker_commands(("trainer",), 7, tmp_path, "c", None)
    assert str(caught.value) == (
        f"the worker trainer has no key: write its secret URI, one line, to {path}"
    )
