"""A blob that was uploaded to one node is served by another, by its content id."""

from __future__ import annotations

import asyncio
import random

from flockchain.keys import key_pair_from_uri
from flockchain.sdk.client import Client
from runtime.primitives.content_id import CHUNK_BYTES, content_id
from tests.functional.conftest import StartNode
from tests.functional.node_process import NodeProcess

DATA = random.Random(1).randbytes(CHUNK_BYTES + 12_345)


async def carry(uploaded_to: NodeProcess, fetched_from: NodeProcess) -> tuple[bytes, bytes]:
    alice = key_pair_from_uri("//Alice", "ed25519")
    async with await Client.connect(uploaded_to.url) as client:
        name = await client.put_blob(DATA, alice)
    async with await Client.connect(fetched_from.url) as client:
        return name, await client.get_blob(name)


def test_a_blob_is_found_at_a_node_to_which_nobody_uploaded_it(start_node: StartNode) -> None:
    local = ("--chain", "devnet", "--tmp", "--listen-address", "127.0.0.1")
    first = start_node(*local, "--alice").wait_until_ready()
    second = start_node(*local, "--bob", "--bootnodes", first.address).wait_until_ready()
    second.wait_for(r"(imported|authored) #\d+")
    name, data = asyncio.run(carry(first, second))
    assert name == content_id(DATA)
    assert data == DATA
