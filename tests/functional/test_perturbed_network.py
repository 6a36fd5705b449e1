"""Four processes, one after another killed, paused, cut off, put ahead of time and behind it.

Each time the network must be healthy within 20 s of the end of it: the victim at the head, blocks
final at most three behind it, nothing signed twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from flockchain.devnet.processes import find_ports
from flockchain.sdk.client import Client
from flockchain.sdk.errors import SdkError
from tests.functional.node_process import NodeProcess
from tests.functional.world import World, build_world

NAMES: Final = ("alice", "bob", "charlie", "dave")
FIRST_S: Final = 120.0
LASTS_BLOCKS: Final = 10
LOOK_S: Final = 0.5
HEALTHY_S: Final = 20.0
LAG_BLOCKS_MAX: Final = 3
SKEW_MS: Final = 20_000
WRONG: Final = r"equivocat|false block|false branch|Traceback| ERROR |the node ends"


class Net:
    """Four validators with worlds of their own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.p2p, _, _ = find_ports(len(NAMES))
        library = build_world(directory)
        ports = [self.p2p + place for place in range(len(NAMES))]
        self.worlds = [World(library, directory / f"{name}.world", ports) for name in NAMES]
        self.nodes: list[NodeProcess] = []
        self.ended: list[NodeProcess] = []
        for place in range(len(NAMES)):
            self.nodes.append(self.start(place))
            self.nodes[place].wait_for("JSON-RPC server", FIRST_S)

    def start(self, place: int) -> NodeProcess:
        first = () if place == 0 and not self.nodes else ("--bootnodes", self.address)
        return NodeProcess(
            *("--chain", "devnet", f"--{NAMES[place]}", "--listen-address", "127.0.0.1"),
            *("--base-path", str(self.directory / NAMES[place])),
            *("--port", str(self.p2p + place), "--rpc-port", "0", "--prometheus-port", "0"),
            *first,
            environment=self.worlds[place].environment,
        )

    @property
    def address(self) -> str:
        """Where a node that is not the victim listens."""
        return self.nodes[0].address if self.nodes[0].is_running() else self.nodes[1].address

    def restart(self, place: int) -> None:
        self.ended.append(self.nodes[place])
        self.nodes[place] = self.start(place)
        self.nodes[place].wait_for("JSON-RPC server", FIRST_S)

    def stop(self) -> None:
        for node in self.nodes:
            if node.is_running():
                node.kill()


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Net]:
    made = Net(tmp_path)
    yield made
    made.stop()


async def heights(node: NodeProcess) -> tuple[int, int]:
    """Best and final."""
    async with await Client.connect(node.url) as client:
        return (await client.chain.best()).number, (await client.chain.finalized()).number


async def until_healthy(nodes: list[NodeProcess], above: int, limit_s: float) -> float:
    """Seconds until all are near one head above `above`, and it is nearly final everywhere."""
    start = time.monotonic()
    found: list[tuple[int, int]] = []
    while time.monotonic() - start < limit_s:
        try:
            found = [await heights(node) for node in nodes]
        except (SdkError, OSError):
            nodes[0].wait_for_more(LOOK_S)
            continue
        top = max(best for best, _ in found)
        if top > above and min(final for _, final in found) >= top - LAG_BLOCKS_MAX:
            return time.monotonic() - start
        nodes[0].wait_for_more(LOOK_S)
    pytest.fail(f"not healthy after {limit_s} s: best and final are {found}")


def outlast(net: Net, place: int) -> None:
    """Let it last until the others are so many blocks further."""
    other = net.nodes[(place + 1) % len(net.nodes)]
    end = asyncio.run(heights(other))[0] + LASTS_BLOCKS
    start = time.monotonic()
    while asyncio.run(heights(other))[0] < end:
        assert time.monotonic() - start < FIRST_S, "the others stand still"
        other.wait_for_more(LOOK_S)


def die_and_return(net: Net, place: int) -> None:
    net.nodes[place].kill()
    outlast(net, place)
    net.restart(place)


def pause(net: Net, place: int) -> None:
    net.nodes[place].pause()
    outlast(net, place)
    net.nodes[place].resume()


def cut_off(net: Net, place: int) -> None:
    net.worlds[place].cut(is_cut=True)
    outlast(net, place)
    net.worlds[place].cut(is_cut=False)


def go_ahead(net: Net, place: int) -> None:
    net.worlds[place].set_clock(SKEW_MS)
    outlast(net, place)
    net.worlds[place].set_clock(0)


def fall_behind(net: Net, place: int) -> None:
    net.worlds[place].set_clock(-SKEW_MS)
    outlast(net, place)
    net.worlds[place].set_clock(0)


PERTURBATIONS: Final[tuple[Callable[[Net, int], None], ...]] = (
    *(die_and_return, pause, cut_off, go_ahead, fall_behind),
)


@pytest.mark.long
def test_the_network_is_healthy_soon_after_whatever_happened_to_one_of_four(net: Net) -> None:
    asyncio.run(until_healthy(net.nodes, 2, FIRST_S))
    for place, perturb in enumerate(PERTURBATIONS):
        victim = place % len(NAMES)
        (best, _), *_ = [asyncio.run(heights(node)) for node in net.nodes]
        perturb(net, victim)
        seconds = asyncio.run(until_healthy(net.nodes, best + 2, HEALTHY_S))
        print(f"\n{perturb.__name__}: healthy after {seconds:.1f} s")
    for node in (*net.nodes, *net.ended):
        assert node.find(WRONG) is None, node.log
