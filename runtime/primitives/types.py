"""The nouns that every layer shares, each with its SCALE form.

Byte strings that must not be confused are NewTypes; amounts and counters are plain integers with a
codec, since arithmetic on a NewType gives back an int at every step.

Source: Substrate's primitive types; WP III.A (the token FML).
"""

from __future__ import annotations

from typing import Annotated, Final, NewType

from runtime.primitives.scale.declare import Compact, Fixed, Int, set_shape
from runtime.primitives.scale.shape import U8_SHAPE, Array, Wrapper

U8 = Annotated[int, Int(8)]
U16 = Annotated[int, Int(16)]
U32 = Annotated[int, Int(32)]
U64 = Annotated[int, Int(64)]
U128 = Annotated[int, Int(128)]
U256 = Annotated[int, Int(256)]
I8 = Annotated[int, Int(8, signed=True)]
I16 = Annotated[int, Int(16, signed=True)]
I32 = Annotated[int, Int(32, signed=True)]
I64 = Annotated[int, Int(64, signed=True)]
I128 = Annotated[int, Int(128, signed=True)]

CompactU8 = Annotated[int, Compact(8)]
CompactU16 = Annotated[int, Compact(16)]
CompactU32 = Annotated[int, Compact(32)]
CompactU64 = Annotated[int, Compact(64)]
CompactU128 = Annotated[int, Compact(128)]

Bytes4 = Annotated[bytes, Fixed(4)]
Bytes8 = Annotated[bytes, Fixed(8)]
Bytes20 = Annotated[bytes, Fixed(20)]
Bytes32 = Annotated[bytes, Fixed(32)]
Bytes64 = Annotated[bytes, Fixed(64)]
Bytes65 = Annotated[bytes, Fixed(65)]
Bytes80 = Annotated[bytes, Fixed(80)]

Balance = Annotated[int, Int(128, name="Balance")]  # planck
CompactBalance = Annotated[int, Compact(128, name="Balance")]  # planck
BlockNumber = Annotated[int, Int(32, name="BlockNumber")]
Nonce = Annotated[int, Int(32, name="Nonce")]
Moment = Annotated[int, Int(64, name="Moment")]  # milliseconds since 1970

AccountId = NewType("AccountId", bytes)  # 32 bytes: an ed25519 or sr25519 public key, or derived
Hash = NewType("Hash", bytes)  # 32 bytes, blake2b-256 unless said otherwise

_BYTES32 = Array(U8_SHAPE, 32, raw=True)
set_shape(AccountId, Wrapper(("sp_core", "crypto", "AccountId32"), _BYTES32, "AccountId"))
set_shape(Hash, Wrapper(("primitive_types", "H256"), _BYTES32, "Hash"))

PLANCK: Final = 1
FML: Final = 10**18  # planck
ZERO_HASH: Final = Hash(bytes(32))
