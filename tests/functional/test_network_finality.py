"""Four validators on loopback finalize; one dies without warning, comes back and votes again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Final

import pytest

from flockchain.sdk.client import Client, Head
from genesis.spec import load_chain_spec
from tests.functional.conftest import StartNode
from tests.functional.node_process import NodeProcess

GAP_S: Final = 10  # between two blocks, at most
BACK_S: Final = 20
FIRST_S: Final = 40  # until the first block is final, nodes that start included
SETTLED_BLOCKS: Final = 3  # how far finality may lie behind the head of a chain in good health

Validators = dict[str, NodeProcess]


@pytest.fixture
def validators(start_node: StartNode, tmp_path: Path) -> Validators:
    """Alice, Bob, Charlie and Dave, who know one another through Alice."""
    alice = start_validator(start_node, tmp_path, "alice")
    others = ("bob", "charlie", "dave")
    nodes = {name: start_validator(start_node, tmp_path, name, alice) for name in others}
    return {"alice": alice, **nodes}


def start_validator(
    start_node: StartNode, directory: Path, name: str, first: NodeProcess | None = None
) -> NodeProcess:
    """A validator of the devnet whose data lie below `directory`."""
    known = () if first is None else ("--bootnodes", first.address)
    data = ("--base-path", str(directory / name), "--listen-address", "127.0.0.1")
    return start_node("--chain", "devnet", f"--{name}", *data, *known)


async def reach(heads: AsyncIterator[Head], number: int, gap_s: float = GAP_S) -> None:
    """Follow the heads to a block; no two of them may be further apart than `gap_s`."""
    while True:
        async with asyncio.timeout(gap_s):
            head = await anext(heads)
        if head.number >= number:
            return


async def finalize(client: Client, count: int, first_s: float = GAP_S) -> int:
    """Wait until `count` more blocks are final; the number of the last one."""
    async with aclosing(client.finalized_heads()) as heads:
        async with asyncio.timeout(first_s):
            start = await anext(heads)
            while start.number == 0:
                start = await anext(heads)
        await reach(heads, start.number + count)
    return start.number + count


async def watch_a_death(validators: Validators, victim: NodeProcess) -> int:
    """Finality before and after the victim's end; the best block's number in the end."""
    async with await Client.connect(validators["alice"].url) as client:
        await finalize(client, 1, FIRST_S)
        victim.kill()
        async with aclosing(client.best_heads()) as heads:
            number = (await anext(heads)).number + SETTLED_BLOCKS
            await reach(heads, number)
        await finalize(client, 2, 2 * GAP_S)
        return number


async def watch_a_return(validators: Validators, returned: NodeProcess, number: int) -> None:
    """The node that came back is at the head, and then finality depends on its vote."""
    async with (
        asyncio.timeout(BACK_S),
        await Client.connect(returned.url) as client,
        aclosing(client.finalized_heads()) as heads,
    ):
        await reach(heads, number, BACK_S)
    validators["charlie"].kill()
    async with await Client.connect(validators["alice"].url) as client:
        await finalize(client, 2, BACK_S)


def test_finality_survives_a_death_and_counts_on_who_returns(
    validators: Validators, start_node: StartNode, tmp_path: Path
) -> None:
    number = asyncio.run(watch_a_death(validators, validators["dave"]))
    started = time.monotonic()
    dave = start_validator(start_node, tmp_path, "dave", validators["alice"])
    asyncio.run(watch_a_return(validators, dave.wait_until_ready(), number))
    assert time.monotonic() - started < 2 * BACK_S
    for node in (*validators.values(), dave):
        assert node.find(r"equivocat|false block|false branch|Traceback| ERROR ") is None, node.log


def test_a_node_of_another_chain_is_refused_once_and_told_why(start_node: StartNode) -> None:
    local = ("--tmp", "--listen-address", "127.0.0.1")
    node = start_node("--chain", "devnet", "--alice", *local)
    stranger = start_node("--chain", "local", "--alice", *local, "--bootnodes", node.address)
    ours, theirs = (load_chain_spec(name).genesis_hash().hex() for name in ("devnet", "local"))
    reason = f"its genesis is 0x{theirs}, ours 0x{ours}: another chain"
    node.wait_for(f"refused peer .*: {reason}")
    stranger.wait_for("refused peer .*: it refused us: .*: another chain")
    node.wait_for("authored #2 ")
    for each in (node, stranger):
        assert len([line for line in each.lines if "refused peer" in line]) == 1, each.log
    assert asyncio.run(node.call("system_peers")) == []
