"""A fresh node warp-syncs over libp2p: proofs through changes of voters, the state, the past.

The chain lies on the first node's disk before it starts; nobody makes blocks any more, so what the
fresh node ends up with can be compared exactly.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from flockchain.directories import database_directory
from flockchain.simulation.long_chain import LongChain
from flockchain.storage.leveldb import LevelDbStore
from genesis.raw import RawGenesis
from genesis.spec import load_chain_spec
from tests.functional.conftest import StartNode
from tests.functional.node_process import NodeProcess

BLOCKS: Final = 130
WARP_S: Final = 40.0


def make_chain(directory: Path, spec: Path) -> LongChain:
    """A chain with changes of voters on a node's disk, and its spec in a file."""
    name = load_chain_spec("devnet")
    database = database_directory(directory, name.id)
    database.parent.mkdir(parents=True)
    store = LevelDbStore(database)
    chain = LongChain(changes_every=25, store=store)
    chain.grow(BLOCKS)
    assert chain.set_id >= 4
    store.close()
    raw = replace(name, genesis=RawGenesis(chain.genesis), boot_nodes=())
    spec.write_text(raw.to_json(is_raw=True))
    return chain


async def block_at(node: NodeProcess, number: int) -> Any:
    return await node.call("chain_getBlock", await node.call("chain_getBlockHash", number))


async def compare(source: NodeProcess, fresh: NodeProcess, account: str) -> None:
    """The head, a balance and an old block are the same; an old state is refused by name."""
    assert await fresh.call("chain_getHeader") == await source.call("chain_getHeader")
    key = "0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"
    keys = await source.call("state_getKeysPaged", key, 10, None, None)
    assert any(account in found for found in keys)
    for found in keys:
        assert await fresh.call("state_getStorage", found) == await source.call(
            "state_getStorage", found
        )
    for number in (1, BLOCKS // 2, BLOCKS):
        assert (await block_at(fresh, number))["block"] == (await block_at(source, number))["block"]
    early = await fresh.call("chain_getBlockHash", 5)
    answer = await fresh.ask("state_getStorage", keys[0], early)
    assert "State already discarded for" in answer["error"]["message"], answer


def test_a_fresh_node_warp_syncs_and_restarts(start_node: StartNode, tmp_path: Path) -> None:
    spec = tmp_path / "spec.json"
    chain = make_chain(tmp_path / "source", spec)
    account = chain.owners[0].account.hex()
    common = ("--chain", str(spec), "--listen-address", "127.0.0.1")
    source = start_node(*common, "--base-path", str(tmp_path / "source"))
    options = (*common, "--base-path", str(tmp_path / "fresh"), "--sync", "warp")
    fresh = start_node(*options, "--bootnodes", source.address)
    fresh.wait_for(f"the chain goes on from block {BLOCKS}, by proofs", WARP_S)
    fresh.wait_for("all blocks down to genesis are here", WARP_S)
    assert fresh.find(r"imported #\d") is None, "nothing was executed"
    asyncio.run(compare(source, fresh, account))
    fresh.stop()
    again = start_node(*options, "--bootnodes", source.address)
    again.wait_for(rf"best #{BLOCKS}, finalized #{BLOCKS}")
    asyncio.run(compare(source, again, account))
