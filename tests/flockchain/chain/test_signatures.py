"""The signature cache: good verdicts are kept, bad ones and the oldest are not."""

from __future__ import annotations

from flockchain.chain.signatures import SignatureCache
from runtime.primitives.multi import Ed25519, MultiSignature, Sr25519
from runtime.primitives.types import AccountId

WHO, OTHER = AccountId(b"\1" * 32), AccountId(b"\2" * 32)


class Counting:
    """Accepts signatures of ones, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, signature: MultiSignature, who: AccountId, message: bytes) -> bool:
        self.asked += 1
        return signature in (Ed25519(b"\1" * 64), Sr25519(b"\1" * 64))


def test_a_good_signature_is_checked_once() -> None:
    verify = Counting()
    cache = SignatureCache(verify)
    good = Ed25519(b"\1" * 64)
    assert cache(good, WHO, b"m")
    assert cache(good, WHO, b"m")
    assert verify.asked == 1
    others = [(good, OTHER, b"m"), (good, WHO, b"n"), (Sr25519(b"\1" * 64), WHO, b"m")]
    assert all(cache(*other) for other in others)
    assert verify.asked == 4


def test_a_bad_signature_is_checked_every_time() -> None:
    verify = Counting()
    cache = SignatureCache(verify)
    assert not any(cache(Ed25519(bytes(64)), WHO, b"m") for _ in range(3))
    assert verify.asked == 3


def test_the_cache_is_bounded() -> None:
    verify = Counting()
    cache = SignatureCache(verify, count_max=2)
    for message in (b"1", b"2", b"3", b"3", b"2", b"1"):
        assert cache(Ed25519(b"\1" * 64), WHO, message)
    assert verify.asked == 4
