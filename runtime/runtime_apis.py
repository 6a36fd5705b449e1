"""The runtime's side of `state_call`: what clients may ask of a state, and the metadata.

Owns the runtime APIs of this chain, their types and versions, and the description of the whole
runtime from which metadata is generated. Everything is read-only: what a method writes is lost.
Blocks are built and executed by the node itself, so `Core` and `BlockBuilder` declare only what
clients call.

Source: Substrate runtime APIs (`decl_runtime_apis!`), FRAME metadata V14 and V15.
"""

from __future__ import annotations

from typing import Final

from runtime.api import preset_of
from runtime.arena_api import ArenaApi, EconomyApi
from runtime.fl_api import AllianceApi
from runtime.frame.api_types import (
    ApplyExtrinsicResult,
    FeeDetails,
    InclusionFee,
    OpaqueExtrinsic,
    OpaqueMetadata,
    RuntimeDispatchInfo,
    RuntimeVersion,
    TransactionValidity,
)
from runtime.frame.dispatch_error import dispatch_error_value
from runtime.frame.errors import TransactionValidityError
from runtime.frame.executive import Executive
from runtime.frame.externalities import Externalities, StateReader
from runtime.frame.extrinsic import decode_extrinsic
from runtime.frame.metadata.constants import DbWeight, system_constants
from runtime.frame.metadata.generate import VERSIONS, RuntimeDescription, generate
from runtime.frame.result import Err, Ok
from runtime.frame.runtime_api import api_versions, apis_of, call, runtime_api
from runtime.frame.validity import TransactionSource
from runtime.frame.validity_error import validity_error_value
from runtime.frame.weights import DispatchInfo, Weight
from runtime.market_api import MarketApi
from runtime.primitives.header import Digest
from runtime.primitives.types import U32, AccountId, Balance, Hash, Nonce
from runtime.runtime import Runtime
from runtime.trends_api import TrendsApi
from runtime.version import (
    AUTHORING_VERSION,
    IMPL_NAME,
    IMPL_VERSION,
    SPEC_NAME,
    SPEC_VERSION,
    SYSTEM_VERSION,
    TRANSACTION_VERSION,
)
from runtime.yields_api import YieldApi

LEGACY_METADATA: Final = 14  # what `Metadata_metadata` has always given
DB_WEIGHT: Final = DbWeight(25_000_000, 100_000_000)
"""Picoseconds of one read and one write with its share of the state root."""


class _ApiState:
    """A state at the end of block `number`, and the runtime over it."""

    def __init__(self, state: StateReader, block: Hash, number: int) -> None:
        self._runtime = Runtime(Externalities(state), preset_of(state))
        self._block = block
        self._number = number

    def _begin_next_block(self) -> None:
        """Extrinsics are judged as if they were in the next block."""
        self._runtime.system.initialize(self._number + 1, self._block, Digest([]))

    def _info(self, extrinsic: OpaqueExtrinsic) -> tuple[DispatchInfo, int]:
        """What the call weighs, and the tip. Raises DecodeError."""
        decoded = decode_extrinsic(extrinsic)
        tip = 0 if decoded.preamble is None else decoded.preamble.extra.tip
        return decoded.call.entry.info(decoded.call.arguments), tip

    def _fee_parts(self, extrinsic: OpaqueExtrinsic, length: int) -> tuple[InclusionFee, int]:
        info, tip = self._info(extrinsic)
        is_bare = decode_extrinsic(extrinsic).preamble is None
        parts = (0, 0, 0) if is_bare else self._runtime.fees.compute_fee(length, info)
        return InclusionFee(*parts), tip


@runtime_api("Core", version=5)
class CoreApi(_ApiState):
    """Which runtime this is."""

    def version(self) -> RuntimeVersion:
        """The version of the runtime."""
        return runtime_version()


@runtime_api("Metadata", version=2)
class MetadataApi(_ApiState):
    """The description by which clients decode everything."""

    def metadata(self) -> OpaqueMetadata:
        """The metadata in version 14."""
        return OpaqueMetadata(generate(LEGACY_METADATA, describe(self._runtime)))

    def metadata_at_version(self, version: U32) -> OpaqueMetadata | None:
        """The metadata in a version; None if it is not offered."""
        if version not in VERSIONS:
            return None
        return OpaqueMetadata(generate(version, describe(self._runtime)))

    def metadata_versions(self) -> list[U32]:
        """The versions that are offered."""
        return list(VERSIONS)


