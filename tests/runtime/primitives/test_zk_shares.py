"""Shared secrets of masks: any threshold gives them, fewer do not, and wrong ones are found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey

from runtime.primitives import vrf
from runtime.primitives.curve import GROUP_ORDER, base_mul
from runtime.primitives.zk_shares import (
    PIECE_BYTES,
    Deal,
    Shares,
    deal,
    is_common,
    is_deal,
    is_share,
    mask_secrets,
    open_piece,
    prove_common,
    recover,
    threshold_of,
)

CONTEXT = b"round"
SEED = b"\x05" * 32


def seed_of(place: int) -> bytes:
    return bytes((place + 1,)) * 32


def keys(count: int) -> list[bytes]:
    return [bytes(SigningKey(seed_of(place)).verify_key) for place in range(count)]


def common(posted: Deal, place: int) -> bytes:
    secret = vrf.secret_scalar(seed_of(place))
    return prove_common(secret, posted, CONTEXT, b"entropy")[0]


def opened(posted: Deal, place: int) -> Shares:
    found = open_piece(posted, place, common(posted, place))
    assert found is not None
    return found


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


@pytest.mark.parametrize(("holders", "expected"), [(3, 3), (4, 3), (5, 4), (9, 7), (10, 7)])
def test_more_than_two_thirds_are_needed(holders: int, expected: int) -> None:
    assert threshold_of(holders) == expected
    assert 3 * expected > 2 * holders


@settings(max_examples=15, deadline=None)
@given(st.integers(3, 12), st.randoms(use_true_random=False), st.binary(min_size=32, max_size=32))
def test_any_threshold_recovers_both_secrets(holders: int, source, seed: bytes) -> None:  # type: ignore[no-untyped-def]
    posted = deal(seed, keys(holders), CONTEXT)
    assert is_deal(posted, holders, CONTEXT)
    own, pair = mask_secrets(seed)
    assert (base_mul(own), base_mul(pair)) == (posted.own_point, posted.pair_point)
    chosen = source.sample(range(holders), threshold_of(holders))
    shares = {place: opened(posted, place) for place in chosen}
    for place, each in shares.items():
        assert is_share(posted.own, place, each.own)
        assert is_share(posted.pair, place, each.pair)
        assert not is_share(posted.own, place, each.pair)
    assert recover({place: each.own for place, each in shares.items()}) == own
    assert recover({place: each.pair for place, each in shares.items()}) == pair
    fewer = {place: shares[place].own for place in chosen[1:]}
    assert recover(fewer) != own


def test_deals_of_another_context_or_size() -> None:
    posted = deal(SEED, keys(4), CONTEXT)
    assert not is_deal(posted, 4, b"another round")
    assert not is_deal(posted, 3, CONTEXT)
    assert not is_deal(posted, 5, CONTEXT)
    assert not is_deal(replace(posted, pieces=posted.pieces[:-1]), 4, CONTEXT)


def test_every_flipped_byte_of_a_deal_is_found() -> None:
    posted = deal(SEED, keys(3), CONTEXT)
    for name in ("own", "pair", "pieces", "ephemeral", "challenge", "response"):
        data = getattr(posted, name)
        for at in range(0, len(data), 7):
            assert not is_deal(replace(posted, **{name: flip(data, at)}), 3, CONTEXT), (name, at)
    assert not is_deal(replace(posted, response=GROUP_ORDER.to_bytes(32, "little")), 3, CONTEXT)
    assert not is_deal(replace(posted, ephemeral=b"\xff" * 32), 3, CONTEXT)


def resealed(posted: Deal, **changes: bytes) -> Deal:
    """What a dealer that cheats would post: other contents with a right proof of r."""
    from runtime.primitives import zk_shares as shares
    from runtime.primitives.curve import answer, hash_to_scalar

    changed = replace(posted, **changes)
    secret = shares._drawn(SEED, b"ephemeral", 0)
    told = (changed.own, changed.pair, changed.pieces, changed.ephemeral)
    nonce = hash_to_scalar(b"tests", *told)
    challenge = hash_to_scalar(shares._KNOWN, CONTEXT, *told, base_mul(nonce))
    response = answer(nonce, challenge, secret)
    return replace(changed, challenge=challenge, response=response)


@pytest.mark.parametrize("holders", [3, 4, 10])
def test_shares_of_no_polynomial_are_found(holders: int) -> None:
    """Of three holders any three points are of some polynomial; b·G is the fourth."""
    posted = deal(SEED, keys(holders), CONTEXT)
    assert is_deal(resealed(posted), holders, CONTEXT)
    other = base_mul((7).to_bytes(32, "little"))
    for name in ("own", "pair"):
        points = getattr(posted, name)
        for at in range(0, len(points), 32):
            wrong = points[:at] + other + points[at + 32 :]
            assert not is_deal(resealed(posted, **{name: wrong}), holders, CONTEXT)
    identity = b"\x01" + bytes(31)
    assert not is_deal(resealed(posted, own=identity * (holders + 1)), holders, CONTEXT)


def test_a_holder_shows_that_it_was_sent_a_wrong_share() -> None:
    posted = deal(SEED, keys(4), CONTEXT)
    garbage = posted.pieces[:PIECE_BYTES] + bytes(PIECE_BYTES) + posted.pieces[2 * PIECE_BYTES :]
    cheating = resealed(posted, pieces=garbage)
    assert is_deal(cheating, 4, CONTEXT)
    secret = vrf.secret_scalar(seed_of(1))
    shared, proof = prove_common(secret, cheating, CONTEXT, b"entropy")
    key = keys(4)[1]
    assert is_common(key, cheating, CONTEXT, shared, proof)
    assert open_piece(cheating, 1, shared) is None
    assert open_piece(posted, 1, shared) == opened(posted, 1)
    assert open_piece(posted, 0, shared) is None
    assert open_piece(posted, 9, shared) is None
    assert not is_common(keys(4)[2], cheating, CONTEXT, shared, proof)
    assert not is_common(key, cheating, b"another", shared, proof)
    assert not is_common(key, cheating, CONTEXT, base_mul(secret), proof)


def test_shares_that_are_none() -> None:
    posted = deal(SEED, keys(3), CONTEXT)
    share = opened(posted, 0).own
    for wrong in (b"", share[:-1], bytes(32), b"\xff" * 32, flip(share, 3)):
        assert not is_share(posted.own, 0, wrong)
    assert not is_share(posted.own, 1, share)
    assert not is_share(posted.own, 3, share)


def test_a_holder_without_a_key_of_the_group() -> None:
    with pytest.raises(CryptoError):
        deal(SEED, [*keys(2), b"\x01" + bytes(31)], CONTEXT)
