"""Finality by a proof that came with a block, without a vote of our own.

Owns when such a proof is followed. Invariant: a proof moves finality up its own chain or nowhere,
and is checked against the voters of the last finalized block: a change of voters has a proof of its
own, so no proof reaches beyond one.
Source: Substrate `sc_consensus_grandpa::import` (`import_justification`).
"""

from __future__ import annotations

from flockchain.chain.backend import Backend
from flockchain.consensus.grandpa.authorities import AuthoritySet
from flockchain.consensus.grandpa.justification import JustificationError, verify_for
from flockchain.consensus.grandpa.messages import JUSTIFICATION, BlockRef
from runtime.api import grandpa_authorities
from runtime.primitives.header import Header
from runtime.primitives.scale import DecodeError


def finalize_by_proof(backend: Backend, header: Header, justification: bytes) -> None:
    """Make an imported block final. Raises JustificationError; nothing happens to a final one."""
    block, final = BlockRef(header.hash(), header.number), backend.finalized
    if backend.is_finalized(block.hash):
        return
    if not backend.tree.is_descendant(final.hash, block.hash):
        raise JustificationError(f"{block} does not build on the finalized block {final.number}")
    set_id, listed = grandpa_authorities(backend.state_at(final.hash))
    authorities = AuthoritySet(set_id, [(item.key, item.weight) for item in listed])
    try:
        proof = JUSTIFICATION.decode_all(justification)
    except DecodeError as error:
        raise JustificationError(f"the proof of {block} cannot be read: {error}") from error
    verify_for(proof, authorities, block)
    backend.finalize(block.hash, justification, keep_proof=True)
