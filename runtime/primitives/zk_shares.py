"""Secrets of masks, shared among the clients of a round so that the absent do not stop it.

A client draws two scalars: b makes the mask of its own, s the masks that it has with each other
client. It shares both by Shamir's scheme and posts b·G, s·G and each share times G. So the chain
checks by one random word of the dual code that the shares are of a polynomial of low degree, and
later each share that somebody reveals. The shares themselves are sealed to their holders' keys;
who was sent a wrong one shows it, with the point that dealer and holder share.
Invariant: checking gives True, False or None for bytes of any length; nothing is raised.
Source: Bonawitz et al. (2017), secure aggregation; Feldman (1987); Cascudo and David (2017),
SCRAPE; WP VI.H.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import factorial
from typing import Final

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from runtime.primitives.curve import (
    GROUP_ORDER,
    POINT_BYTES,
    SCALAR_BYTES,
    answer,
    base_mul,
    commitment,
    hash_parts,
    hash_to_scalar,
    is_canonical,
    is_scalar,
    point_add,
    point_mul,
)
from runtime.primitives.scale import scale_type
from runtime.primitives.tag_proof import TagProof, prove_tags, verify_tags
from runtime.primitives.types import Bytes32

PIECE_BYTES: Final = 2 * SCALAR_BYTES + sodium.crypto_aead_chacha20poly1305_ietf_ABYTES
_NONCE: Final = bytes(12)  # a key encrypts one piece
_DRAWN: Final = b"zkagg/mask/drawn/v1"
_KNOWN: Final = b"zkagg/mask/deal/v1"
_WORD: Final = b"zkagg/mask/word/v1"
_PIECE: Final = b"zkagg/mask/piece/v1"
_SHARED: Final = b"zkagg/mask/common/v1"


@scale_type(path="flockchain_primitives::Deal")
class Deal:
    """What a client posts of its secrets, for n holders.

    `own`, `pair`: n + 1 points, of b (of s) and of its shares in the order of holders; `pieces`:
    both shares of each holder, encrypted; `ephemeral`: R = r·G, by which they are, with the proof
    that r is known.
    """

    own: bytes
    pair: bytes
    pieces: bytes
    ephemeral: Bytes32
    challenge: Bytes32
    response: Bytes32

    @property
    def own_point(self) -> bytes:
        """b·G."""
        return self.own[:POINT_BYTES]

    @property
    def pair_point(self) -> bytes:
        """s·G: the key for masks with other clients."""
        return self.pair[:POINT_BYTES]


@dataclass(frozen=True, slots=True)
class Shares:
    """What a holder has of a dealer's secrets."""

    own: bytes
    pair: bytes


def threshold_of(holders: int) -> int:
    """How many shares give a secret: more than two thirds."""
    return 2 * holders // 3 + 1


def deal_bytes(holders: int) -> tuple[int, int]:
    """How long the points of a secret are, and the pieces."""
    return (holders + 1) * POINT_BYTES, holders * PIECE_BYTES


# -- the dealer


def mask_secrets(seed: bytes) -> tuple[bytes, bytes]:
    """b and s of a round's random seed of 32 bytes."""
    return _drawn(seed, b"own", 0), _drawn(seed, b"pair", 0)


def deal(seed: bytes, holders: Sequence[bytes], context: bytes) -> Deal:
    """Share the secrets of a seed among the holders of these ed25519 keys.

    `context` names chain, round and dealer. Raises CryptoError if a key is no point of the group.
    """
    count, degree = len(holders), threshold_of(len(holders))
    own, pair = (_polynomial(seed, kind, degree) for kind in (b"own", b"pair"))
    secret = _drawn(seed, b"ephemeral", 0)
    ephemeral, pieces = base_mul(secret), []
    for place, holder in enumerate(holders):
        plain = _value(own, place + 1) + _value(pair, place + 1)
        key = _key(point_mul(secret, holder), ephemeral, place)
        pieces.append(sodium.crypto_aead_chacha20poly1305_ietf_encrypt(plain, None, _NONCE, key))
    points_own, points_pair = (
        b"".join(base_mul(_value(each, at)) for at in range(count + 1)) for each in (own, pair)
    )
    told = (points_own, points_pair, b"".join(pieces), ephemeral)
    nonce = hash_to_scalar(_KNOWN, secret, context, *told)
    challenge = hash_to_scalar(_KNOWN, context, *told, base_mul(nonce))
    return Deal(*told, challenge, answer(nonce, challenge, secret))


