"""Keys of accounts, and the keys of models that their owners seal to validators.

Source: WP V.B (blind validation), Table I (free riders).
"""

from __future__ import annotations

from typing import Annotated, Final

from runtime import frame
from runtime.primitives.scale import Limit
from runtime.primitives.types import U32, AccountId, Bytes32, Bytes80

SHARED_KEYS_MAX: Final = 50  # in one call; a committee has no more seats

# A 32-byte key in libsodium's sealed box: an ephemeral key, the ciphertext and its tag.
SealedBox = Bytes80


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
