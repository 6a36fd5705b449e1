"""Bytes as JSON-RPC spells them.

Source: Substrate JSON-RPC (`sp_core::Bytes`).
"""

from __future__ import annotations

import re
from typing import Final

from flockchain.sdk.errors import BadAnswer
from runtime.primitives.types import Hash

_HEX: Final = re.compile(r"0x(?:[0-9a-f]{2})*", re.ASCII)


def to_hex(data: bytes) -> str:
    """Lower-case hex behind 0x."""
    return "0x" + data.hex()


def from_hex(text: object) -> bytes:
    """The bytes of hex behind 0x. Raises BadAnswer."""
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise BadAnswer(f"expected hex of whole bytes, got {str(text)[:60]!r}")
    return bytes.fromhex(text[2:])


def hash_from_hex(text: object) -> Hash:
    """A 32-byte hash. Raises BadAnswer."""
    data = from_hex(text)
    if len(data) != 32:
        raise BadAnswer(f"expected a hash of 32 bytes, got {len(data)}")
    return Hash(data)
