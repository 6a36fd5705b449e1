"""Peers whose finality stays above ours are followed, after a while and not before."""

from __future__ import annotations

from flockchain.sync.behind_finality import PATIENCE_MS, BehindFinality
from flockchain.sync.block_sync import BlockSync
from p2p.interface import PeerId
from runtime.primitives.types import Hash

HEIGHTS = [(PeerId("ahead"), 12), (PeerId("level"), 10), (PeerId("far ahead"), 90)]


def heights() -> list[tuple[PeerId, int]]:
    return HEIGHTS


class Told(BlockSync):
    """Keeps what it is told and asks nobody."""

    def __init__(self) -> None:
        self.heights: list[tuple[PeerId, int]] = []

    def on_peer(self, peer: PeerId, best_number: int, best_hash: Hash) -> None:
        self.heights.append((peer, best_number))


def test_who_stays_below_follows_those_above_again_and_again() -> None:
    told = Told()
    behind = BehindFinality(told)
    above = [HEIGHTS[0], HEIGHTS[2]]
    behind.look(0, 10, heights)
    behind.look(PATIENCE_MS - 1, 10, heights)
    assert told.heights == []
    behind.look(PATIENCE_MS, 10, heights)
    assert told.heights == above
    behind.look(2 * PATIENCE_MS - 1, 10, heights)
    assert told.heights == above
    behind.look(2 * PATIENCE_MS, 10, heights)
    assert told.heights == 2 * above


def test_nobody_is_asked_while_our_finality_rises() -> None:
    told = Told()
    behind = BehindFinality(told)
    for final in range(10):
        behind.look(final * (PATIENCE_MS - 1), final, heights)
    assert told.heights == []
