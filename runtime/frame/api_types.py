"""What runtime APIs take and give: versions, opaque extrinsics, blocks, fees, verdicts.

Source: Substrate `sp_version`, `sp_runtime::generic`, `pallet_transaction_payment::types`,
`sp_block_builder`, `sp_transaction_pool`.
"""

from __future__ import annotations

from typing import NewType, TypeAlias

from runtime.frame.dispatch_error import DispatchResult
from runtime.frame.metadata.extrinsic import UNCHECKED_EXTRINSIC
from runtime.frame.result import Result, declare_result
from runtime.frame.validity import ValidTransaction
from runtime.frame.validity_error import ValidityErrorValue
from runtime.frame.weights import DispatchClass, Weight
from runtime.primitives.header import Header
from runtime.primitives.scale import DecodeError, EncodeError, scale_type, set_shape
from runtime.primitives.scale.compact import decode_compact
from runtime.primitives.scale.shape import U8_SHAPE, Custom, Sequence, Wrapper
from runtime.primitives.types import U8, U32, Balance, Bytes8

ApplyExtrinsicResult: TypeAlias = Result[DispatchResult, ValidityErrorValue]
declare_result(ApplyExtrinsicResult)
TransactionValidity: TypeAlias = Result[ValidTransaction, ValidityErrorValue]
declare_result(TransactionValidity)


@scale_type(path="sp_version::RuntimeVersion")
class RuntimeVersion:
    """Which runtime it is. `apis`: blake2b-64 of each trait's name, and its version."""

    spec_name: str
    impl_name: str
    authoring_version: U32
    spec_version: U32
    impl_version: U32
    apis: list[tuple[Bytes8, U32]]
    transaction_version: U32
    system_version: U8


OpaqueMetadata = NewType("OpaqueMetadata", bytes)  # "meta" ‖ version ‖ ...
set_shape(OpaqueMetadata, Wrapper(("sp_core", "OpaqueMetadata"), Sequence(U8_SHAPE, raw=True)))

OpaqueExtrinsic = NewType("OpaqueExtrinsic", bytes)  # an extrinsic, its length prefix included


def _encode_extrinsic(extrinsic: OpaqueExtrinsic, out: bytearray) -> None:
    length, start = decode_compact(extrinsic, 0)
    if start + length != len(extrinsic):
        raise EncodeError(f"extrinsic of {len(extrinsic) - start} bytes says {length}")
    out += extrinsic


def _decode_extrinsic(data: bytes, offset: int) -> tuple[OpaqueExtrinsic, int]:
    length, start = decode_compact(data, offset)
    end = start + length
    if end > len(data):
        raise DecodeError(f"end of data in an extrinsic of {length} bytes")
    return OpaqueExtrinsic(data[offset:end]), end


set_shape(
    OpaqueExtrinsic, Custom(_encode_extrinsic, _decode_extrinsic, lambda: UNCHECKED_EXTRINSIC)
)


@scale_type(path="sp_runtime::generic::block::Block")
class Block:
    """A header and its extrinsics."""

    header: Header
    extrinsics: list[OpaqueExtrinsic]


@scale_type(path="pallet_transaction_payment::types::RuntimeDispatchInfo")
class RuntimeDispatchInfo:
    """What an extrinsic weighs and costs; `partial_fee` in planck, without the tip."""

    weight: Weight
    class_: DispatchClass
    partial_fee: Balance


@scale_type(path="pallet_transaction_payment::types::InclusionFee")
class InclusionFee:
    """The parts of a fee, in planck."""

    base_fee: Balance
    len_fee: Balance
    adjusted_weight_fee: Balance


@scale_type(path="pallet_transaction_payment::types::FeeDetails")
class FeeDetails:
    """`inclusion_fee` is None for an extrinsic that does not pay; in planck."""

    inclusion_fee: InclusionFee | None
    tip: Balance = 0
