"""BIP-39 phrases in English, and Substrate's way from a phrase to a seed.

Owns the checks of words, their number and the checksum. Substrate stretches the entropy behind the
words and not the words themselves, so its seeds differ from those of other BIP-39 wallets.
Invariant: no word of a phrase appears in a message.
Source: BIP-39; substrate-bip39.
"""

from __future__ import annotations

import hashlib
import secrets
from functools import lru_cache
from typing import Final

from mnemonic import Mnemonic

SEED_BYTES: Final = 32
WORD_COUNTS: Final = (12, 15, 18, 21, 24)

_PBKDF2_ROUNDS: Final = 2048


class PhraseError(ValueError):
    """The words are no BIP-39 phrase."""


def generate_phrase(words: int = 12) -> str:
    """A new phrase from the system's randomness. Raises: PhraseError for another word count."""
    if words not in WORD_COUNTS:
        raise PhraseError(f"a phrase has {_counts()} words, not {words}")
    return phrase_of_entropy(secrets.token_bytes(words // 3 * 4))


def phrase_of_entropy(entropy: bytes) -> str:
    """The phrase of 16, 20, 24, 28 or 32 bytes. Raises: PhraseError for another length."""
    if len(entropy) * 3 // 4 not in WORD_COUNTS or len(entropy) % 4:
        raise PhraseError(f"no phrase holds {len(entropy)} bytes")
    return str(_english().to_mnemonic(entropy))


def entropy_of_phrase(phrase: str) -> bytes:
    """The bytes behind a phrase. Raises: PhraseError saying what is wrong, without the words."""
    words = phrase.split()
    if len(words) not in WORD_COUNTS:
        raise PhraseError(f"a phrase has {_counts()} words, not {len(words)}")
    if any(word not in _english().wordlist for word in words):
        raise PhraseError("a word of the phrase is not in the English BIP-39 list")
    try:
        return bytes(_english().to_entropy(words))
    except ValueError:
        raise PhraseError("the checksum of the phrase is wrong") from None


def seed_of_phrase(phrase: str, password: str = "") -> bytes:
    """The 32-byte seed of a phrase and its password. Raises: PhraseError. About 1 ms."""
    salt = b"mnemonic" + password.encode()
    stretched = hashlib.pbkdf2_hmac("sha512", entropy_of_phrase(phrase), salt, _PBKDF2_ROUNDS)
    return stretched[:SEED_BYTES]


@lru_cache(maxsize=1)
def _english() -> Mnemonic:
    return Mnemonic("english")


def _counts() -> str:
    return ", ".join(map(str, WORD_COUNTS))
