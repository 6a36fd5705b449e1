"""SS58: account ids as text that people copy.

Owns the strict codec of 32-byte accounts: one text for each (network prefix, account), so any text
that decodes encodes back to itself.
Source: Substrate `sp_core::crypto::Ss58Codec`; the SS58 registry of address formats.
"""

from __future__ import annotations

from typing import Final

from runtime.primitives.hashing import blake2b_512
from runtime.primitives.types import AccountId

GENERIC_PREFIX: Final = 42
PREFIX_MAX: Final = 16_383
ACCOUNT_BYTES: Final = 32

_CHECKSUM_CONTEXT: Final = b"SS58PRE"
_CHECKSUM_BYTES: Final = 2
_ONE_BYTE_PREFIX_MAX: Final = 63
_RESERVED_PREFIXES: Final = (46, 47)
_TEXT_LENGTH_MAX: Final = 64
_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS: Final = {character: value for value, character in enumerate(_ALPHABET)}


class AddressError(ValueError):
    """The text is no SS58 address of an account, or the prefix no network prefix."""


def encode_address(account: bytes, prefix: int = GENERIC_PREFIX) -> str:
    """The address of a 32-byte account on the network `prefix` (0 to 16383).

    Raises: AddressError for an account of another length or a reserved or too large prefix.
    """
    if len(account) != ACCOUNT_BYTES:
        raise AddressError(f"an account has {ACCOUNT_BYTES} bytes, not {len(account)}")
    body = _encode_prefix(prefix) + account
    return _to_base58(body + _checksum(body))


def decode_address(text: str) -> tuple[AccountId, int]:
    """The account and the network prefix of an address.

    Raises: AddressError, saying which rule the text breaks.
    """
    if len(text) > _TEXT_LENGTH_MAX:
        raise AddressError(f"an address has at most {_TEXT_LENGTH_MAX} characters")
    raw = _from_base58(text)
    if not raw:
        raise AddressError("the address is empty")
    prefix, prefix_bytes = _decode_prefix(raw)
    account_bytes = len(raw) - prefix_bytes - _CHECKSUM_BYTES
    if account_bytes != ACCOUNT_BYTES:
        raise AddressError(f"address {text} holds {account_bytes} bytes, an account has 32")
    body, checksum = raw[:-_CHECKSUM_BYTES], raw[-_CHECKSUM_BYTES:]
    if _checksum(body) != checksum:
        raise AddressError(f"the checksum of address {text} is wrong")
    return AccountId(body[prefix_bytes:]), prefix


def decode_account(text: str, prefix: int = GENERIC_PREFIX) -> AccountId:
    """The account of an address of one network.

    Raises: AddressError, also when the address belongs to another network.
    """
    account, found = decode_address(text)
    if found != prefix:
        raise AddressError(f"address {text} is of network {found}, not of {prefix}")
    return account


def _checksum(body: bytes) -> bytes:
    return blake2b_512(_CHECKSUM_CONTEXT + body)[:_CHECKSUM_BYTES]


def _encode_prefix(prefix: int) -> bytes:
    if not 0 <= prefix <= PREFIX_MAX or prefix in _RESERVED_PREFIXES:
        raise AddressError(f"network prefix {prefix} is reserved or outside 0 to {PREFIX_MAX}")
    if prefix <= _ONE_BYTE_PREFIX_MAX:
        return bytes((prefix,))
    # Bits 2 to 7 go to the first byte under the marker 01, bits 8 to 13 and 0 to 1 to the second.
    return bytes((prefix >> 2 & 0x3F | 0x40, prefix >> 8 | (prefix & 3) << 6))


def _decode_prefix(raw: bytes) -> tuple[int, int]:
    """The network prefix and the number of bytes that it takes."""
    first = raw[0]
    if first <= _ONE_BYTE_PREFIX_MAX:
        prefix, taken = first, 1
    elif first < 0x80 and len(raw) > 1:
        second = raw[1]
        prefix, taken = (first & 0x3F) << 2 | second >> 6 | (second & 0x3F) << 8, 2
    else:
        raise AddressError(f"no network prefix starts with byte {first:#04x}")
    if _encode_prefix(prefix) != raw[:taken]:
        raise AddressError(f"network prefix {prefix} is not in its shortest form")
    return prefix, taken


def _to_base58(raw: bytes) -> str:
    number = int.from_bytes(raw, "big")
    digits: list[str] = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_ALPHABET[digit])
    zeros = len(raw) - len(raw.lstrip(b"\x00"))
    return _ALPHABET[0] * zeros + "".join(reversed(digits))


def _from_base58(text: str) -> bytes:
    number = 0
    for character in text:
        digit = _DIGITS.get(character)
        if digit is None:
            raise AddressError(f"{character!r} is no base58 character")
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip(_ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
