"""Plays a soak: processes of a devnet, load, samples each second, and the chain that came of it.

Owns the processes and their directory; both are gone when it returns. The sender is this process:
its processor time is measured from the first transfer to the last.

Source: reliability goals for real processes; performance targets.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import ClientError, ClientSession

from flockchain.bench.soak.figures import Figures, Sample, node_figures, read_sample
from flockchain.bench.soak.load import Load
from flockchain.bench.soak.network import make_payers, sign_requests, write_spec
from flockchain.collector import quiet_collector
from flockchain.devnet.processes import Devnet, DevnetError, within
from flockchain.sdk.client import Client
from flockchain.sdk.errors import SdkError
from runtime.primitives.babe_digest import SlotClaim, find_claim

_UP_S: Final = 90.0
_DRAIN_S: Final = 30.0
_SETTLED_BLOCKS: Final = 5  # final before the load begins
_SAMPLE_S: Final = 1.0
_LOOK_S: Final = 0.5
_PAYERS: Final = 400
_WRONG: Final = re.compile(
    r"equivocat|false block|false branch|Traceback| ERROR |more than the \d+ ms of"
)

Tell = Callable[[float, Sample, Load], None]


@dataclass(frozen=True, slots=True)
class SoakPlan:
    """How many nodes, transfers a second, and for how long."""

    nodes: int = 4
    rate: int = 200
    seconds: int = 600


def run_soak(plan: SoakPlan, tell: Tell) -> Figures:
    """Play it; `tell` hears each second of it. Raises DevnetError, SdkError."""
    with tempfile.TemporaryDirectory(prefix="flockchain-soak-") as name:
        directory = Path(name)
        payers = make_payers(_PAYERS)
        spec = directory / "soak.json"
        genesis = write_spec(spec, plan.nodes, payers)
        requests = sign_requests(payers, plan.rate * plan.seconds, genesis)
        devnet = Devnet(directory, str(spec))
        try:
            devnet.start_nodes(plan.nodes)
            with quiet_collector():
                return asyncio.run(Soak(plan, devnet, tell).play(requests))
        finally:
            devnet.stop()


class Soak:
    """One run against nodes that are starting."""

    def __init__(self, plan: SoakPlan, devnet: Devnet, tell: Tell) -> None:
        self.plan = plan
        self.devnet = devnet
        self.tell = tell
        self.load = Load(plan.rate)
        self.samples: list[list[Sample]] = [[] for _ in range(plan.nodes)]
        self._start = 0.0

    async def play(self, requests: list[bytes]) -> Figures:
        """The whole run. Raises DevnetError, SdkError."""
        urls = [self.devnet.url(place) for place in range(self.plan.nodes)]
        await self.until_settled(urls, _UP_S)
        async with await Client.connect(urls[0]) as client:
            first = (await client.chain.best()).number
            spent_s = await self._load(urls, requests)
            sender_s = spent_s / (time.monotonic() - self._start)
            last = await self._drain(client)
            return await self._figures(client, first, last, sender_s)

    async def until_settled(self, urls: list[str], timeout_s: float) -> None:
        """Wait until each node has blocks final. Raises DevnetError if one has none in time."""
        for url in urls:
            async with within(timeout_s, f"the first {_SETTLED_BLOCKS} final blocks at {url}"):
                await self._until_final(url)

    async def _until_final(self, url: str) -> None:
        while True:
            self.devnet.ensure_alive()
            with suppress(SdkError):
                async with await Client.connect(url) as client:
                    if (await client.chain.finalized()).number >= _SETTLED_BLOCKS:
                        return
            await asyncio.sleep(_LOOK_S)

    async def _load(self, urls: list[str], requests: list[bytes]) -> float:
        """Send everything and sample meanwhile; this process's seconds of processor time."""
        before = time.process_time()
        self._start = time.monotonic()
        async with ClientSession() as session:
            sampling = asyncio.create_task(self._sample(session))
            try:
                await self.load.send(urls, requests)
            except* (ClientError, ConnectionError) as group:
                raise DevnetError(f"a node refused the load: {group.exceptions[0]}") from group
            finally:
                sampling.cancel()
                with suppress(asyncio.CancelledError):
                    await sampling
        return time.process_time() - before

    async def _sample(self, session: ClientSession) -> None:
        while True:
            at_s = time.monotonic() - self._start
            self.devnet.ensure_alive()
            for place, samples in enumerate(self.samples):
                samples.append(read_sample(at_s, await self._scrape(session, place)))
            self.tell(at_s, self.samples[0][-1], self.load)
            passed_s = time.monotonic() - self._start - at_s
            await asyncio.sleep(max(_SAMPLE_S - passed_s, 0.0))

    async def _scrape(self, session: ClientSession, place: int) -> str:
        url = f"http://127.0.0.1:{self.devnet.metrics_port + place}/metrics"
        try:
            async with session.get(url) as response:
                return await response.text()
        except ClientError as error:
            raise DevnetError(f"no metrics from node {place}: {error}") from error

    async def _drain(self, client: Client) -> int:
        """Wait until what was sent has had its chance to become final; the last final block."""
        last = None
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_S), aclosing(client.finalized_heads()) as heads:
                async for head in heads:
                    if last is not None and head.number >= last:
                        break
                    if last is None and not await client.rpc("author_pendingExtrinsics"):
                        last = (await client.chain.best()).number
        return (await client.chain.finalized()).number

    async def _figures(self, client: Client, first: int, last: int, sender: float) -> Figures:
        claims: list[SlotClaim] = []
        included = 0
        for number in range(first, last + 1):
            block_hash = await client.chain.block_hash(number)
            block = None if block_hash is None else await client.chain.block(block_hash)
            claim = None if block is None else find_claim(block.header)
            if block is None or claim is None:
                raise DevnetError(f"block {number} is gone, or has no slot")
            claims.append(claim)
            included += len(block.extrinsics) - 1  # the time comes first
        return Figures(
            seconds=round(self.samples[0][-1].at_s, 1),
            sent=self.load.sent,
            taken=self.load.taken,
            refused=self.load.refused,
            included=included,
            blocks=last - first,
            slots=claims[-1].slot - claims[0].slot,
            cpu_cores_sender=round(sender, 3),
            nodes=tuple(
                node_figures(child.name, self.samples[place])
                for place, child in enumerate(self.devnet.nodes)
            ),
            complaints=tuple(self._complaints()),
        )

    def _complaints(self) -> list[str]:
        """Refusals, and lines of the logs that a healthy network does not write."""
        found = list(self.load.refusals)
        if self.load.waiting:
            found.append(f"{self.load.waiting} transfers were never answered")
        for child in self.devnet.nodes:
            lines = child.log_path.read_text(errors="replace").splitlines()
            found += [f"{child.name}: {line}" for line in lines if _WRONG.search(line)]
        return found
