"""The genesis hash of raw specifications, against a header put together by hand."""

import pytest

from flockchain.chain.spec_hash import CHILD_STORAGE_PREFIX, genesis_hash
from tests.flockchain.storage.naive_trie import blake, naive_root

TOP = {bytes([i, 7]): bytes([i]) * i for i in range(70)}
NO_EXTRINSICS = bytes.fromhex("03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314")


@pytest.mark.parametrize("version", [0, 1])
def test_the_hash_covers_an_empty_block_over_the_state_root(version: int) -> None:
    block_hash, state_root = genesis_hash(TOP, version)
    assert state_root == naive_root(TOP, version)
    assert block_hash == blake(bytes(32) + b"\x00" + state_root + NO_EXTRINSICS + b"\x00")


def test_child_tries_hang_in_the_top_trie_unless_they_are_empty() -> None:
    child = {b"a": b"b" * 40}
    with_root = {**TOP, CHILD_STORAGE_PREFIX + b"id": naive_root(child, 1)}
    assert genesis_hash(TOP, 1, {b"id": child, b"none": {}}) == genesis_hash(with_root, 1)


def test_unknown_state_versions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^2 is not a valid StateVersion$"):
        genesis_hash(TOP, 2)
