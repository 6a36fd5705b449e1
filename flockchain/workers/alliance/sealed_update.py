"""How an update travels in open mode: encrypted once, its key in a box for each participant.

The file is SCALE of the boxes, in the order of the round's proposers and then voters, and a
ciphertext of ChaCha20-Poly1305 under a key that is used once, so the nonce is zero. Each box is a
libsodium sealed box to the participant's sealing key. Chain, task, round and proposer are bound, so
that nobody's ciphertext serves another; the content id on the chain binds the plaintext.
Invariant: whoever is no participant of the round learns the update's size, and nothing else.

Source: WP VI.C, VI.D (updates are shared with the participants); RFC 8439, libsodium.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from nacl.public import PrivateKey

from flockchain.workers.model_seal import (
    ModelSealError,
    new_model_key,
    open_key,
    seal_key,
)
from runtime.pallets.fl_alliance.terms import PARTICIPANTS_MAX
from runtime.primitives.content_id import content_id
from runtime.primitives.scale import Limit, ScaleError, codec_of, scale_type
from runtime.primitives.types import U32, AccountId, Bytes80, Hash

UPDATE_BYTES_MAX: Final = 1 << 28
_NONCE: Final = bytes(12)
_DOMAIN: Final = b"flock/update"
_NO_BOX: Final = Bytes80(bytes(80))  # for a participant without a sealing key


@scale_type
class SealedUpdate:
    """The file; `boxes` one for each participant."""

    boxes: Annotated[list[Bytes80], Limit(PARTICIPANTS_MAX)]
    ciphertext: Annotated[bytes, Limit(UPDATE_BYTES_MAX)]


@scale_type
class UpdatePlace:
    """Whose update it is, of which round."""

    genesis: Hash
    task: U32
    round: U32
    proposer: AccountId


_FILE: Final = codec_of(SealedUpdate)
_PLACE: Final = codec_of(UpdatePlace)
SEALED_BYTES_MAX: Final = UPDATE_BYTES_MAX + 80 * PARTICIPANTS_MAX + 16


def seal_update(update: bytes, place: UpdatePlace, receivers: Sequence[bytes | None]) -> bytes:
    """The file for these X25519 keys, in the order of participants; None gets no box."""
    key = new_model_key()
    boxes = [_NO_BOX if each is None else _box(key, each) for each in receivers]
    bound = _DOMAIN + _PLACE.encode(place)
    return _FILE.encode(SealedUpdate(boxes, ChaCha20Poly1305(key).encrypt(_NONCE, update, bound)))


def open_update(
    sealed: bytes, place: UpdatePlace, position: int, secret: PrivateKey, content: bytes
) -> bytes:
    """The update of this content id, by the participant of that position. Raises ModelSealError."""
    update = open_sealed(sealed, place, position, secret)
    if content_id(update) != content:
        raise ModelSealError("what the file holds is not the update on chain")
    return update


def open_sealed(sealed: bytes, place: UpdatePlace, position: int, secret: PrivateKey) -> bytes:
    """What the file holds, whatever it is. Raises ModelSealError."""
    try:
        found = _FILE.decode_all(sealed)
    except ScaleError as error:
        raise ModelSealError(f"the file is no sealed update: {error}") from error
    if position >= len(found.boxes):
        raise ModelSealError(f"the file has {len(found.boxes)} boxes, none of number {position}")
    key = open_key(found.boxes[position], secret)
    try:
        bound = _DOMAIN + _PLACE.encode(place)
        return ChaCha20Poly1305(key).decrypt(_NONCE, found.ciphertext, bound)
    except InvalidTag:
        raise ModelSealError("the key does not open the update") from None


def _box(key: bytes, receiver: bytes) -> Bytes80:
    try:
        return seal_key(key, receiver)
    except ModelSealError:
        return _NO_BOX
