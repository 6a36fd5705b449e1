"""What a call carries: a key that names its caller, and perhaps a voucher that pays.

A key is a signed `Grant`, and with a limit also the signature of a voucher for that limit. Owns
both texts. Invariant: what is returned here was signed by its caller; whether it is for this host,
chain and day is asked at the door.
Source: WP II.C, III.B.2; RFC 6750 (bearer tokens).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from flockchain.keys import KeyPair
from runtime.frame.executive import verify_signature
from runtime.primitives.multi import MULTI_SIGNATURE, Ed25519, MultiSignature, Sr25519
from runtime.primitives.scale import DecodeError, codec_of
from runtime.primitives.types import Balance
from runtime.primitives.vouchers import Answer, Grant, Voucher

KEY_PREFIX: Final = "sk-flock-"
VOUCHER_HEADER: Final = "X-Flock-Voucher"
KEY_CHARACTERS_MAX: Final = 1024
_TOTAL: Final = codec_of(Balance)
_GRANT: Final = codec_of(Grant)
Signable = Voucher | Grant | Answer


class CredentialError(ValueError):
    """A key or voucher that is malformed, forged, or meant for somebody else."""


@dataclass(frozen=True, slots=True)
class SignedVoucher:
    """A voucher and the caller's signature."""

    voucher: Voucher
    signature: MultiSignature


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A verified key. `reserve` pays up to the grant's limit, None if that is zero."""

    grant: Grant
    reserve: SignedVoucher | None


def sign(pair: KeyPair, record: Signable) -> MultiSignature:
    """A signature of what goes between callers and hosts."""
    signature = pair.sign(record.payload())
    return Ed25519(signature) if pair.scheme == "ed25519" else Sr25519(signature)


def make_key(pair: KeyPair, grant: Grant) -> str:
    """The text of a key, to be kept secret: who has it may call in the caller's name."""
    raw = _GRANT.encode(grant) + MULTI_SIGNATURE.encode(sign(pair, grant))
    if grant.limit:
        raw += MULTI_SIGNATURE.encode(sign(pair, limit_voucher(grant)))
    return KEY_PREFIX + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def limit_voucher(grant: Grant) -> Voucher:
    """The voucher that a key with a limit carries."""
    return Voucher(grant.genesis, grant.caller, grant.host, grant.model, grant.limit)


def read_key(text: str) -> ApiKey:
    """The key of a text, with its signatures checked. Raises `CredentialError`."""
    if not text.startswith(KEY_PREFIX) or len(text) > KEY_CHARACTERS_MAX:
        raise CredentialError(f"a key begins with {KEY_PREFIX}: `flockchain market key` makes one")
    try:
        body = text[len(KEY_PREFIX) :].encode("ascii")
        raw = base64.b64decode(body + b"=" * (-len(body) % 4), altchars=b"-_", validate=True)
        grant, at = _GRANT.decode(raw)
        signature, at = MULTI_SIGNATURE.decode(raw, at)
        reserve = None
        if grant.limit:
            paid, at = MULTI_SIGNATURE.decode(raw, at)
            reserve = SignedVoucher(limit_voucher(grant), paid)
    except (ValueError, UnicodeEncodeError, binascii.Error, DecodeError) as error:
        raise CredentialError("the key is damaged: copy it whole") from error
    if at != len(raw):
        raise CredentialError("the key is damaged: something follows its end")
    _ensure_signed(grant, signature, "key")
    if reserve is not None:
        _ensure_signed(reserve.voucher, reserve.signature, "key's voucher")
    return ApiKey(grant, reserve)


def write_voucher(signed: SignedVoucher) -> str:
    """The header's text: total and signature; the key says the rest."""
    raw = _TOTAL.encode(signed.voucher.total) + MULTI_SIGNATURE.encode(signed.signature)
    return base64.b64encode(raw).decode()


def read_voucher(text: str, grant: Grant) -> SignedVoucher:
    """The voucher of a header, of the triple that the key names. Raises `CredentialError`."""
    try:
        raw = base64.b64decode(text, validate=True)
        total, at = _TOTAL.decode(raw)
        signature, at = MULTI_SIGNATURE.decode(raw, at)
    except (ValueError, binascii.Error, DecodeError) as error:
        raise CredentialError(f"{VOUCHER_HEADER} is not a total and a signature") from error
    if at != len(raw):
        raise CredentialError(f"{VOUCHER_HEADER} is not a total and a signature")
    voucher = Voucher(grant.genesis, grant.caller, grant.host, grant.model, total)
    _ensure_signed(voucher, signature, "voucher")
    return SignedVoucher(voucher, signature)


def _ensure_signed(record: Voucher | Grant, signature: MultiSignature, what: str) -> None:
    if not verify_signature(signature, record.caller, record.payload()):
        raise CredentialError(f"the {what}'s signature is not its caller's")
