"""What rings, tags and one-time keys are made of and sign: every byte string names the chain.

A message names all that it is about, so that nobody can use it for another task, day or purpose.
Source: WP V.B (blind validation), Table I; the aliases are this project's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runtime.pallets.arena.key_records import SealedKey, SealedKeys
from runtime.primitives.curve import hash_to_point
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.scale import codec_of
from runtime.primitives.types import U32, AccountId, Bytes32, Hash

_KEY: Final = codec_of(tuple[Hash, AccountId])
_BASE: Final = codec_of(tuple[Hash, U32, U32, U32])
_ORDER: Final = codec_of(tuple[Hash, U32, U32, Hash])
_ALIAS: Final = codec_of(tuple[Hash, U32, U32, U32, Bytes32, Hash])
_SHARED: Final = codec_of(tuple[Hash, U32, U32, U32, SealedKeys])
_OPENING: Final = codec_of(tuple[Hash, U32, U32, AccountId])


def ring_key_context(genesis: Hash, who: AccountId) -> bytes:
    """What the proof of a ring key is bound to: the chain and the account."""
    return b"flock/ring key" + _KEY.encode((genesis, who))


def ring_randomness(genesis: Hash, task: int, day: int, beacon: Hash) -> Hash:
    """blake2b-256 of "ring", genesis, task, day (u32 LE each) and the beacon.

    `beacon`: blake2b-256 of the VRF outputs of the last reveal window, in order.
    """
    return blake2b_256(b"ring" + _ORDER.encode((genesis, task, day, beacon)))


def roll_order(randomness: Hash, who: AccountId) -> Hash:
    """The roll of a task's day is in the order of these hashes."""
    return blake2b_256(b"ring" + randomness + who)


def alias_base(genesis: Hash, task: int, day: int, index: int) -> bytes:
    """The point that tags of a node's alias number `index` of a task's day are made for."""
    return hash_to_point(b"flock/alias" + _BASE.encode((genesis, task, day, index)))


def alias_message(
    genesis: Hash, task: int, day: int, index: int, alias: bytes, seal: Hash
) -> bytes:
    """What a ring signs: that one of it makes the submission of this seal under this alias."""
    return b"flock/alias commit" + _ALIAS.encode((genesis, task, day, index, alias, seal))


def shared_keys_message(
    genesis: Hash, task: int, day: int, submission: int, keys: Sequence[SealedKey]
) -> bytes:
    """What an alias signs when it hands out its model's key."""
    return b"flock/alias keys" + _SHARED.encode((genesis, task, day, submission, list(keys)))


def opening_context(genesis: Hash, task: int, day: int, who: AccountId) -> bytes:
    """What the proof of an owner's tags is bound to."""
    return b"flock/alias opening" + _OPENING.encode((genesis, task, day, who))
