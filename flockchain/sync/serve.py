"""Answering peers: blocks of our best chain with the proofs of finality that we keep.

Source: Substrate `sc_network_sync::block_request_handler`.
"""

from __future__ import annotations

from flockchain.chain.backend import Backend
from flockchain.sync.messages import (
    RESPONSE_BYTES_MAX,
    BlockData,
    BlocksRequest,
    encode_blocks,
)


def serve_blocks(backend: Backend, request: BlocksRequest) -> bytes:
    """Blocks upwards from `request.start`, as many as are known and fit."""
    blocks: list[BlockData] = []
    size = 0
    for number in range(request.start, request.start + request.count):
        block = backend.blocks.hash_at(number)
        if block is None:
            break
        header, body = backend.header(block), backend.blocks.body(block)
        if header is None or body is None:
            break
        proof = backend.blocks.justification(block)
        size += len(header.encode()) + sum(len(data) + 5 for data in body) + len(proof or b"") + 64
        if blocks and size > RESPONSE_BYTES_MAX:
            break
        blocks.append(BlockData(header, body, proof))
    return encode_blocks(blocks)
