"""What the pool must know of a valid extrinsic.

Source: Substrate `sp_runtime::transaction_validity`.
"""

from __future__ import annotations

import enum

from runtime.primitives.scale import codec_of, scale_enum, scale_type
from runtime.primitives.types import U32, U64, AccountId


@scale_enum("sp_runtime::transaction_validity::TransactionSource")
class TransactionSource(enum.Enum):
    """Where an extrinsic came from."""

    IN_BLOCK = 0
    LOCAL = 1
    EXTERNAL = 2


@scale_type(path="sp_runtime::transaction_validity::ValidTransaction")
class ValidTransaction:
    """`requires` tags come before, `provides` tags after; `longevity` in blocks."""

    priority: U64
    requires: list[bytes]
    provides: list[bytes]
    longevity: U64
    propagate: bool


FOREVER = 2**64 - 1
_NONCE = codec_of(U32)


def account_tag(who: AccountId, nonce: int) -> bytes:
    """The tag that a signed extrinsic provides; the next nonce requires it."""
    return who + _NONCE.encode(nonce)
