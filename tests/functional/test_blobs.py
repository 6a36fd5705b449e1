"""Blobs of uploads and of the chain itself, by content id: from one node, and from another."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

from flockchain.ceremony.contributing import first_setup, multiplied
from flockchain.keys import key_pair_from_uri
from flockchain.sdk.client import Client
from genesis.spec import load_chain_spec
from runtime.primitives.content_id import CHUNK_BYTES, content_id, parse_cid_text
from runtime.primitives.zk_profile import setup_bytes
from tests.functional.conftest import StartNode
from tests.functional.node_process import NodeProcess

DATA = random.Random(1).randbytes(CHUNK_BYTES + 12_345)


async def carry(uploaded_to: NodeProcess, fetched_from: NodeProcess) -> tuple[bytes, bytes]:
    alice = key_pair_from_uri("//Alice", "ed25519")
    async with await Client.connect(uploaded_to.url) as client:
        name = await client.put_blob(DATA, alice)
    async with await Client.connect(fetched_from.url) as client:
        return name, await client.get_blob(name)


def test_nodes_serve_the_reference_string_of_the_chains_own(
    start_node: StartNode, tmp_path: Path
) -> None:
    setup = multiplied(first_setup(12), 7)
    (tmp_path / f"{setup.id.hex()}.srs").write_bytes(setup_bytes(setup))
    document = json.loads(load_chain_spec("dev").to_json(is_raw=False))
    named = {"points": 12, "sha256": f"0x{setup.id.hex()}"}
    document["genesis"]["runtimeGenesis"]["patch"]["flAlliance"] = {"setup": named}
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(document))
    node = start_node("--chain", str(spec), "--tmp", "--alice").wait_until_ready()

    async def fetch() -> bytes:
        async with await Client.connect(node.url) as client:
            answer = await client.rpc("flock_referenceString")
            return await client.get_blob(parse_cid_text(answer["cid"]))

    assert asyncio.run(fetch()) == setup_bytes(setup)


def test_a_blob_is_found_at_a_node_to_which_nobody_uploaded_it(start_node: StartNode) -> None:
    local = ("--chain", "devnet", "--tmp", "--listen-address", "127.0.0.1")
    first = start_node(*local, "--alice").wait_until_ready()
    second = start_node(*local, "--bob", "--bootnodes", first.address).wait_until_ready()
    second.wait_for(r"(imported|authored) #\d+")
    name, data = asyncio.run(carry(first, second))
    assert name == content_id(DATA)
    assert data == DATA
