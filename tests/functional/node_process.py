"""Commands as operators have them: a process, its log, signals, a node's RPC. Nothing inside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson
from aiohttp import ClientSession

START_S: Final = 60.0
STOP_S: Final = 5.0
ANY_PORTS: Final = ("--port", "0", "--rpc-port", "0", "--prometheus-port", "0")
_PEER: Final = r"peer \S+ listens on (/ip4/127\.0\.0\.1/tcp/(\d+)/p2p/\S+)"
_RPC: Final = r"JSON-RPC server on 127\.0\.0\.1:(\d+)"


def command(*arguments: str) -> list[str]:
    """The command line of this installation."""
    return [sys.executable, "-m", "flockchain", *arguments]


class CommandProcess:
    """`flockchain ...` with a thread that reads its log as it is written."""

    def __init__(
        self,
        *arguments: str,
        sources: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`sources`: of the release to run, if it is another one than this."""
        path = {} if sources is None else {"PYTHONPATH": str(sources)}
        self.lines: list[str] = []
        self._has_more = threading.Condition()
        self._is_at_end = False
        self._process = subprocess.Popen(
            command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=sources,
            env={**os.environ, **path, **(environment or {})},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stderr is not None, "it is a pipe"
        for line in self._process.stderr:
            with self._has_more:
                self.lines.append(line.rstrip("\n"))
                self._has_more.notify_all()
        with self._has_more:
            self._is_at_end = True
            self._has_more.notify_all()

    # -- its log

    def find(self, pattern: str) -> re.Match[str] | None:
        """The first line of its log with the pattern in it, if there is one by now."""
        return next(filter(None, (re.search(pattern, line) for line in list(self.lines))), None)

    def wait_for(self, pattern: str, timeout_s: float = START_S) -> re.Match[str]:
        """The first line with the pattern in it. Fails at the deadline and at the log's end."""
        with self._has_more:
            self._has_more.wait_for(lambda: self.find(pattern) or self._is_at_end, timeout_s)
            found = self.find(pattern)
        assert found is not None, f"no line with {pattern!r} in the log:\n{self.log}"
        return found

    def wait_for_more(self, timeout_s: float) -> None:
        """Return when its log goes on, or has not for so long."""
        with self._has_more:
            self._has_more.wait(timeout_s)

    @property
    def log(self) -> str:
        return "\n".join(self.lines)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def children(self) -> list[int]:
        """The processes that it started and that are there."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/children")
        return [int(pid) for task in tasks for pid in task.read_text().split()]

    # -- its end

    def stop(self, timeout_s: float = STOP_S) -> int:
        """Ask it to end; its exit status. Raises TimeoutExpired."""
        return self._end(signal.SIGTERM, timeout_s)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL, STOP_S)

    def pause(self) -> None:
        """Take the processor away from it, as a machine does that sleeps."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused node go on."""
        self._process.send_signal(signal.SIGCONT)

    def wait(self, timeout_s: float = START_S) -> int:
        """Its exit status once it has ended by itself. Raises TimeoutExpired."""
        status = self._process.wait(timeout_s)
        self._reader.join(STOP_S)
        return status

    def is_running(self) -> bool:
        return self._process.poll() is None

    def _end(self, number: signal.Signals, timeout_s: float) -> int:
        self._process.send_signal(number)
        return self.wait(timeout_s)


class NodeProcess(CommandProcess):
    """`flockchain node`, and how others reach it."""

    def __init__(
        self,
        *arguments: str,
        sources: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("node", *arguments, sources=sources, environment=environment)

    def wait_until_ready(self) -> NodeProcess:
        """Return when all its ports are open."""
        self.wait_for(r"best #\d+, finalized #\d+")
        return self

    @property
    def rpc_port(self) -> int:
        return int(self.wait_for(_RPC)[1])

    @property
    def p2p_port(self) -> int:
        return int(self.wait_for(_PEER)[2])

    @property
    def address(self) -> str:
        """Its multiaddress, as other nodes' --bootnodes takes it."""
        return self.wait_for(_PEER)[1]

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.rpc_port}"

    async def post(self, body: bytes) -> tuple[int, Any]:
        """Status and document, or text, that answer the body."""
        headers = {"Content-Type": "application/json"}
        url = f"http://127.0.0.1:{self.rpc_port}/"
        async with (
            ClientSession() as session,
            session.post(url, data=body, headers=headers) as response,
        ):
            raw = await response.read()
            is_json = response.content_type == "application/json"
            return response.status, orjson.loads(raw) if is_json else raw.decode()

    async def ask(self, method: str, *params: object) -> dict[str, Any]:
        """The response object of one call."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        status, document = await self.post(orjson.dumps(request))
        assert status == 200, document
        answer: dict[str, Any] = document
        return answer

    async def call(self, method: str, *params: object) -> Any:
        """The result of one call, which must go well."""
        answer = await self.ask(method, *params)
        assert "error" not in answer, answer
        return answer["result"]


def ensure_refused(node: NodeProcess, timeout_s: float = START_S) -> str:
    """What a node says that does not start: one line, without a traceback, and exit status 1."""
    assert node.wait(timeout_s) == 1, node.log
    assert "Traceback" not in node.log
    said = [line for line in node.lines if " ERROR " in line or line.startswith("error:")]
    assert len(said) == 1, node.log
    return said[0]


def database_of(base_path: Path) -> Path:
    """The database below the base path of a node that has run one chain."""
    (directory,) = (base_path / "chains").glob("*/db")
    return directory
