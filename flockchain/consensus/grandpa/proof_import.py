"""Finality by proofs: a block that is proven becomes final, and which proofs are kept for others.

Owns both, for proofs of our own rounds, of peers and of files. Invariant: a proof moves finality up
its own chain or nowhere, and is checked against the voters of the last finalized block: a change of
voters has a proof of its own, so no proof reaches beyond one that was not forced. The proof of a
release's last block is kept for nodes that are still to make it final by that release.
Source: Substrate `sc_consensus_grandpa::import` (`import_justification`).
"""

from __future__ import annotations

from typing import Final

from flockchain.chain.backend import Backend
from flockchain.chain.notifications import Finalized
from flockchain.chain.release_watch import ends_release
from flockchain.consensus.grandpa.authorities import AuthoritySet
from flockchain.consensus.grandpa.justification import JustificationError, verify_for
from flockchain.consensus.grandpa.messages import JUSTIFICATION, BlockRef
from runtime.api import grandpa_authorities
from runtime.primitives.header import Header
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import Hash

JUSTIFICATION_PERIOD: Final = 512
"""Blocks between proofs that are kept though no change of voters needs them."""


def authorities_at(backend: Backend, block: Hash) -> AuthoritySet:
    """Who votes on what comes after a block. Raises UnknownParent, StateDiscarded."""
    set_id, listed = grandpa_authorities(backend.state_at(block))
    return AuthoritySet(set_id, [(item.key, item.weight) for item in listed])


def voters_of(backend: Backend) -> tuple[AuthoritySet, BlockRef]:
    """Who votes now, and the block on which all their votes build.

    The last finalized block, or a forced change above it. Raises StateDiscarded.
    """
    base = backend.forced_change() or backend.finalized
    return authorities_at(backend, base.hash), BlockRef(base.hash, base.number)


def finalize_proven(backend: Backend, block: BlockRef, proof: bytes) -> Finalized | None:
    """Make a block final by a proof that was checked; None if it is already."""
    before = backend.finalized.number
    is_change = backend.first_change(block.hash) is not None or backend.forced_change() is not None
    is_due = block.number // JUSTIFICATION_PERIOD > before // JUSTIFICATION_PERIOD
    keep_proof = is_change or is_due or ends_release(backend, block.hash)
    return backend.finalize(block.hash, proof, keep_proof=keep_proof)


def finalize_by_proof(backend: Backend, header: Header, justification: bytes) -> None:
    """Make an imported block final. Raises JustificationError; nothing happens to a final one."""
    block, final = BlockRef(header.hash(), header.number), backend.finalized
    if backend.is_finalized(block.hash):
        return
    if not backend.tree.is_descendant(final.hash, block.hash):
        raise JustificationError(f"{block} does not build on the finalized block {final.number}")
    change = backend.first_change(block.hash)
    if change is not None and change.hash != block.hash:
        raise JustificationError(f"{block} lies behind the change of voters in {change.number}")
    try:
        proof = JUSTIFICATION.decode_all(justification)
    except DecodeError as error:
        raise JustificationError(f"the proof of {block} cannot be read: {error}") from error
    verify_for(proof, voters_of(backend)[0], block)
    finalize_proven(backend, block, justification)
