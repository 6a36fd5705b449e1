"""The message by which a participant names a blob before the block that commits to it.

Owns the fields, their canonical envelope and what is signed: blake2b-256 over a domain, the
genesis hash and the fields. Invariant: one message has one encoding but for its signature, and no
signature is good on another chain or for another purpose.
Source: WP V.C, V.D (submissions); MessagePack; Substrate `MultiSignature`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from flockchain.keys import KeyPair
from p2p.envelope import Fields, Limits, Value, decode, encode
from p2p.interface import TOPIC_SIZES_MAX, PeerError, PeerId
from runtime.primitives.content_id import BLOB_BYTES_MAX, ContentId
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import MULTI_SIGNATURE, Ed25519, MultiSignature, Sr25519
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import AccountId, Hash

TOPIC: Final = "model-hashes"
Kind = Literal["submission", "update", "aggregate", "score"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
SIGNATURE_BYTES_MAX: Final = 66  # one byte of scheme, then 64 or, for ecdsa, 65
PEER_ID_CHARS_MAX: Final = 128

_DOMAIN: Final = b"flock/model-hash/1"
_LIMITS: Final = Limits(size_max=TOPIC_SIZES_MAX[TOPIC], depth_max=1, length_max=9, items_max=19)
_PEER_ID: Final = re.compile(rf"[0-9A-Za-z]{{1,{PEER_ID_CHARS_MAX}}}", re.ASCII)


class ModelHashError(ValueError):
    """A model hash that is malformed, not signed by its account, or not announced now."""


@dataclass(frozen=True, slots=True)
class ModelHash:
    """Which blob belongs to which commitment, and who has it.

    `period` is the day of an Arena task or the round of an FL Alliance task; `size` is the blob's
    in bytes, 0 if and only if `content` is None. Raises `ModelHashError` outside its ranges.
    """

    task: int
    period: int
    kind: Kind
    commitment: bytes  # 32 bytes, as it will stand on chain
    content: ContentId | None
    provider: PeerId
    size: int
    account: AccountId

    def __post_init__(self) -> None:
        if not 0 <= self.task < 2**32 or not 0 <= self.period < 2**32:
            raise ModelHashError(f"task {self.task} or period {self.period} is not a u32")
        if self.kind not in KINDS:
            raise ModelHashError(f"kind {self.kind!r} is none of {', '.join(KINDS)}")
        for name, value in (("commitment", self.commitment), ("account", self.account)):
            if len(value) != 32:
                raise ModelHashError(f"{name} has {len(value)} bytes, not 32")
        if self.content is not None and len(self.content) != 32:
            raise ModelHashError(f"content id has {len(self.content)} bytes, not 32")
        if not _PEER_ID.fullmatch(self.provider):
            raise ModelHashError("the provider is not a peer id")
        if not 0 <= self.size <= BLOB_BYTES_MAX or (self.size == 0) != (self.content is None):
            raise ModelHashError(f"{self.size} bytes do not fit the content id")

    def fields(self) -> dict[str, Value]:
        """What the envelope says, but for the signature."""
        return {
            "account": self.account,
            "commitment": self.commitment,
            "content": self.content,
            "kind": self.kind,
            "period": self.period,
            "provider": self.provider,
            "size": self.size,
            "task": self.task,
        }

    def signing_hash(self, genesis: Hash) -> Hash:
        """The 32 bytes that the account signs."""
        return blake2b_256(_DOMAIN + genesis + encode(self.fields()))


def encode_model_hash(message: ModelHash, signature: MultiSignature) -> bytes:
    """The envelope."""
    return encode({**message.fields(), "signature": MULTI_SIGNATURE.encode(signature)})


def decode_model_hash(data: bytes) -> tuple[ModelHash, MultiSignature]:
    """A message and its signature, not yet verified. Raises `ModelHashError`."""
    try:
        fields = Fields(decode(data, _LIMITS, canonical=True))
        raw = fields.take_bytes("signature", SIGNATURE_BYTES_MAX)
        message = _take_message(fields)
        fields.ensure_empty()
        return message, MULTI_SIGNATURE.decode_all(raw)
    except (PeerError, DecodeError) as error:
        raise ModelHashError(f"model hash does not decode: {error}") from error


def sign_model_hash(message: ModelHash, genesis: Hash, key: KeyPair) -> bytes:
    """The signed envelope, ready to announce. Raises `ModelHashError` for another's key."""
    if key.account != message.account:
        raise ModelHashError("the key is not that of the message's account")
    signature = key.sign(message.signing_hash(genesis))
    scheme = Ed25519 if key.scheme == "ed25519" else Sr25519
    return encode_model_hash(message, scheme(signature))


def _take_message(fields: Fields) -> ModelHash:
    content = None
    if not fields.take_null("content"):
        content = ContentId(fields.take_bytes("content", 32, 32))
    return ModelHash(
        task=fields.take_int("task"),
        period=fields.take_int("period"),
        kind=cast(Kind, fields.take_text("kind", 16)),
        commitment=fields.take_bytes("commitment", 32, 32),
        content=content,
        provider=PeerId(fields.take_text("provider", PEER_ID_CHARS_MAX)),
        size=fields.take_int("size"),
        account=AccountId(fields.take_bytes("account", 32, 32)),
    )
