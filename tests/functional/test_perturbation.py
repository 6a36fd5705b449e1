"""Validators that are paused, or that somebody starts twice: real processes on loopback."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Final

from flockchain.sdk.client import Client
from tests.functional.conftest import StartNode
from tests.functional.node_process import NodeProcess
from tests.functional.test_network_finality import (
    BACK_S,
    FIRST_S,
    GAP_S,
    finalize,
    reach,
    start_validator,
)

PAUSE_BLOCKS: Final = 8
WRONG: Final = r"equivocat|false block|false branch|Traceback| ERROR "


def three_validators(start_node: StartNode, tmp_path: Path) -> dict[str, NodeProcess]:
    """As many of the devnet's four as finality needs."""
    alice = start_validator(start_node, tmp_path, "alice")
    others = {name: start_validator(start_node, tmp_path, name, alice) for name in ("bob", "dave")}
    return {"alice": alice, **others}


async def finalize_from(node: NodeProcess, count: int, first_s: float = GAP_S) -> int:
    async with await Client.connect(node.url) as client:
        return await finalize(client, count, first_s)


async def pass_blocks(node: NodeProcess, count: int) -> int:
    """Wait until the best chain has grown; its height."""
    async with (
        await Client.connect(node.url) as client,
        aclosing(client.best_heads()) as heads,
    ):
        number = (await anext(heads)).number + count
        await reach(heads, number)
        return number


def test_a_paused_validator_comes_back_to_the_head_and_votes(
    start_node: StartNode, tmp_path: Path
) -> None:
    nodes = three_validators(start_node, tmp_path)
    asyncio.run(finalize_from(nodes["alice"], 1, FIRST_S))
    nodes["bob"].pause()
    number = asyncio.run(pass_blocks(nodes["alice"], PAUSE_BLOCKS))
    nodes["bob"].resume()

    async def come_back() -> None:
        async with (
            asyncio.timeout(BACK_S),
            await Client.connect(nodes["bob"].url) as client,
            aclosing(client.finalized_heads()) as heads,
        ):
            await reach(heads, number, BACK_S)

    asyncio.run(come_back())  # without bob's vote nothing of it is final
    for node in nodes.values():
        assert node.find(WRONG) is None, node.log


def test_a_second_node_with_a_key_in_use_ends_and_says_why(
    start_node: StartNode, tmp_path: Path
) -> None:
    nodes = three_validators(start_node, tmp_path)
    asyncio.run(finalize_from(nodes["alice"], 2, FIRST_S))
    twin = start_node(
        *("--chain", "devnet", "--dave", "--tmp", "--listen-address", "127.0.0.1"),
        *("--bootnodes", nodes["alice"].address),
    )
    assert twin.wait(90) == 1, twin.log
    assert (
        twin.find("the node ends: another node (signed|sealed) a .* start this one with")
        is not None
    )
    assert twin.find("authored") is None, twin.log
    asyncio.run(finalize_from(nodes["alice"], 2, BACK_S))
    for node in nodes.values():
        assert node.find(WRONG) is None, node.log
