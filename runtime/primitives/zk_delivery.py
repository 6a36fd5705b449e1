"""How an opening travels to the aggregator, so that a wrong one can be shown to the chain.

Owns the encryption of an opening, chunk by chunk, under keys that client and aggregator share, and
the tree over the encrypted chunks whose root the client posts. To accuse a client the aggregator
reveals one chunk and the shared point, with a proof that it is x·R for the secret x of its key and
the client's R; everybody then decrypts that chunk and commits to it anew. A client proves that it
knows r with R = r·G, else it could have the aggregator multiply points of others by its secret.
Invariant: checking and opening give None or False for bytes of any length; nothing is raised.
Source: WP VI.C, VI.H; Schnorr (1989); Chaum and Pedersen (1992); RFC 8439.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from runtime.primitives.curve import (
    answer,
    base_mul,
    commitment,
    hash_parts,
    hash_to_scalar,
    is_canonical,
    is_scalar,
    point_mul,
)
from runtime.primitives.merkle import tree_root
from runtime.primitives.scale import scale_type
from runtime.primitives.tag_proof import TagProof, prove_tags, verify_tags
from runtime.primitives.types import Bytes32, Hash
from runtime.primitives.zk_points import ORDER, SCALAR_BYTES
from runtime.primitives.zk_setup import BLINDERS

NUMBER_BYTES: Final = 2
MASKED_NUMBER_BYTES: Final = 4
_NONCE: Final = bytes(12)  # a key encrypts one chunk
_KNOWN: Final = b"zkagg/delivery/v1"
_CHUNK: Final = b"zkagg/chunk/v1"
_SHARED: Final = b"zkagg/common/v1"


@scale_type(path="flockchain_primitives::Delivery")
class Delivery:
    """What a client posts of what it sends: R, the proof that it knows r, the tree's root."""

    ephemeral: Bytes32
    challenge: Bytes32
    response: Bytes32
    root: Hash


@dataclass(frozen=True, slots=True)
class Chunk:
    """Numbers below 2^16, or 2^32 if they are masked, and blinders of one commitment."""

    numbers: Sequence[int]
    blinders: Sequence[int]


def deliver(
    chunks: Sequence[Chunk],
    receiver: bytes,
    context: bytes,
    secret: bytes,
    number_bytes: int = NUMBER_BYTES,
) -> tuple[Delivery, list[bytes]]:
    """What is posted, and the encrypted chunks, for the ed25519 key `receiver`.

    `secret`: a fresh random scalar. Raises CryptoError if the key is no point of the group.
    """
    ephemeral, shared = base_mul(secret), point_mul(secret, receiver)
    pieces = [
        sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
            _encode(chunk, number_bytes), None, _NONCE, _key(shared, ephemeral, place)
        )
        for place, chunk in enumerate(chunks)
    ]
    root = tree_root(pieces)
    nonce = hash_to_scalar(_KNOWN, secret, context, root)
    challenge = _challenge(context, ephemeral, root, base_mul(nonce))
    response = answer(nonce, challenge, secret)
    return Delivery(ephemeral, challenge, response, root), pieces


def is_delivery(delivery: Delivery, context: bytes) -> bool:
    """Whether who posts it knows r. `context` names chain, round, client and receiver."""
    if not is_canonical(delivery.ephemeral):
        return False
    if not (is_scalar(delivery.challenge) and is_scalar(delivery.response)):
        return False
    try:
        made = commitment(delivery.response, delivery.challenge, delivery.ephemeral)
    except CryptoError:
        return False
    expected = _challenge(context, delivery.ephemeral, delivery.root, made)
    return expected == delivery.challenge


def share(secret: bytes, delivery: Delivery) -> bytes:
    """The point that the aggregator shares with the client, by the secret scalar of its key."""
    return point_mul(secret, delivery.ephemeral)


def prove_shared(
    secret: bytes, delivery: Delivery, context: bytes, entropy: bytes
) -> tuple[bytes, TagProof]:
    """The shared point, and the proof that it is the one."""
    shared = share(secret, delivery)
    bases = [delivery.ephemeral]
    return shared, prove_tags(secret, bases, [shared], _SHARED + context, entropy)


def is_shared(
    key: bytes, delivery: Delivery, context: bytes, shared: bytes, proof: TagProof
) -> bool:
    """Whether this is the point that the owner of `key` shares with the client."""
    return verify_tags(key, [delivery.ephemeral], [shared], _SHARED + context, proof)


def open_piece(
    piece: bytes,
    place: int,
    delivery: Delivery,
    shared: bytes,
    count: int,
    number_bytes: int = NUMBER_BYTES,
) -> Chunk | None:
    """The chunk of `count` numbers in a piece; None if the client has encrypted something else."""
    key = _key(shared, delivery.ephemeral, place)
    try:
        plain = sodium.crypto_aead_chacha20poly1305_ietf_decrypt(piece, None, _NONCE, key)
    except (CryptoError, ValueError):
        return None
    split = number_bytes * count
    if len(plain) != split + BLINDERS * SCALAR_BYTES:
        return None
    numbers = [
        int.from_bytes(plain[at : at + number_bytes], "little")
        for at in range(0, split, number_bytes)
    ]
    blinders = [
        int.from_bytes(plain[at : at + SCALAR_BYTES], "big")
        for at in range(split, len(plain), SCALAR_BYTES)
    ]
    return Chunk(numbers, blinders) if max(blinders) < ORDER else None


def _encode(chunk: Chunk, number_bytes: int) -> bytes:
    numbers = b"".join(number.to_bytes(number_bytes, "little") for number in chunk.numbers)
    return numbers + b"".join(each.to_bytes(SCALAR_BYTES, "big") for each in chunk.blinders)


def _key(shared: bytes, ephemeral: bytes, place: int) -> bytes:
    return hash_parts(_CHUNK, shared, ephemeral, place.to_bytes(4, "little"))[:32]


def _challenge(context: bytes, ephemeral: bytes, root: bytes, made: bytes) -> bytes:
    return hash_to_scalar(_KNOWN, context, ephemeral, root, made)
