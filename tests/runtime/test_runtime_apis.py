"""The runtime APIs on a small state: what clients ask, and the metadata that declares it."""

from __future__ import annotations

import pytest

from flockchain.keys import key_pair_from_uri
from genesis.spec import load_chain_spec
from runtime.frame.api_types import (
    ApplyExtrinsicResult,
    FeeDetails,
    OpaqueMetadata,
    RuntimeVersion,
    TransactionValidity,
)
from runtime.frame.externalities import DictState
from runtime.frame.extrinsic import assemble
from runtime.frame.metadata.generate import decode_metadata
from runtime.frame.metadata.types import MetadataV14, MetadataV15
from runtime.frame.pallet import encode_call
from runtime.frame.result import Err, Ok
from runtime.frame.runtime_api import UnknownApiMethod, api_id
from runtime.pallets.timestamp import Timestamp
from runtime.primitives.scale import DecodeError, codec_of
from runtime.primitives.types import ZERO_HASH, Hash
from runtime.runtime import PALLETS
from runtime.runtime_apis import call_runtime, runtime_version
from runtime.version import SPEC_VERSION, UnknownRuntime

ALICE = key_pair_from_uri("//Alice", "ed25519")
INHERENT = assemble(encode_call(Timestamp.set, 1_700_000_000_000), None)


@pytest.fixture(scope="module")
def state() -> DictState:
    return DictState(load_chain_spec("dev").genesis_top())


def ask(state: DictState, method: str, data: bytes = b"") -> bytes:
    return call_runtime(state, Hash(b"\x01" * 32), 0, method, data)


def test_the_version_lists_every_trait(state: DictState) -> None:
    version = codec_of(RuntimeVersion).decode_all(ask(state, "Core_version"))
    assert version == runtime_version()
    assert version.spec_version == SPEC_VERSION
    known = dict(version.apis)
    for name in ("Core", "Metadata", "TaggedTransactionQueue", "AccountNonceApi"):
        assert api_id(name) in known
    assert api_id("Core").hex() == "df6acb689907609b"  # as every Substrate chain has it


def test_metadata_is_offered_in_two_versions(state: DictState) -> None:
    optional, opaque = codec_of(OpaqueMetadata | None), codec_of(OpaqueMetadata)
    versions = ask(state, "Metadata_metadata_versions")
    assert versions == bytes((8, 14, 0, 0, 0, 15, 0, 0, 0))
    legacy = opaque.decode_all(ask(state, "Metadata_metadata"))
    assert isinstance(decode_metadata(legacy), MetadataV14)
    for number, kind in ((14, MetadataV14), (15, MetadataV15)):
        raw = ask(state, "Metadata_metadata_at_version", number.to_bytes(4, "little"))
        found = optional.decode_all(raw)
        assert found is not None
        metadata = decode_metadata(found)
        assert isinstance(metadata, kind)
        assert [item.name for item in metadata.pallets] == [item.__name__ for item in PALLETS]
    for number in (0, 13, 16, 2**32 - 1):
        raw = ask(state, "Metadata_metadata_at_version", number.to_bytes(4, "little"))
        assert optional.decode_all(raw) is None


def test_constants_that_clients_look_for(state: DictState) -> None:
    raw = codec_of(OpaqueMetadata).decode_all(ask(state, "Metadata_metadata"))
    found = {
        (pallet.name, constant.name)
        for pallet in decode_metadata(raw).pallets
        for constant in pallet.constants
    }
    system = ("BlockHashCount", "BlockWeights", "BlockLength", "DbWeight", "Version", "SS58Prefix")
    assert found >= {("System", name) for name in system}
    assert ("Timestamp", "MinimumPeriod") in found
    assert ("Balances", "ExistentialDeposit") in found


def test_nonces(state: DictState) -> None:
    assert ask(state, "AccountNonceApi_account_nonce", ALICE.public) == bytes(4)
    assert ask(state, "AccountNonceApi_account_nonce", bytes(32)) == bytes(4)


def test_an_inherent_of_a_stranger_is_not_valid(state: DictState) -> None:
    source = b"\x02"
    raw = ask(state, "TaggedTransactionQueue_validate_transaction", source + INHERENT + ZERO_HASH)
    verdict = codec_of(TransactionValidity).decode_all(raw)
    assert isinstance(verdict, Err)
    assert raw == b"\x01\x01\x01"  # Err(Unknown(NoUnsignedValidator))


def test_a_block_of_one_extrinsic_can_be_tried(state: DictState) -> None:
    raw = ask(state, "BlockBuilder_apply_extrinsic", INHERENT)
    assert codec_of(ApplyExtrinsicResult).decode_all(raw) == Ok(Ok(None))
    before = dict(state.top)
    ask(state, "BlockBuilder_apply_extrinsic", INHERENT)
    assert state.top == before


def test_bare_extrinsics_have_no_fee(state: DictState) -> None:
    argument = INHERENT + len(INHERENT).to_bytes(4, "little")
    raw = ask(state, "TransactionPaymentApi_query_fee_details", argument)
    assert codec_of(FeeDetails).decode_all(raw) == FeeDetails(None, 0)
    length = ask(state, "TransactionPaymentApi_query_length_to_fee", (10).to_bytes(4, "little"))
    assert int.from_bytes(length, "little") == 10 * 10**12


@pytest.mark.parametrize(
    "method", ["", "Core", "Core_", "Core_Version", "Core__begin_next_block", "_info", "Nope_x"]
)
def test_what_is_no_method_is_refused(state: DictState, method: str) -> None:
    with pytest.raises(UnknownApiMethod, match=f"^Exported method {method} is not found$"):
        ask(state, method)


def test_arguments_that_do_not_decode_are_refused(state: DictState) -> None:
    for data in (b"", bytes(31), bytes(33)):
        with pytest.raises(DecodeError):
            ask(state, "AccountNonceApi_account_nonce", data)


def test_a_state_of_another_runtime_is_refused() -> None:
    with pytest.raises(UnknownRuntime, match="the state has no flockchain runtime in :code"):
        ask(DictState({b":code": b"\0asm"}), "Core_version")
