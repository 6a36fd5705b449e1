"""The block tree as finality sees it, above and below the finalized block."""

from __future__ import annotations

import pytest

from flockchain.consensus.grandpa.chain import NotDescendant, UnknownBlock
from flockchain.consensus.grandpa.chain_view import BackendChain
from flockchain.consensus.grandpa.messages import BlockRef
from runtime.primitives.types import Hash
from tests.flockchain.chain.chain_fixture import FIRST, Place

UNKNOWN = Hash(b"?" * 32)


def make() -> tuple[BackendChain, Place, list[Hash], Hash]:
    """Six blocks on the genesis, the second final, and a fork off the third."""
    place = Place()
    blocks = place.grow(6)
    fork = place.extend(blocks[2], FIRST + 9).hash
    place.backend.finalize(blocks[1])
    return BackendChain(place.backend), place, [place.backend.genesis, *blocks], fork


def test_numbers() -> None:
    chain, _, blocks, _ = make()
    assert [chain.number(block) for block in blocks] == list(range(7))
    assert chain.number(UNKNOWN) is None
    with pytest.raises(UnknownBlock):
        chain.header(UNKNOWN)


def test_descent_is_that_of_the_whole_chain() -> None:
    chain, _, blocks, fork = make()
    for low, base in enumerate(blocks):
        for high, block in enumerate(blocks):
            assert chain.is_equal_or_descendant(base, block) == (low <= high)
        assert chain.is_equal_or_descendant(base, fork) == (low <= 3)
        assert not chain.is_equal_or_descendant(fork, base)
        assert not chain.is_equal_or_descendant(UNKNOWN, base)
        assert not chain.is_equal_or_descendant(base, UNKNOWN)
    assert chain.is_equal_or_descendant(fork, fork)
    assert not chain.is_equal_or_descendant(UNKNOWN, UNKNOWN)


def test_ancestry() -> None:
    chain, _, blocks, fork = make()
    assert chain.ancestry(blocks[1], blocks[5]) == [blocks[4], blocks[3], blocks[2]]
    assert chain.ancestry(blocks[4], blocks[5]) == chain.ancestry(fork, fork) == []
    for base, block in ((fork, blocks[6]), (blocks[5], blocks[4]), (blocks[4], fork)):
        with pytest.raises(NotDescendant):
            chain.ancestry(base, block)
    with pytest.raises(UnknownBlock):
        chain.ancestry(UNKNOWN, fork)


def test_the_best_chain_through_a_block() -> None:
    chain, place, blocks, fork = make()
    best = place.backend.best
    for base in (blocks[0], blocks[1], blocks[2], blocks[3]):
        assert chain.best_containing(base) == BlockRef(best.hash, best.number)
    assert chain.best_containing(fork) == BlockRef(fork, 4)
    assert chain.best_containing(UNKNOWN) is None
