"""Sealed models: how a model travels, and how its key is handed to one validator.

ChaCha20-Poly1305 under a random key that is used once, so the nonce is zero. The content id of the
plaintext is on the chain and binds the key: who opens something else was lied to. A key is handed
over in a libsodium sealed box to the receiver's X25519 key, which follows from its account's secret
and the chain, so a restarted worker needs no file for it.

Source: WP V.B (blind validation), Table I (free riders); RFC 8439, libsodium `crypto_box_seal`.
"""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from flockchain.keys import KeyPair
from runtime.primitives.content_id import content_id
from runtime.primitives.types import Bytes80, Hash

KEY_BYTES: Final = 32
TAG_BYTES: Final = 16  # that a ciphertext is longer than its model
_NONCE: Final = bytes(12)
_DOMAIN: Final = b"flock/model"
_SEALING: Final = b"flock/sealing"


class ModelSealError(ValueError):
    """Key, ciphertext or box do not fit one another or the chain; the message says which."""


def new_model_key() -> bytes:
    """A key for one model."""
    return secrets.token_bytes(KEY_BYTES)


def seal_model(model: bytes, key: bytes) -> bytes:
    """The ciphertext. `key`: of `new_model_key`, for this model only."""
    return ChaCha20Poly1305(key).encrypt(_NONCE, model, _DOMAIN)


def open_model(ciphertext: bytes, key: bytes, content: bytes) -> bytes:
    """The model of this content id. Raises ModelSealError."""
    try:
        model = ChaCha20Poly1305(key).decrypt(_NONCE, ciphertext, _DOMAIN)
    except InvalidTag:
        raise ModelSealError("the key does not open the ciphertext") from None
    if content_id(model) != content:
        raise ModelSealError("what the ciphertext holds is not the model on chain")
    return model


def sealing_key(key: KeyPair, genesis: Hash) -> PrivateKey:
    """The X25519 key that models' keys are sealed to, for this account on this chain."""
    return PrivateKey(key.derive(_SEALING + genesis))


def seal_key(model_key: bytes, receiver: bytes) -> Bytes80:
    """A model's key for the owner of an X25519 public key. Raises ModelSealError."""
    try:
        return Bytes80(SealedBox(PublicKey(receiver)).encrypt(model_key))
    except CryptoError:
        raise ModelSealError("nothing can be sealed to this key") from None


def open_key(box: bytes, secret: PrivateKey) -> bytes:
    """The model's key in a box. Raises ModelSealError."""
    try:
        key = SealedBox(secret).decrypt(box)
    except CryptoError:
        raise ModelSealError("the box does not open: it is sealed to another key") from None
    if len(key) != KEY_BYTES:
        raise ModelSealError(f"the box holds {len(key)} bytes, a key has {KEY_BYTES}")
    return key
