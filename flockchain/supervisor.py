"""Workers beside a node: processes of their own that start with it, are watched, and end with it.

Owns the workers' command lines, the pause before a worker that ended is started again (doubled up
to a minute, back to a second once it has run for a minute), and their end. What a worker does to
itself cannot harm the node: they share nothing but JSON-RPC. Output goes to the node's own.

Source: WP II.B (training nodes and validators run a node); Substrate's essential tasks, which these
are not.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from flockchain.directories import worker_key_file, worker_state_directory

log = logging.getLogger(__name__)

PAUSE_S_MIN: Final = 1.0
PAUSE_S_MAX: Final = 60.0
SETTLED_S: Final = 60.0  # a worker that ran so long is worth a quick start
STOP_S: Final = 10.0
# Two roles need two accounts; a development key has one in each scheme.
_DEV_SCHEMES: Final = ("sr25519", "ed25519")


class WorkerKeyError(Exception):
    """A worker has no key; the message says where to put it."""


def worker_commands(
    roles: Sequence[str],
    rpc_port: int,
    base_path: Path,
    chain_id: str,
    development_key: str | None,
) -> dict[str, list[str]]:
    """The command line of each role. Raises WorkerKeyError.

    A role's own key file counts; without one, a node that runs with a development key lends it:
    as an sr25519 account to the first such role, as an ed25519 account to the second.
    """
    schemes = iter(_DEV_SCHEMES)
    commands: dict[str, list[str]] = {}
    for role in roles:
        key_file = worker_key_file(base_path, chain_id, role)
        scheme = None if development_key is None or key_file.is_file() else next(schemes, None)
        if key_file.is_file():
            key = ["--key-file", str(key_file)]
        elif scheme is not None:
            key = ["--key", f"//{str(development_key).capitalize()}", "--scheme", scheme]
        else:
            raise WorkerKeyError(
                f"the worker {role} has no key: write its secret URI, one line, to {key_file}"
            )
        commands[role] = [
            *(sys.executable, "-m", "flockchain", "worker", role),
            *("--rpc", f"ws://127.0.0.1:{rpc_port}", *key),
            *("--state-dir", str(worker_state_directory(base_path, chain_id, role))),
            "--until-eof",
        ]
    return commands


class Supervisor:
    """Runs commands by name until it is left: `async with Supervisor(commands): ...`."""

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        settled_s: float = SETTLED_S,
    ) -> None:
        """`sleep` waits so many seconds; whoever ran `settled_s` seconds starts again quickly."""
        self._commands = commands
        self._sleep = sleep
        self._settled_s = settled_s
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Supervisor:
        for name, command in self._commands.items():
            self._tasks.append(asyncio.create_task(self._watch(name, command), name=name))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        # A watch that failed said so in the log when it did.
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _watch(self, name: str, command: Sequence[str]) -> None:
        """Start a worker again and again; until cancelled."""
        loop = asyncio.get_running_loop()
        pause_s = PAUSE_S_MIN
        while True:
            began_s = loop.time()
            try:
                ended = await self._run(name, command)
            except OSError as error:
                ended = f"cannot be started: {error.strerror}"
            if loop.time() - began_s >= self._settled_s:
                pause_s = PAUSE_S_MIN
            log.warning("worker %s %s, starts again in %g s", name, ended, pause_s)
            await self._sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_S_MAX)

    async def _run(self, name: str, command: Sequence[str]) -> str:
        """One life of a worker: how it ended. Cancelling ends it."""
        # A session of its own: Ctrl-C reaches the node, which ends its workers in order. The pipe
        # ends with the node, however that ends, and the worker with the pipe.
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, start_new_session=True
        )
        log.info("worker %s runs as process %d", name, process.pid)
        try:
            status = await process.wait()
        finally:
            if process.returncode is None:
                await _stop(process)
                log.info("worker %s has stopped", name)
            _signal(process, signal.SIGKILL)  # what it left behind
        if status < 0:
            return f"was ended by {signal.Signals(-status).name}"
        return f"ended with status {status}"


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Ask it to end, and insist after a while."""
    _signal(process, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        _signal(process, signal.SIGKILL)
        await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Signal the worker and the processes that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
