"""Node format, roots and limits: public vectors and the edges of the encoding."""

import pytest

from flockchain.storage.errors import KeyTooLong, StateCorrupted
from flockchain.storage.node_store import decode_record
from flockchain.storage.trie_build import NoNodes, ordered_root, root_of
from flockchain.storage.trie_codec import (
    EMPTY_ROOT,
    KEY_BYTES_MAX,
    NodeFormatError,
    StateVersion,
    decode_node,
    encode_compact,
    encode_node,
    encode_ref,
)
from flockchain.storage.trie_view import TrieView
from tests.flockchain.storage.naive_trie import blake, naive_root
from tests.flockchain.storage.node_fixture import LooseTrie


def test_the_empty_root_is_the_published_one() -> None:
    published = "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314"
    assert EMPTY_ROOT.hex() == published
    assert root_of({}, StateVersion.V0) == root_of({}, StateVersion.V1) == EMPTY_ROOT
    assert ordered_root([]) == EMPTY_ROOT


def test_versions_part_at_33_bytes() -> None:
    for size, is_same in ((32, True), (33, False)):
        pairs = {b"key": b"v" * size}
        assert (root_of(pairs, StateVersion.V0) == root_of(pairs, StateVersion.V1)) == is_same


def test_known_leaf_and_branch_encodings() -> None:
    leaf = bytes([0x42, 0xAB]) + encode_compact(1) + b"v"
    assert root_of({b"\xab": b"v"}, StateVersion.V0) == blake(leaf)
    child = lambda digit: encode_ref(bytes([0x41, digit]) + encode_compact(1) + b"v")
    branch = b"\x80" + (0b110).to_bytes(2, "little") + child(0) + child(5)
    assert root_of({b"\x10": b"v", b"\x25": b"v"}, StateVersion.V0) == blake(branch)


@pytest.mark.parametrize("size", [31, 32, 33, 157, 158, 159, KEY_BYTES_MAX])
@pytest.mark.parametrize("version", StateVersion)
def test_long_paths_overflow_the_header_as_the_format_says(
    size: int, version: StateVersion
) -> None:
    pairs = {b"k" * size: b"v" * 40, b"k" * size + b"": b"w" * 50, b"k" * (size - 1): b"x"}
    assert root_of(pairs, version) == naive_root(pairs, version)
    assert root_of({b"k" * size: b"v"}, version) == naive_root({b"k" * size: b"v"}, version)


def test_the_deepest_possible_trie_neither_overflows_nor_differs() -> None:
    pairs = {b"\x00" * size: b"v" * 33 for size in range(KEY_BYTES_MAX + 1)}
    pairs |= {b"\x00" * size + b"\x01": b"w" for size in range(KEY_BYTES_MAX)}
    trie = LooseTrie(StateVersion.V1)
    trie.apply(pairs)
    assert trie.root.hash == naive_root(pairs, 1)
    assert list(TrieView(trie.nodes, trie.root).keys()) == sorted(pairs)


def test_extrinsics_roots_keep_the_layout_of_version_0() -> None:
    extrinsics = [bytes([i % 256]) * (i % 90) for i in range(300)]
    pairs = {encode_compact(i): extrinsic for i, extrinsic in enumerate(extrinsics)}
    assert ordered_root(extrinsics) == naive_root(pairs, 0)
    for item in (b"", b"x", bytes(31), bytes(32), bytes(33), bytes(90)):
        for version in StateVersion:
            assert ordered_root([item], version) == naive_root({b"\0": item}, version)
    assert ordered_root(extrinsics, StateVersion.V1) == naive_root(pairs, 1)


def test_an_unchanged_value_changes_no_node() -> None:
    trie = LooseTrie(StateVersion.V1)
    trie.apply({b"a": b"1" * 40, b"ab": b"2"})
    delta = trie.apply({b"a": b"1" * 40, b"b": None, b"abc": None})
    assert (delta.nodes, delta.removed) == ([], [])


def test_removing_with_absent_neighbours_leaves_nothing() -> None:
    trie = LooseTrie(StateVersion.V1)
    trie.apply({b"aa": b"1"})
    delta = trie.apply({b"aa": None, b"ab": None})
    assert delta.root.hash == EMPTY_ROOT
    assert len(delta.removed) == 1


def test_keys_above_the_limit_are_refused() -> None:
    with pytest.raises(KeyTooLong, match=r"^state key of 321 bytes, at most 320$"):
        root_of({b"k" * 321: b""}, StateVersion.V1)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("", "node of 0 bytes is cut off at byte 0"),
        ("00", "unknown node header 0x00"),
        ("0f", "unknown node header 0x0f"),
        ("41", "node of 1 bytes is cut off at byte 1"),
        ("411a00", "padding nibble of an odd partial key is not zero"),
        ("4200", "node of 2 bytes is cut off at byte 2"),
        ("4004", "node of 2 bytes is cut off at byte 2"),
        ("400500", "value length 1 is not written in its shortest form"),
        ("4003", "value length above 2^30"),
        ("800000", "branch without children"),
        ("80010001", "child 0 of a branch is malformed"),
        ("800100", "node of 3 bytes is cut off at byte 3"),
        ("80010000", "child 0 of a branch is malformed"),
        ("80010080aa", "child 0 of a branch is malformed"),
        ("7fffffff", "partial key above 640 nibbles"),
    ],
)
def test_malformed_nodes_are_refused_by_name(record: str, message: str) -> None:
    with pytest.raises(NodeFormatError) as caught:
        decode_node(bytes.fromhex(record))
    assert str(caught.value) == message


def test_records_are_checked_against_their_parents() -> None:
    trie = LooseTrie(StateVersion.V1)
    record = trie.apply({b"a": b"v" * 40}).records[0]
    node, end = decode_node(record)
    ref = encode_ref(record[:end])
    assert encode_node(node) == record[:end]
    assert decode_record(record, b"", ref).value == b"v" * 40
    for at in range(len(record)):
        damaged = record[:at] + bytes([record[at] ^ 4]) + record[at + 1 :]
        with pytest.raises(StateCorrupted):
            decode_record(damaged, b"", ref)
    with pytest.raises(StateCorrupted, match=r"has no node at 6162$"):
        NoNodes().load(b"ab", b"")
