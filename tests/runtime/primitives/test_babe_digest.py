"""What slot authoring writes into headers, and what it makes of false ones."""

from __future__ import annotations

import pytest

from runtime.primitives.babe_digest import (
    ENGINE,
    INSTANT_ENGINE,
    NEXT_EPOCH,
    Authority,
    NextEpoch,
    SlotClaim,
    SlotKind,
    claim_log,
    find_claim,
    find_next_epoch,
    find_seal,
    instant_log,
)
from runtime.primitives.header import Consensus, Digest, DigestItem, Header, PreRuntime, Seal
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import ZERO_HASH

CLAIM = SlotClaim(SlotKind.PRIMARY, 3, 77, b"o" * 64, b"p" * 80)
NEXT = NextEpoch([Authority(b"k" * 32, 5)], ZERO_HASH)


def header(*logs: DigestItem) -> Header:
    return Header(ZERO_HASH, 9, ZERO_HASH, ZERO_HASH, Digest(list(logs)))


def test_what_is_put_in_is_found() -> None:
    announced = Consensus(ENGINE, NEXT_EPOCH.encode(NEXT))
    found = header(claim_log(CLAIM), announced, Seal(ENGINE, b"s" * 64))
    assert find_claim(found) == CLAIM
    assert find_next_epoch(found) == NEXT
    assert find_seal(found) == b"s" * 64


def test_other_engines_are_passed_over() -> None:
    found = header(instant_log(2), Consensus(b"FRNK", b""), Seal(b"BABE", b""))
    assert (find_claim(found), find_next_epoch(found), find_seal(found)) == (None, None, None)
    assert instant_log(2) == PreRuntime(INSTANT_ENGINE, b"\2\0\0\0")


def test_a_seal_in_front_of_other_items_is_none() -> None:
    assert find_seal(header(Seal(ENGINE, b""), claim_log(CLAIM))) is None
    assert find_seal(header()) is None


def test_false_claims_are_refused() -> None:
    with pytest.raises(DecodeError, match=r"^2 slot claims in block 9$"):
        find_claim(header(claim_log(CLAIM), claim_log(CLAIM)))
    with pytest.raises(DecodeError, match=r"SlotKind has no variant 0$"):
        find_claim(header(PreRuntime(ENGINE, bytes(157))))
    with pytest.raises(DecodeError, match=r"^1 bytes left over$"):
        find_claim(header(PreRuntime(ENGINE, claim_log(CLAIM).data + b"\0")))
    with pytest.raises(DecodeError):
        find_next_epoch(header(Consensus(ENGINE, b"\xff")))
