"""Validation set B: encrypted until the last day, fixed by three hashes at the task's creation.

ChaCha20-Poly1305 under a key that is used once, so the nonce is zero; 32 random bytes are the key,
whose blake2b-256 is on chain: the AEAD alone would allow two plaintexts of one ciphertext.

Source: WP V.H (Dataset B); RFC 8439.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from runtime.economy.tasks import SealedDataset
from runtime.primitives.content_id import content_id
from runtime.primitives.hashing import blake2b_256

KEY_BYTES: Final = 32
_NONCE: Final = bytes(12)
_DOMAIN: Final = b"flock/dataset-b"


class SealedDatasetError(ValueError):
    """Key, ciphertext and plaintext are not those that the task names."""


def seal_dataset(plaintext: bytes, key: bytes) -> tuple[bytes, SealedDataset]:
    """The ciphertext, and what goes on chain. `key`: 32 bytes, random, for this data set only."""
    ciphertext = ChaCha20Poly1305(key).encrypt(_NONCE, plaintext, _DOMAIN)
    terms = SealedDataset(content_id(plaintext), content_id(ciphertext), blake2b_256(key))
    return ciphertext, terms


def open_dataset(ciphertext: bytes, key: bytes, terms: SealedDataset) -> bytes:
    """The plaintext, checked against the chain's hashes. Raises SealedDatasetError."""
    if len(key) != KEY_BYTES or blake2b_256(key) != terms.key_hash:
        raise SealedDatasetError("the key is not the one whose hash is on chain")
    try:
        plaintext = ChaCha20Poly1305(key).decrypt(_NONCE, ciphertext, _DOMAIN)
    except InvalidTag:
        raise SealedDatasetError("the key does not open the ciphertext") from None
    if content_id(plaintext) != terms.plaintext:
        raise SealedDatasetError("what the ciphertext holds is not the data set on chain")
    return plaintext
