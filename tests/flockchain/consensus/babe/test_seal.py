"""Seals: over the header without its seal, once, at the end."""

from dataclasses import replace

import pytest
from nacl.signing import SigningKey

from flockchain.consensus.babe.seal import BadSeal, check_seal, seal_header, seal_payload
from runtime.primitives.header import Digest, Header, Other, Seal
from runtime.primitives.types import ZERO_HASH

KEY = SigningKey(b"k" * 32)
PUBLIC = bytes(KEY.verify_key)
HEADER = Header(ZERO_HASH, 7, ZERO_HASH, ZERO_HASH, Digest([Other(b"x")]))


def sign(payload: bytes) -> bytes:
    return KEY.sign(payload).signature


def test_a_sealed_header_is_checked_against_its_author():
    sealed = seal_header(HEADER, sign)
    check_seal(sealed, PUBLIC)
    assert seal_payload(sealed) == HEADER.hash()
    assert sealed.without_seal() == HEADER
    with pytest.raises(BadSeal, match="seal of header 7 is not of"):
        check_seal(sealed, b"\1" * 32)


def test_missing_double_foreign_and_moved_seals_are_refused():
    sealed = seal_header(HEADER, sign)
    seal = sealed.digest.logs[-1]
    with pytest.raises(BadSeal, match=r"^header 7 ends without a seal$"):
        check_seal(HEADER, PUBLIC)
    with pytest.raises(BadSeal, match=r"^header 7 ends without a seal$"):
        check_seal(replace(HEADER, digest=Digest([seal, Other(b"x")])), PUBLIC)
    with pytest.raises(BadSeal, match=r"^header 7 has 2 seals$"):
        check_seal(sealed.with_log(seal), PUBLIC)
    with pytest.raises(BadSeal, match=r"^header 7 ends without a seal$"):
        check_seal(HEADER.with_log(Seal(b"BABE", sign(seal_payload(HEADER)))), PUBLIC)
    with pytest.raises(BadSeal, match="is not of"):
        check_seal(replace(sealed, number=8), PUBLIC)
