"""Proofs verify, and nothing else does."""

import pytest

from flockchain.storage.errors import ProofError
from flockchain.storage.trie_codec import EMPTY_ROOT, StateVersion, encode_ref
from flockchain.storage.trie_proof import PROOF_NODES_MAX, read_proof, verify_read_proof
from flockchain.storage.trie_view import TrieView
from tests.flockchain.storage.naive_trie import blake
from tests.flockchain.storage.node_fixture import LooseTrie

PAIRS = {bytes([i, i * 7 % 256]): bytes([i]) * (i % 60) for i in range(60)}
ASKED = [b"\x01\x07", b"\x20\xe0", b"\x30", b"absent", b""]


@pytest.mark.parametrize("version", StateVersion)
def test_proofs_show_presence_and_absence_and_every_bit_counts(version: StateVersion) -> None:
    trie = LooseTrie(version)
    root = trie.root_of(PAIRS)
    proof = read_proof(trie.nodes, root, ASKED)
    expected = {key: PAIRS.get(key) for key in ASKED}
    assert verify_read_proof(root.hash, proof, ASKED) == expected
    assert verify_read_proof(root.hash, proof[::-1], ASKED) == expected
    for index, entry in enumerate(proof):
        for bit in range(0, len(entry) * 8, 3):
            flipped = bytearray(entry)
            flipped[bit // 8] ^= 1 << bit % 8
            with pytest.raises(ProofError):
                verify_read_proof(
                    root.hash, [*proof[:index], bytes(flipped), *proof[index + 1 :]], ASKED
                )
        with pytest.raises(ProofError, match=r"^proof lacks the entry 0x"):
            verify_read_proof(root.hash, proof[:index] + proof[index + 1 :], ASKED)


def test_values_above_32_bytes_are_entries_of_their_own_in_version_1() -> None:
    trie = LooseTrie(StateVersion.V1)
    root = trie.root_of({b"a": b"v" * 33, b"b": b"w" * 32})
    assert b"v" * 33 in read_proof(trie.nodes, root, [b"a"])
    assert len(read_proof(trie.nodes, root, [b"a", b"b", b"a"])) == 4


def test_entries_that_prove_nothing_are_refused() -> None:
    trie = LooseTrie(StateVersion.V1)
    root = trie.root_of(PAIRS)
    proof = read_proof(trie.nodes, root, ASKED)
    with pytest.raises(ProofError, match=r"^proof has 1 entries that prove nothing$"):
        verify_read_proof(root.hash, [*proof, b"junk"], ASKED)
    with pytest.raises(ProofError, match=r"^proof holds an entry twice$"):
        verify_read_proof(root.hash, [*proof, proof[0]], ASKED)
    with pytest.raises(ProofError, match=r"^proof of 65537 entries is above the limits$"):
        verify_read_proof(root.hash, [b""] * (PROOF_NODES_MAX + 1), ASKED)


def test_entries_that_hash_right_but_are_no_nodes_are_refused() -> None:
    with pytest.raises(ProofError, match=r"is no node: unknown node header 0x00$"):
        verify_read_proof(blake(b"\x00\x00"), [b"\x00\x00"], [b"a"])
    trailing = b"\x40\x04v" + b"!"
    with pytest.raises(ProofError, match=r"has bytes behind its node$"):
        verify_read_proof(blake(trailing), [trailing], [b"a"])
    branch = b"\x80\x40\x00" + encode_ref(b"\x05")
    with pytest.raises(ProofError, match=r"^proof holds a malformed inlined node: "):
        verify_read_proof(blake(branch), [branch], [b"a"])


def test_the_empty_trie_proves_absence() -> None:
    trie = LooseTrie(StateVersion.V1)
    proof = read_proof(trie.nodes, trie.root, [b"a"])
    assert verify_read_proof(EMPTY_ROOT, proof, [b"a"]) == {b"a": None}
    assert verify_read_proof(EMPTY_ROOT, [], [b"a"]) == {b"a": None}


def test_closest_descendants_have_the_merkle_value_their_parent_holds() -> None:
    trie = LooseTrie(StateVersion.V1)
    view = TrieView(trie.nodes, trie.root_of({b"\x10": b"v", b"\x20\x01": b"w" * 33}))
    assert view.closest_descendant_merkle_value(b"") == trie.root.hash
    small = view.closest_descendant_merkle_value(b"\x10")
    assert small == b"\x41\x00\x04v"
    large = view.closest_descendant_merkle_value(b"\x20")
    assert large == view.closest_descendant_merkle_value(b"\x20\x01")
    assert large is not None
    assert len(large) == 32
    assert view.closest_descendant_merkle_value(b"\x20\x02") is None
    assert view.closest_descendant_merkle_value(b"\x30") is None
