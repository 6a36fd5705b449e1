"""Keys of accounts, the rolls that rings are cut from, and keys of models sealed to validators.

Source: WP V.B (blind validation), Table I (free riders).
"""

from __future__ import annotations

from typing import Annotated, Final

from runtime import frame
from runtime.primitives.scale import Limit
from runtime.primitives.types import U8, U32, AccountId, Bytes32, Bytes80

SHARED_KEYS_MAX: Final = 50  # in one call; a committee has no more seats
RING_KEYS_MAX: Final = 5  # those of three days, tomorrow's, and what comes the day after

# A 32-byte key in libsodium's sealed box: an ephemeral key, the ciphertext and its tag.
SealedBox = Bytes80


@frame.scale_type
class RingKey:
    """A key that rings are made of, and the first day that it acts on."""

    from_day: U32
    key: Bytes32


RingKeys = Annotated[list[RingKey], Limit(RING_KEYS_MAX)]  # of one account, ascending


@frame.scale_type
class RollMember:
    """A node of a task's day that may use aliases: so many, each with an index of its own."""

    key: Bytes32
    quota: U8


@frame.scale_type
class RingPlace:
    """A ring in which an account may sign for its alias number `index`; `size` keys are in it."""

    index: U32
    ring: U32
    size: U32


@frame.scale_type
class SealingKey:
    """An account's X25519 key. `since`: the block that set its first one."""

    key: Bytes32
    since: U32


@frame.scale_type
class SealedKey:
    """A model's key for one validator: a sealed box that its sealing key opens."""

    validator: AccountId
    box: SealedBox


SealedKeys = Annotated[list[SealedKey], Limit(SHARED_KEYS_MAX)]
