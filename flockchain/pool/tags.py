"""What an extrinsic in a block provides, read from its bytes alone.

Source: Substrate `sc_transaction_pool` (`prune_known`), `frame_system::CheckNonce`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runtime.frame.extrinsic import decode_extrinsic
from runtime.frame.validity import account_tag
from runtime.primitives.multi import Id
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import AccountId

_ACCOUNT_BYTES: Final = 32
_NONCE_BYTES: Final = 4


def provided_by(data: bytes) -> tuple[bytes, ...]:
    """The tags of an extrinsic that was included without passing through the pool.

    None for bare extrinsics and for bytes that do not decode.
    """
    try:
        preamble = decode_extrinsic(data).preamble
    except DecodeError:
        return ()
    if preamble is None or not isinstance(preamble.address, Id):
        return ()
    return (account_tag(preamble.address.account, preamble.extra.nonce),)


def nonce_of(data: bytes) -> int:
    """The nonce of a signed extrinsic; 0 for the others."""
    try:
        preamble = decode_extrinsic(data).preamble
    except DecodeError:
        return 0
    return 0 if preamble is None else preamble.extra.nonce


def tag_before(provides: Sequence[bytes]) -> bytes | None:
    """What an extrinsic with these tags requires unless the chain provides it: the nonce before."""
    tag = provides[0] if provides else b""
    nonce = int.from_bytes(tag[_ACCOUNT_BYTES:], "little")
    is_account_tag = len(tag) == _ACCOUNT_BYTES + _NONCE_BYTES
    return (
        account_tag(AccountId(tag[:_ACCOUNT_BYTES]), nonce - 1)
        if is_account_tag and nonce
        else None
    )
