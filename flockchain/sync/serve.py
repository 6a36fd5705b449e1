"""Answering peers: blocks of our best chain with the proofs of finality that we keep.

Source: Substrate `sc_network_sync::block_request_handler`.
"""

from __future__ import annotations

from collections.abc import Iterable

from flockchain.chain.backend import Backend
from flockchain.sync.messages import (
    BLOCKS_PER_REQUEST_MAX,
    RESPONSE_BYTES_MAX,
    AncestryRequest,
    BlockData,
    BlocksRequest,
    encode_blocks,
)
from p2p.interface import PeerError
from runtime.primitives.types import Hash


def serve_blocks(backend: Backend, request: BlocksRequest) -> bytes:
    """Blocks upwards from `request.start`, as many as are known and fit.

    Raises PeerError if the first of them is in our past, and not here whole any more, or not yet.
    """
    _ensure_whole(backend, request.start)
    hashes: list[Hash] = []
    for number in range(request.start, request.start + request.count):
        block = backend.blocks.hash_at(number)
        if block is None:
            break
        hashes.append(block)
    return encode_whole(backend, hashes)


def _ensure_whole(backend: Backend, number: int) -> None:
    if not 0 < number <= backend.finalized.number:
        return
    block = backend.blocks.hash_at(number)
    if block is None:
        raise PeerError(f"block {number} is not here: this node began above it, by proofs")
    if backend.blocks.body(block) is None:
        raise PeerError(f"the extrinsics of block {number} are pruned here")


def serve_ancestry(backend: Backend, request: AncestryRequest) -> bytes:
    """The lowest blocks above `request.above` of the branch that ends in `request.head`."""
    hashes: list[Hash] = []
    node = backend.tree.get(request.head)
    while node is not None and node.number > request.above:  # in memory: the way may be long
        hashes.append(node.hash)
        node = backend.tree.get(node.parent)
    return encode_whole(backend, hashes[::-1][:BLOCKS_PER_REQUEST_MAX])


def encode_whole(backend: Backend, hashes: Iterable[Hash], *, has_proofs: bool = True) -> bytes:
    """These blocks with their bodies, up to the first that is not here whole or does not fit."""
    blocks: list[BlockData] = []
    size = 0
    for block in hashes:
        header, body = backend.header(block), backend.blocks.body(block)
        if header is None or body is None:
            break
        proof = backend.blocks.justification(block) if has_proofs else None
        size += len(header.encode()) + sum(len(data) + 5 for data in body) + len(proof or b"") + 64
        if blocks and size > RESPONSE_BYTES_MAX:
            break
        blocks.append(BlockData(header, body, proof))
    return encode_blocks(blocks)
