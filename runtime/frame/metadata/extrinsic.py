"""The extrinsic as metadata tells it: address, signature, signed extensions in order.

What clients append to a call and to the payload that they sign follows from this table; it agrees
byte for byte with `runtime.frame.extrinsic.Extra` and `Additional`.

Source: Substrate `UncheckedExtrinsic` v4, `frame_system::extensions`, RFC-78 (metadata hash).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from runtime.frame.call import RuntimeCall
from runtime.frame.extrinsic import MetadataHashMode
from runtime.primitives.era import Era
from runtime.primitives.multi import MultiAddress, MultiSignature
from runtime.primitives.scale import shape_of
from runtime.primitives.scale.shape import (
    U8_SHAPE,
    UNIT,
    Composite,
    Field,
    Sequence,
    Shape,
    TupleShape,
)
from runtime.primitives.types import U32, Bytes32, CompactBalance, CompactU32, Hash

EXTRINSIC_VERSION: Final = 4


@dataclass(frozen=True, slots=True)
class Extension:
    """A signed extension: `explicit` is sent, `implied` only signed."""

    identifier: str
    explicit: Shape
    implied: Shape


def _no_value(*_: Any) -> None:
    """These types are described, never decoded: `Extra` holds their values."""


def _extension(path: str, implied: Any = None, *fields: Field) -> Extension:
    parts = tuple(path.split("::"))
    explicit = Composite(parts, fields, _no_value, (("T", None),))
    return Extension(parts[-1], explicit, UNIT if implied is None else shape_of(implied))


SIGNED_EXTENSIONS: Final = (
    _extension("frame_system::extensions::check_non_zero_sender::CheckNonZeroSender"),
    _extension("frame_system::extensions::check_spec_version::CheckSpecVersion", U32),
    _extension("frame_system::extensions::check_tx_version::CheckTxVersion", U32),
    _extension("frame_system::extensions::check_genesis::CheckGenesis", Hash),
    _extension(
        "frame_system::extensions::check_mortality::CheckMortality",
        Hash,
        Field(None, shape_of(Era), "Era"),
    ),
    _extension(
        "frame_system::extensions::check_nonce::CheckNonce",
        None,
        Field(None, shape_of(CompactU32), "T::Nonce"),
    ),
    _extension("frame_system::extensions::check_weight::CheckWeight"),
    _extension(
        "pallet_transaction_payment::ChargeTransactionPayment",
        None,
        Field(None, shape_of(CompactBalance), "BalanceOf<T>"),
    ),
    _extension(
        "frame_metadata_hash_extension::CheckMetadataHash",
        Bytes32 | None,
        Field("mode", shape_of(MetadataHashMode), "Mode"),
    ),
)

ADDRESS: Final = shape_of(MultiAddress)
SIGNATURE: Final = shape_of(MultiSignature)
CALL: Final = shape_of(RuntimeCall)
EXTRA: Final = TupleShape(tuple(item.explicit for item in SIGNED_EXTENSIONS))

UNCHECKED_EXTRINSIC: Final = Composite(
    ("sp_runtime", "generic", "unchecked_extrinsic", "UncheckedExtrinsic"),
    (Field(None, Sequence(U8_SHAPE, raw=True)),),
    _no_value,
    (("Address", ADDRESS), ("Call", CALL), ("Signature", SIGNATURE), ("Extra", EXTRA)),
)
