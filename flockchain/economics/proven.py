"""Checks an explanation that a node gave: the proofs, then the whole derivation, anew.

Owns the reading of `flock_explainReward`'s answer. Nothing of the tree that the node sent is
believed: the proofs give the values under the state roots of the blocks, and the same functions
that every node pays by make the tree from those values alone.
Invariant: what is returned follows from the state roots of the given headers.

Source: Substrate `state_getReadProof`; WP V.D to V.I.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flockchain.economics.derivation.state_book import StateBook
from flockchain.economics.derivation.terms import ExplainError, Term, ensure_equal
from flockchain.economics.explain import explain
from flockchain.sdk.errors import BadAnswer
from flockchain.sdk.hex import from_hex, hash_from_hex
from flockchain.storage.errors import ProofError
from flockchain.storage.trie_proof import verify_read_proof
from runtime.frame.errors import DispatchError
from runtime.frame.externalities import DictState
from runtime.primitives.header import Header
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import AccountId, Hash
from runtime.version import UnknownRuntime


@dataclass(frozen=True, slots=True)
class Explanation:
    """A node's answer as it is read: nothing of it is checked yet.

    `proofs` are keys and trie nodes by block; `document` is the tree as the node made it.
    """

    block: Hash
    settlement: tuple[Hash, ...]
    proofs: Mapping[Hash, tuple[list[bytes], list[bytes]]]
    document: Mapping[str, Any]


def read_explanation(answer: Any) -> Explanation:
    """The answer of `flock_explainReward` with proofs. Raises BadAnswer."""
    try:
        proofs = {
            hash_from_hex(each["block"]): (
                [from_hex(key) for key in each["keys"]],
                [from_hex(node) for node in each["proof"]],
            )
            for each in answer["proofs"]
        }
        settlement = tuple(hash_from_hex(block) for block in answer["settlement"])
        return Explanation(hash_from_hex(answer["block"]), settlement, proofs, answer["tree"])
    except (LookupError, TypeError) as error:
        raise BadAnswer("flock_explainReward: not an explanation with proofs") from error


def rebuild(
    given: Explanation, headers: Mapping[Hash, Header], task: int, day: int, account: AccountId
) -> Term:
    """The tree, made from what the proofs show under the headers' state roots.

    Raises ProofError for a proof that does not fit, ExplainError if the proven values do not make
    the tree that the node sent.
    """
    books = {
        block: _open(block, headers[block].state_root, *proof)
        for block, proof in given.proofs.items()
    }
    missing = [block for block in (given.block, *given.settlement) if block not in books]
    if missing:
        raise ProofError(f"nothing is proven of block 0x{missing[0].hex()}")
    try:
        settlement = [books[block] for block in given.settlement]
        tree = explain(books[given.block], task, day, account, settlement)
    except (DecodeError, KeyError, DispatchError) as error:
        raise ProofError(f"the proofs leave out what the payout follows from: {error}") from error
    proven = {block: frozenset(keys) for block, (keys, _) in given.proofs.items()}
    for block, keys in tree.keys_by_block().items():
        unproven = [key for key in keys if key not in proven[block]]
        if unproven:
            raise ProofError(f"key 0x{unproven[0].hex()} of the tree is not proven")
    ensure_equal("the node's tree", tree.as_document(), given.document)
    return tree


def _open(block: Hash, root: Hash, keys: list[bytes], proof: list[bytes]) -> StateBook:
    found = verify_read_proof(root, proof, keys)
    held = {key: value for key, value in found.items() if value is not None}
    try:
        return StateBook(block, DictState(held))
    except UnknownRuntime as error:
        raise ExplainError(f"block 0x{block.hex()}: {error}") from error