def is_deal(posted: Deal, holders: int, context: bytes) -> bool:
    """Whether all shares are of two polynomials of low degree, and r is known. 0.1 ms a point."""
    points, pieces = deal_bytes(holders)
    if (len(posted.own), len(posted.pair), len(posted.pieces)) != (points, points, pieces):
        return False
    if not is_canonical(posted.ephemeral):
        return False
    if not (is_scalar(posted.challenge) and is_scalar(posted.response)):
        return False
    told = (posted.own, posted.pair, posted.pieces, posted.ephemeral)
    try:
        made = commitment(posted.response, posted.challenge, posted.ephemeral)
        if hash_to_scalar(_KNOWN, context, *told, made) != posted.challenge:
            return False
        seed = hash_parts(_WORD, context, *told)
        return all(_is_low(points_, seed) for points_ in (posted.own, posted.pair))
    except CryptoError:
        return False


def _is_low(points: bytes, seed: bytes) -> bool:
    """Whether points at 0, 1 ... n are of a polynomial: a random word of the dual code is 0."""
    last = len(points) // POINT_BYTES - 1
    count = last - threshold_of(last) + 1
    word = [
        int.from_bytes(hash_to_scalar(_WORD, seed, bytes((at,))), "little") for at in range(count)
    ]
    pieces = (points[at : at + POINT_BYTES] for at in range(0, len(points), POINT_BYTES))
    total: bytes | None = None
    for at, point in enumerate(pieces):
        weight = factorial(at) * factorial(last - at) * (-1) ** (last - at)
        factor = _at(word, at) * pow(weight, -1, GROUP_ORDER) % GROUP_ORDER
        if at == last:
            assert total is not None, "a deal has two holders at least"
            return point_mul(_scalar(-factor % GROUP_ORDER), point) == total
        term = point_mul(_scalar(factor), point)
        total = term if total is None else point_add(total, term)
    return False


# -- the holder


def open_piece(posted: Deal, place: int, shared: bytes) -> Shares | None:
    """The shares of the holder at `place`; None if the dealer encrypted something else.

    Wrong ones are given as they are: `is_share` tells.
    """
    piece = posted.pieces[PIECE_BYTES * place : PIECE_BYTES * (place + 1)]
    key = _key(shared, posted.ephemeral, place)
    try:
        plain = sodium.crypto_aead_chacha20poly1305_ietf_decrypt(piece, None, _NONCE, key)
    except (CryptoError, ValueError):
        return None
    return Shares(plain[:SCALAR_BYTES], plain[SCALAR_BYTES:])


def is_share(points: bytes, place: int, share: bytes) -> bool:
    """Whether it is the share of the holder at `place`; `points` are those of the secret."""
    at = POINT_BYTES * (place + 1)
    return is_scalar(share) and base_mul(share) == points[at : at + POINT_BYTES]


def prove_common(
    secret: bytes, posted: Deal, context: bytes, entropy: bytes
) -> tuple[bytes, TagProof]:
    """The point that a holder shares with a dealer, by its key's secret scalar, and the proof."""
    shared = point_mul(secret, posted.ephemeral)
    return shared, prove_tags(secret, [posted.ephemeral], [shared], _SHARED + context, entropy)


def is_common(key: bytes, posted: Deal, context: bytes, shared: bytes, proof: TagProof) -> bool:
    """Whether this is the point that the owner of `key` shares with the dealer."""
    return verify_tags(key, [posted.ephemeral], [shared], _SHARED + context, proof)


def recover(shares: Mapping[int, bytes]) -> bytes:
    """The secret of `threshold_of` shares, or more, by their holders' places."""
    total = 0
    for place, share in shares.items():
        factor = int.from_bytes(share, "little")
        for other in shares:
            if other != place:
                factor = factor * (other + 1) * pow(other - place, -1, GROUP_ORDER) % GROUP_ORDER
        total += factor
    return _scalar(total % GROUP_ORDER)


# -- polynomials


def _polynomial(seed: bytes, kind: bytes, degree: int) -> list[int]:
    drawn = (_drawn(seed, kind, at) for at in range(degree))
    return [int.from_bytes(each, "little") for each in drawn]


def _value(polynomial: Sequence[int], at: int) -> bytes:
    return _scalar(_at(polynomial, at))


def _at(polynomial: Sequence[int], at: int) -> int:
    total = 0
    for coefficient in reversed(polynomial):
        total = (total * at + coefficient) % GROUP_ORDER
    return total


def _drawn(seed: bytes, kind: bytes, at: int) -> bytes:
    return hash_to_scalar(_DRAWN, seed, kind, at.to_bytes(4, "little"))


def _key(shared: bytes, ephemeral: bytes, place: int) -> bytes:
    return hash_parts(_PIECE, shared, ephemeral, place.to_bytes(4, "little"))[:32]


def _scalar(number: int) -> bytes:
    return number.to_bytes(SCALAR_BYTES, "little")
