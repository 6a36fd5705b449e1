"""The chapter's processes: two hosts, the caller's gateway, and commands that end by themselves.

Source: WP II.D.6, III.B.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from flockchain.devnet.market.cast import CALLER, CHEAT, HONEST, LOW_PRICE, PASSED_OFF, PRICES
from flockchain.devnet.processes import Child, Devnet, DevnetError, flockchain, free_port, within

COMMAND_S: Final = 180
_UP_S: Final = 60
_LAST_LINES: Final = 300  # characters of what a failed command says


class CommandFailed(DevnetError):
    """A command ended with an error; the message has its words."""


class Services:
    """Starts them; `children` are those that go on."""

    def __init__(self, devnet: Devnet) -> None:
        self._devnet = devnet
        self.directory = devnet.directory / "market"
        self.children: list[Child] = []
        self.gateway_url = ""

    def start_hosts(self, llama: int, hosted: int) -> None:
        """Host 1 serves both models; host 2 passes another one off as the second."""
        served = [(llama, PRICES[0]), (hosted, PRICES[1])]
        honest = [part for task, price in served for part in _offering(task, price)]
        cheat = [*_offering(hosted, LOW_PRICE), "--serves", str(PASSED_OFF)]
        for place, (host, more) in enumerate(((HONEST, honest), (CHEAT, cheat))):
            arguments = ["worker", "host", "--key", host.uri, *more, "--port", "0"]
            arguments += ["--rpc", self._devnet.url(place), "--device", "cpu"]
            arguments += ["--state-dir", str(self.state_of(host.name))]
            self._start(host.name, arguments)

    async def start_gateway(self) -> None:
        """The caller's door to all hosts. Raises DevnetError."""
        port = free_port()
        arguments = ["market", "gateway", "--key", CALLER.uri, "--port", str(port)]
        arguments += ["--allow-private"]  # the hosts are on this machine
        arguments += ["--rpc", self._devnet.url(0), "--state-dir", str(self.state_of("gateway"))]
        child = self._start("gateway", arguments)
        async with within(_UP_S, "the gateway's start"):
            while "point OpenAI clients to" not in child.tail():
                self._devnet.ensure_alive()
                await asyncio.sleep(0.2)
        self.gateway_url = f"http://127.0.0.1:{port}/v1"

    def answers(self) -> list[Path]:
        """Signed answers that the gateway kept."""
        return sorted((self.state_of("gateway") / "answers").glob("*.json"))

    def state_of(self, name: str) -> Path:
        """A process's state directory."""
        return self.directory / name.replace(" ", "-")

    def _start(self, name: str, arguments: Sequence[str]) -> Child:
        self.directory.mkdir(parents=True, exist_ok=True)
        child = self._devnet.start(name.replace(" ", "-"), arguments)
        self.children.append(child)
        return child


def _offering(task: int, price: str) -> tuple[str, ...]:
    return ("--task", str(task), "--price", price)


async def command(
    *arguments: str, directory: Path | None = None, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run `flockchain … --json` in a process; what it prints. Raises CommandFailed, DevnetError."""
    process = await asyncio.create_subprocess_exec(
        *flockchain(*arguments, "--json"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=directory,
        env=None if environment is None else dict(environment),
    )
    try:
        async with within(COMMAND_S, f"`flockchain {' '.join(arguments[:2])}`"):
            said, problem = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        words = problem.decode(errors="replace").strip()[-_LAST_LINES:]
        raise CommandFailed(f"`flockchain {' '.join(arguments[:2])}` failed: {words}")
    found: dict[str, Any] = orjson.loads(said)
    return found