@runtime_api("BlockBuilder", version=6)
class BlockBuilderApi(_ApiState):
    """Trying an extrinsic on top of a block."""

    def apply_extrinsic(self, extrinsic: OpaqueExtrinsic) -> ApplyExtrinsicResult:
        """How the extrinsic would go if it were the next block's first."""
        self._begin_next_block()
        try:
            error = Executive(self._runtime).apply_extrinsic(extrinsic)
        except TransactionValidityError as refusal:
            return Err(validity_error_value(refusal))
        return Ok(Ok(None)) if error is None else Ok(Err(dispatch_error_value(error)))


@runtime_api("TaggedTransactionQueue", version=3)
class TaggedTransactionQueueApi(_ApiState):
    """What a pool must know of an extrinsic."""

    def validate_transaction(
        self, source: TransactionSource, tx: OpaqueExtrinsic, block_hash: Hash
    ) -> TransactionValidity:
        """Whether the extrinsic is valid on top of the block that is asked; no state changes."""
        self._begin_next_block()
        try:
            return Ok(Executive(self._runtime).validate_transaction(source, tx))
        except TransactionValidityError as refusal:
            return Err(validity_error_value(refusal))


@runtime_api("AccountNonceApi", version=1)
class AccountNonceApi(_ApiState):
    """The nonces of accounts."""

    def account_nonce(self, account: AccountId) -> Nonce:
        """The nonce of the account's next extrinsic, the pool not considered."""
        return self._runtime.system.nonce_of(account)


@runtime_api("TransactionPaymentApi", version=4)
class TransactionPaymentApi(_ApiState):
    """What extrinsics cost, in planck."""

    def query_info(self, uxt: OpaqueExtrinsic, len_: U32) -> RuntimeDispatchInfo:
        """Weight, class and fee without the tip of an extrinsic of `len` bytes."""
        info, _ = self._info(uxt)
        fee, _ = self._fee_parts(uxt, len_)
        total = fee.base_fee + fee.len_fee + fee.adjusted_weight_fee
        return RuntimeDispatchInfo(info.weight, info.class_, total)

    def query_fee_details(self, uxt: OpaqueExtrinsic, len_: U32) -> FeeDetails:
        """The parts of the fee; none for a bare extrinsic."""
        fee, tip = self._fee_parts(uxt, len_)
        is_bare = decode_extrinsic(uxt).preamble is None
        return FeeDetails(None if is_bare else fee, tip)

    def query_weight_to_fee(self, weight: Weight) -> Balance:
        """What so much weight costs now."""
        return self._runtime.fees.compute_fee(0, DispatchInfo(weight))[2]

    def query_length_to_fee(self, length: U32) -> Balance:
        """What so many bytes cost."""
        return self._runtime.fees.compute_fee(length, DispatchInfo(Weight(0)))[1]


class RuntimeApis(
    CoreApi,
    MetadataApi,
    BlockBuilderApi,
    TaggedTransactionQueueApi,
    AccountNonceApi,
    TransactionPaymentApi,
    ArenaApi,
    EconomyApi,
    YieldApi,
    AllianceApi,
    MarketApi,
    TrendsApi,
):
    """Every runtime API over one state. Raises UnknownRuntime if the state names another one."""


def runtime_version() -> RuntimeVersion:
    """Versions of this release, with the ids of the runtime APIs."""
    return RuntimeVersion(
        SPEC_NAME,
        IMPL_NAME,
        AUTHORING_VERSION,
        SPEC_VERSION,
        IMPL_VERSION,
        api_versions(apis_of(RuntimeApis)),
        TRANSACTION_VERSION,
        SYSTEM_VERSION,
    )


def describe(runtime: Runtime) -> RuntimeDescription:
    """What metadata says of a runtime: pallets, APIs, constants."""
    system = system_constants(runtime.weights, runtime.length, DB_WEIGHT, runtime_version())
    return RuntimeDescription(runtime.ordered, apis_of(RuntimeApis), {"System": system})


def call_runtime(state: StateReader, block: Hash, number: int, method: str, data: bytes) -> bytes:
    """Run `Trait_method` on the state at the end of a block.

    Raises UnknownApiMethod, DecodeError for bad arguments, UnknownRuntime.
    """
    return call(RuntimeApis(state, block, number), method, data)
