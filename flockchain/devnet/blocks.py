"""What every chapter does with final blocks: read each one's events, once, in order.

Source: WP Fig. 3, Fig. 5 (the workflows that are told).
"""

from __future__ import annotations

from flockchain.devnet.processes import DevnetError
from flockchain.sdk.client import Client
from runtime.frame.events import EventRecord
from runtime.primitives.types import Hash


async def events_of(client: Client, number: int) -> tuple[Hash, list[EventRecord]]:
    """A final block's hash and what happened in it. Raises DevnetError, SdkError."""
    block = await client.chain.block_hash(number)
    if block is None:
        raise DevnetError(f"the node does not know finalized block {number}")
    return block, await client.events_at(block)
