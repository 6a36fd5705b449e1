"""What an extrinsic in a block provides, read from its bytes alone.

Source: Substrate `sc_transaction_pool` (`prune_known`), `frame_system::CheckNonce`.
"""

from __future__ import annotations

from runtime.frame.extrinsic import decode_extrinsic
from runtime.frame.validity import account_tag
from runtime.primitives.multi import Id
from runtime.primitives.scale import DecodeError


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
