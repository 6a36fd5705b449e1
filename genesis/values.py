"""What chain specs say in words: amounts, accounts, keys, rationals.

Invariant: every amount fits a u128 of planck and is exact; nothing is rounded.
Source: WP III.A (FML); Substrate `sp_core::crypto::Ss58Codec`.
"""

from __future__ import annotations

import re
from typing import Final

from nacl.bindings import crypto_core_ed25519_is_valid_point

from genesis.reader import Reader
from runtime.primitives.rational import Rational, RationalError
from runtime.primitives.ss58 import AddressError, decode_account
from runtime.primitives.types import FML, AccountId, Balance

AMOUNT_MAX: Final = 2**128 - 1
_FML_DECIMALS: Final = 18
_PLANCK: Final = re.compile(r"[0-9]{1,39}", re.ASCII)
_IN_FML: Final = re.compile(r"([0-9]{1,39})(?:\.([0-9]{1,18}))? FML", re.ASCII)


def read_amount(reader: Reader) -> Balance:
    """Planck: an integer, its digits as a string, or FML as in "12.5 FML". Raises: SpecError."""
    value = reader.value
    if type(value) is int:
        return reader.integer(0, AMOUNT_MAX)
    amount = _parse_amount(value) if isinstance(value, str) else None
    if amount is None:
        reader.fail(
            'an amount is planck as an integer or its digits, or FML with at most 18 decimals as "'
            f'12.5 FML", not {reader.show()}'
        )
    if amount > AMOUNT_MAX:
        reader.fail(f"{reader.show()} does not fit 128 bits of planck")
    return amount


def _parse_amount(text: str) -> int | None:
    if _PLANCK.fullmatch(text):
        return int(text)
    match = _IN_FML.fullmatch(text)
    if match is None:
        return None
    return int(match[1]) * FML + int((match[2] or "").ljust(_FML_DECIMALS, "0"))


def read_account(reader: Reader, network: int) -> AccountId:
    """32 bytes: an SS58 address of the network, or 0x and 64 digits. Raises: SpecError."""
    text = reader.text()
    if text.startswith("0x"):
        return AccountId(reader.hex(32))
    try:
        return decode_account(text, network)
    except AddressError as error:
        reader.fail(str(error))


def read_rational(reader: Reader) -> Rational:
    """A number such as "17/20", "0.85" or "2". Raises: SpecError."""
    text = reader.text()
    try:
        return Rational.parse(text)
    except RationalError as error:
        reader.fail(str(error))


def read_ed25519_key(reader: Reader, network: int) -> bytes:
    """A public key that signatures and VRF proofs can verify under. Raises: SpecError."""
    key = read_account(reader, network)
    if not crypto_core_ed25519_is_valid_point(key):
        reader.fail("the 32 bytes are no ed25519 public key (sr25519 keys do not serve here)")
    return key
