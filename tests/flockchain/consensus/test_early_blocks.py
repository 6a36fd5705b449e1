"""Honest peers send early blocks for ever, also when our own clock is the wrong one."""

from __future__ import annotations

from flockchain.consensus.early_blocks import BURST, FLOOD_CHANGE, INTERVAL_MS, EarlyBlocks
from p2p.interface import REPUTATION_BANNED, PeerId

PEER, OTHER = PeerId("peer"), PeerId("other")


def test_two_blocks_a_slot_are_no_flood() -> None:
    early = EarlyBlocks()
    assert not any(early.is_flood(PEER, number * INTERVAL_MS) for number in range(10_000))


def test_a_burst_is_none_and_what_comes_on_top_is() -> None:
    early = EarlyBlocks()
    assert not any(early.is_flood(PEER, 0) for _ in range(BURST))
    assert early.is_flood(PEER, 0)
    assert not early.is_flood(OTHER, 0)
    assert not early.is_flood(PEER, INTERVAL_MS)


def test_a_flood_is_banned_after_five_more() -> None:
    assert 5 * FLOOD_CHANGE <= REPUTATION_BANNED < 4 * FLOOD_CHANGE
