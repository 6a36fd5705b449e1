"""What callers and hosts of models sign off the chain: vouchers, grants and answers.

A voucher raises what a caller owes a host for a model, in all and for ever: whoever holds the
highest holds every lower one, so none can be replayed. A grant is what an API key carries. An
answer binds a host to what it said. Each names chain, caller, host and model, so none is of use
elsewhere.
Invariant: a payload is a domain and the record's SCALE form, at most 256 bytes, and is signed as it
is: the chain hashes only longer ones.
Source: WP II.C, III.B.2 (callers pay hosts per call; answers can be challenged).
"""

from __future__ import annotations

from typing import Final

from runtime.primitives.scale import codec_of, scale_type
from runtime.primitives.types import U32, U64, AccountId, Balance, Bytes32, Hash

VOUCHER_DOMAIN: Final = b"flockchain/voucher/v1"
ANSWER_DOMAIN: Final = b"flockchain/answer/v1"
GRANT_DOMAIN: Final = b"flockchain/grant/v1"


@scale_type
class Voucher:
    """`caller` owes `host` `total` planck for `model` since the channel exists; it signs.

    `model` is the content digest of a completed task's consensus model.
    """

    genesis: Hash
    caller: AccountId
    host: AccountId
    model: Bytes32
    total: Balance

    def payload(self) -> bytes:
        """What the caller signs."""
        return VOUCHER_DOMAIN + _VOUCHER.encode(self)


@scale_type
class Answer:
    """`host` answered `caller`'s request with `model` on `documents` from `seed`; it signs.

    `request`, `documents` and `answer` are content digests; `documents` is zero without any.
    """

    genesis: Hash
    host: AccountId
    caller: AccountId
    model: Bytes32
    request: Hash
    documents: Hash
    seed: U64
    answer: Hash

    def payload(self) -> bytes:
        """What the host signs."""
        return ANSWER_DOMAIN + _ANSWER.encode(self)


@scale_type
class Grant:
    """Who shows this may call in `caller`'s name until day `expires_day` has passed; it signs.

    `limit` in planck is all that the host may ask for such calls. Another `nonce`, another key.
    """

    genesis: Hash
    caller: AccountId
    host: AccountId
    model: Bytes32
    limit: Balance
    expires_day: U32
    nonce: U64

    def payload(self) -> bytes:
        """What the caller signs."""
        return GRANT_DOMAIN + _GRANT.encode(self)


_VOUCHER: Final = codec_of(Voucher)
_ANSWER: Final = codec_of(Answer)
_GRANT: Final = codec_of(Grant)
