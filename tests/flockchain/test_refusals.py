"""What refused extrinsics cost a peer: signatures of rings a hundred times those of accounts."""

from __future__ import annotations

import pytest

from flockchain.pool.errors import (
    AlreadyImported,
    Banned,
    PoolError,
    PoolFull,
    Refused,
    TooLowPriority,
)
from flockchain.refusals import CHECK_INTERVAL_MS, CHECKS_BURST, RING_CHECKS, Refusals
from p2p.interface import PeerId
from runtime.frame.errors import InvalidKind, InvalidTransaction
from runtime.frame.extrinsic import assemble
from runtime.frame.pallet import encode_call
from runtime.pallets.system import System
from tests.runtime.block_chain import ALICE, Chain, remark

PEER, OTHER = PeerId("peer"), PeerId("other")
BARE = assemble(encode_call(System.remark, b""), None)
BAD_PROOF = Refused(InvalidTransaction(InvalidKind.BAD_PROOF))
STALE = Refused(InvalidTransaction(InvalidKind.STALE))


def until_spent(error: PoolError, data: bytes) -> int | None:
    """After how many refusals nothing more of the peer is looked at; None if that never comes."""
    refusals = Refusals()
    for count in range(1, 2 * CHECKS_BURST):
        refusals.charge(PEER, 0, error, data)
        if refusals.is_spent(PEER, 0):
            assert not refusals.is_spent(OTHER, 0)
            return count
    return None


@pytest.mark.parametrize(
    ("error", "of_account", "of_ring"),
    [
        (BAD_PROOF, CHECKS_BURST, CHECKS_BURST // RING_CHECKS + 1),
        (TooLowPriority(), CHECKS_BURST, CHECKS_BURST // RING_CHECKS + 1),
        (STALE, CHECKS_BURST, CHECKS_BURST),
        (PoolFull(), None, None),
        (Banned(), None, None),
        (AlreadyImported(), None, None),
    ],
)
def test_the_price_is_what_was_checked(
    error: PoolError, of_account: int | None, of_ring: int | None
) -> None:
    assert until_spent(error, Chain().sign(ALICE, remark())) == of_account
    assert until_spent(error, BARE) == of_ring


def test_a_peer_is_heard_again_at_the_rate_of_its_price() -> None:
    refusals = Refusals()
    for _ in range(CHECKS_BURST // RING_CHECKS + 1):
        refusals.charge(PEER, 0, BAD_PROOF, BARE)
    debt = (CHECKS_BURST // RING_CHECKS + 1) * RING_CHECKS - CHECKS_BURST + 1
    assert refusals.is_spent(PEER, debt * CHECK_INTERVAL_MS - 1)
    assert not refusals.is_spent(PEER, debt * CHECK_INTERVAL_MS)
