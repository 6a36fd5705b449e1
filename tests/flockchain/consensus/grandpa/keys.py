"""Deterministic GRANDPA keys and hand-made votes for tests."""

from functools import lru_cache

from nacl.signing import SigningKey

from flockchain.consensus.grandpa.authorities import AuthorityId, AuthoritySet
from flockchain.consensus.grandpa.ballot import Signer
from flockchain.consensus.grandpa.messages import (
    BlockRef,
    Message,
    Precommit,
    Prevote,
    SignedMessage,
    signing_payload,
)


@lru_cache
def signing_key(name: str) -> SigningKey:
    """The key of a person."""
    return SigningKey(name.encode().ljust(32, b"\0"))


def authority(name: str) -> AuthorityId:
    """The public key of a person."""
    return bytes(signing_key(name).verify_key)


def signer(name: str) -> Signer:
    """What a voter signs with."""
    return Signer(authority(name), lambda payload: signing_key(name).sign(payload).signature)


def authority_set(weights: dict[str, int], set_id: int = 0) -> AuthoritySet:
    """A set of people by name."""
    return AuthoritySet(set_id, [(authority(name), weight) for name, weight in weights.items()])


def sign(name: str, message: Message, round_number: int = 1, set_id: int = 0) -> SignedMessage:
    """A person's vote."""
    payload = signing_payload(message, round_number, set_id)
    return SignedMessage(message, signing_key(name).sign(payload).signature, authority(name))


def prevote(name: str, block: BlockRef, round_number: int = 1, set_id: int = 0) -> SignedMessage:
    """A person's prevote."""
    return sign(name, Prevote(block.hash, block.number), round_number, set_id)


def precommit(name: str, block: BlockRef, round_number: int = 1, set_id: int = 0) -> SignedMessage:
    """A person's precommit."""
    return sign(name, Precommit(block.hash, block.number), round_number, set_id)
