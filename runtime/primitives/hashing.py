"""The hash functions of the chain, as Substrate names them.

Owns the only calls of hash primitives made by consensus code. Invariant: each function is total
over bytes and returns exactly the width its name states. The twox family is little endian and not
collision resistant: it serves prefixes and keys that no adversary chooses.
Source: Substrate `sp_core::hashing`; BLAKE2 RFC 7693; SHA-2 FIPS 180-4; xxHash XXH64.
"""

from __future__ import annotations

import hashlib
from typing import Final

import xxhash

from runtime.primitives.types import Hash

# Copied and never fed: reading the constructor's arguments takes as long as hashing 100 bytes.
_BLAKE2B_256: Final = hashlib.blake2b(digest_size=32)
_BLAKE2B_128: Final = hashlib.blake2b(digest_size=16)


def blake2b_256(data: bytes) -> Hash:
    """32 bytes of unkeyed BLAKE2b: block, extrinsic and trie node hashes."""
    state = _BLAKE2B_256.copy()
    state.update(data)
    return Hash(state.digest())


def blake2b_128(data: bytes) -> bytes:
    """16 bytes of unkeyed BLAKE2b: the hash part of `Blake2_128Concat` storage keys."""
    state = _BLAKE2B_128.copy()
    state.update(data)
    return state.digest()


def blake2b_64(data: bytes) -> bytes:
    """8 bytes of unkeyed BLAKE2b: runtime API ids."""
    return hashlib.blake2b(data, digest_size=8).digest()


def blake2b_512(data: bytes) -> bytes:
    """64 bytes of unkeyed BLAKE2b: the SS58 checksum."""
    return hashlib.blake2b(data).digest()


def twox_64(data: bytes) -> bytes:
    """8 bytes: XXH64 with seed 0, little endian; the hash part of `Twox64Concat`."""
    return xxhash.xxh64_intdigest(data, 0).to_bytes(8, "little")


def twox_128(data: bytes) -> bytes:
    """16 bytes: XXH64 with seeds 0 and 1; pallet and storage item prefixes."""
    return _twox(data, 2)


def twox_256(data: bytes) -> bytes:
    """32 bytes: XXH64 with seeds 0 to 3."""
    return _twox(data, 4)


def sha2_256(data: bytes) -> Hash:
    """32 bytes of SHA-256."""
    return Hash(hashlib.sha256(data).digest())


def sha2_512(data: bytes) -> bytes:
    """64 bytes of SHA-512."""
    return hashlib.sha512(data).digest()


def _twox(data: bytes, rounds: int) -> bytes:
    return b"".join(
        xxhash.xxh64_intdigest(data, seed).to_bytes(8, "little") for seed in range(rounds)
    )
