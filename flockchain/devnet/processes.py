"""Nodes and workers as processes of their own on this machine, each with a log file.

Ports come in blocks: node i has p2p, RPC and metrics ports at the base plus i. What is started is
stopped: on leaving, by a signal, or when the parent dies.

Source: functional testing by real processes; WP II.A.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from p2p.libp2p_host import peer_id_of
from p2p.node_key import load_node_key

AUTHORITIES: Final = ("alice", "bob", "charlie", "dave", "eve", "ferdie")
P2P_PORT: Final = 30_333
RPC_PORT: Final = 9_944
METRICS_PORT: Final = 9_615
_PORT_TRIES: Final = 40
_STOP_S: Final = 10


class DevnetError(Exception):
    """The devnet cannot go on; the message says what to do."""


@contextlib.asynccontextmanager
async def within(seconds: float, what: str) -> AsyncIterator[None]:
    """Raises DevnetError once it lasts longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise DevnetError(f"{what} took more than {seconds:g} s") from error


def find_ports(count: int) -> tuple[int, int, int]:
    """Base ports (p2p, RPC, metrics) such that `count` nodes fit. Raises DevnetError."""
    for step in range(_PORT_TRIES):
        bases = (P2P_PORT + 20 * step, RPC_PORT + 20 * step, METRICS_PORT + 20 * step)
        if all(_is_free(base + place) for base in bases for place in range(count)):
            return bases
    raise DevnetError(f"no {count} free ports in a row near {RPC_PORT}: stop what listens there")


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass(eq=False)
class Child:
    """A process and its log."""

    name: str
    command: list[str]
    log_path: Path
    process: subprocess.Popen[bytes] | None = None
    log: IO[bytes] | None = None

    def start(self) -> None:
        """Start, or start again; the log goes on."""
        self.log = self.log_path.open("ab")
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )

    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """End it as a power cut would."""
        self._signal(signal.SIGKILL)
        self._wait()

    def stop(self) -> None:
        """Ask it to end, and insist after a while."""
        self._signal(signal.SIGTERM)
        self._wait()

    def tail(self, lines: int = 12) -> str:
        """The end of its log."""
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def _wait(self) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self.process.wait()
        if self.log is not None:
            self.log.close()


@dataclass
class Devnet:
    """The processes of one devnet."""

    directory: Path
    chain: str
    nodes: list[Child] = field(default_factory=list)
    workers: list[Child] = field(default_factory=list)
    rpc_port: int = RPC_PORT
    metrics_port: int = METRICS_PORT

    def url(self, node: int = 0) -> str:
        """Where a node's RPC listens."""
        return f"ws://127.0.0.1:{self.rpc_port + node}"

    def start_nodes(self, count: int) -> None:
        """Start `count` validators; each knows those before it, so that all are connected."""
        p2p, self.rpc_port, self.metrics_port = find_ports(count)
        logs = self.directory / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        bootnodes: list[str] = []
        for place in range(count):
            base = self.directory / f"node-{place}"
            key_file = base / "node_key"
            base.mkdir(parents=True, exist_ok=True)
            seed = load_node_key(key_file)
            command = flockchain(
                "node",
                *("--chain", self.chain),
                f"--{AUTHORITIES[place]}",
                *("--base-path", str(base)),
                *("--node-key-file", str(key_file)),
                *("--listen-address", "127.0.0.1"),
                *("--port", str(p2p + place)),
                *("--rpc-port", str(self.rpc_port + place)),
                *("--prometheus-port", str(self.metrics_port + place)),
            )
            for bootnode in bootnodes:
                command += ["--bootnodes", bootnode]
            bootnodes.append(f"/ip4/127.0.0.1/tcp/{p2p + place}/p2p/{peer_id_of(seed)}")
            child = Child(AUTHORITIES[place], command, logs / f"{AUTHORITIES[place]}.log")
            child.start()
            self.nodes.append(child)

    def start_worker(self, name: str, arguments: Sequence[str]) -> Child:
        """Start `flockchain worker …`."""
        return self.start(name, ["worker", *arguments])

    def start(self, name: str, arguments: Sequence[str]) -> Child:
        """Start another command, which ends with the workers."""
        log_path = self.directory / "logs" / f"{name}.log"
        child = Child(name, flockchain(*arguments), log_path)
        child.start()
        self.workers.append(child)
        return child

    def ensure_alive(self) -> None:
        """Raises DevnetError with the log's end of the first process that died."""
        for child in [*self.nodes, *self.workers]:
            if child.process is not None and not child.is_running():
                raise DevnetError(
                    f"{child.name} ended by itself; the end of {child.log_path}:\n{child.tail()}"
                )

    def stop_workers(self, told: Iterable[Child]) -> None:
        """End the workers of a chapter that is told."""
        ending = list(told)
        for child in ending:
            child._signal(signal.SIGTERM)
        for child in ending:
            child.stop()
        self.workers = [child for child in self.workers if child not in ending]

    def stop(self) -> None:
        """Stop everything, workers first."""
        for child in [*self.workers, *self.nodes]:
            child._signal(signal.SIGTERM)
        for child in [*self.workers, *self.nodes]:
            child.stop()


def flockchain(*arguments: str) -> list[str]:
    """A command line of this installation."""
    return [sys.executable, "-m", "flockchain", *arguments]
