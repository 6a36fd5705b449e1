"""Metadata of a small runtime, read back with the same wire types.

Source: FRAME metadata V14 and V15.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated

import pytest

from runtime import frame
from runtime.frame.api_types import OpaqueExtrinsic, RuntimeVersion, TransactionValidity
from runtime.frame.call import RuntimeCall, install_pallets, installed_pallets
from runtime.frame.limits import BlockWeights, block_length, block_weights
from runtime.frame.metadata.constants import DbWeight, system_constants
from runtime.frame.metadata.generate import (
    RuntimeDescription,
    UnknownMetadataVersion,
    decode_metadata,
    generate,
)
from runtime.frame.metadata.types import (
    CompositeDef,
    MapEntry,
    MetadataV14,
    MetadataV15,
    PalletV14,
    PlainEntry,
    PortableType,
    SequenceDef,
    StorageModifier,
    TupleDef,
    VariantDef,
)
from runtime.frame.runtime_api import apis_of, runtime_api
from runtime.primitives.multi import MultiAddress
from runtime.primitives.scale import DecodeError, Limit, codec_of
from runtime.primitives.types import U16, U32, AccountId, Balance, CompactBalance, Hash

WEIGHT = frame.Weight(1)


class Colour(frame.ScaleEnum):
    """A colour."""


class Named(Colour, index=0, flat=True):
    name: str


@frame.scale_type
class Mark:
    """A mark on a thing."""

    by: AccountId
    inside: list[Mark]


@frame.event(0)
class Painted:
    """Somebody painted."""

    from_: AccountId
    colour: Colour


class TooBright(frame.ModuleError, index=4):
    """The colour hurts. Take a darker one."""


@dataclass(frozen=True)
class Config:
    """`brush_width` in pixels; `ss58_prefix` of addresses."""

    brush_width: U32 = 3
    ss58_prefix: U16 = 42
    on_paint: object = field(default=print)


class Paint(frame.Pallet[Config], index=200):
    """Paints things."""

    total = frame.StorageValue[int](U32, default=7, docs="All strokes.")
    last = frame.StorageValue[Hash](Hash)
    by_account = frame.StorageMap[AccountId, list[Mark]](
        AccountId, Annotated[list[Mark], Limit(5)], default=[]
    )
    by_pair = frame.StorageDoubleMap[tuple[int, AccountId], int](U32, AccountId, Balance)

    @frame.call(3, weight=WEIGHT)
    def paint(self, origin: frame.Origin, dest: MultiAddress, value: CompactBalance) -> None:
        """Paint once.

        Signed.
        """

    @frame.call(5, weight=WEIGHT)
    def batch(self, origin: frame.Origin, calls: list[RuntimeCall]) -> None:
        """Run calls. Signed."""


class Quiet(frame.Pallet[None], index=201):
    """Says nothing."""

    __module__ = "quiet"


@runtime_api("PaintApi", version=2)
class PaintApi:
    """Asks about paint."""

    def colour_of(self, who: AccountId, at_: U32) -> Colour | None:
        """The colour, if any."""
        return None

    def check(self, extrinsic: OpaqueExtrinsic) -> TransactionValidity:
        """Whether it holds."""
        raise AssertionError("described only")


VERSION = RuntimeVersion("flock", "flock", 1, 5, 0, [], 1, 1)
WEIGHTS = block_weights(10**12, WEIGHT, WEIGHT)


@pytest.fixture
def description() -> Iterator[RuntimeDescription]:
    before = installed_pallets()
    install_pallets((Paint, Quiet))
    ext = frame.Externalities(frame.DictState())
    yield RuntimeDescription(
        (Paint(ext, Config()), Quiet(ext, None)),
        apis_of(PaintApi),
        {"Paint": system_constants(WEIGHTS, block_length(1000), DbWeight(1, 2), VERSION)},
    )
    install_pallets(before)


def v14(description: RuntimeDescription) -> MetadataV14:
    made = decode_metadata(generate(14, description))
    assert isinstance(made, MetadataV14)
    return made


def v15(description: RuntimeDescription) -> MetadataV15:
    made = decode_metadata(generate(15, description))
    assert isinstance(made, MetadataV15)
    return made


def by_path(metadata: MetadataV14 | MetadataV15, path: str) -> PortableType:
    (found,) = (item for item in metadata.types if "::".join(item.path) == path)
    return found


def cases(item: PortableType) -> list[tuple[int, str, list[tuple[str | None, str | None]]]]:
    assert isinstance(item.definition, VariantDef)
    return [
        (case.index, case.name, [(member.name, member.type_name) for member in case.fields])
        for case in item.definition.variants
    ]


def test_magic_and_version(description: RuntimeDescription) -> None:
    assert generate(14, description)[:5] == b"meta\x0e"
    assert generate(15, description)[:5] == b"meta\x0f"


@pytest.mark.parametrize("version", [14, 15])
def test_generation_is_deterministic(description: RuntimeDescription, version: int) -> None:
    assert generate(version, description) == generate(version, description)


@pytest.mark.parametrize("version", [13, 16])
def test_other_versions_are_refused(description: RuntimeDescription, version: int) -> None:
    with pytest.raises(
        UnknownMetadataVersion, match=f"^metadata version {version}, offered are \\(14, 15\\)$"
    ):
        generate(version, description)
    with pytest.raises(UnknownMetadataVersion):
        decode_metadata(b"meta" + bytes((version,)))


def test_bytes_without_magic_are_refused() -> None:
    with pytest.raises(DecodeError, match="magic"):
        decode_metadata(b"atem\x0e")


@pytest.mark.parametrize("read", [v14, v15])
def test_ids_are_dense_and_every_field_has_a_type_name(
    description: RuntimeDescription,
    read: Callable[[RuntimeDescription], MetadataV14 | MetadataV15],
) -> None:
    types = read(description).types
    assert [item.id for item in types] == list(range(len(types)))
    for item in types:
        fields = []
        if isinstance(item.definition, CompositeDef):
            fields = item.definition.fields
        elif isinstance(item.definition, VariantDef):
            fields = [member for case in item.definition.variants for member in case.fields]
        assert all(member.type_name for member in fields)
        assert all(member.type_id < len(types) for member in fields)


def test_calls_hold_calls(description: RuntimeDescription) -> None:
    metadata = v14(description)
    outer = by_path(metadata, "flockchain_runtime::RuntimeCall")
    inner = by_path(metadata, "pallet_paint::pallet::Call")
    assert cases(outer) == [(200, "Paint", [(None, "Call")])]
    assert cases(inner) == [
        (3, "paint", [("dest", "MultiAddress"), ("value", "Balance")]),
        (5, "batch", [("calls", "Vec<RuntimeCall>")]),
    ]
    assert isinstance(inner.definition, VariantDef)
    assert inner.definition.variants[0].docs == ["Paint once.", "", "Signed."]
    sequence = metadata.types[inner.definition.variants[1].fields[0].type_id]
    assert sequence.definition == SequenceDef(outer.id)


def test_events_and_errors(description: RuntimeDescription) -> None:
    metadata = v14(description)
    event = by_path(metadata, "pallet_paint::pallet::Event")
    assert cases(event) == [(0, "Painted", [("from", "AccountId"), ("colour", "Colour")])]
    error = by_path(metadata, "pallet_paint::pallet::Error")
    unused = [(index, f"Unused{index}", []) for index in range(4)]  # clients count the cases
    assert cases(error) == [*unused, (4, "TooBright", [])]
    assert isinstance(error.definition, VariantDef)
    assert error.definition.variants[4].docs == ["The colour hurts. Take a darker one."]
    for name in ("RuntimeEvent", "RuntimeError"):
        assert [case[:2] for case in cases(by_path(metadata, f"flockchain_runtime::{name}"))] == [
            (200, "Paint")
        ]
    (paint, quiet) = metadata.pallets
    assert (paint.event, paint.error) == (event.id, error.id)
    assert quiet == PalletV14("Quiet", None, None, None, [], None, 201)


def test_storage(description: RuntimeDescription) -> None:
    storage = v14(description).pallets[0].storage
    assert storage is not None
    assert storage.prefix == "Paint"
    assert [(item.name, item.modifier, item.default) for item in storage.entries] == [
        ("Total", StorageModifier.DEFAULT, b"\7\0\0\0"),
        ("Last", StorageModifier.OPTIONAL, b"\0"),
        ("ByAccount", StorageModifier.DEFAULT, b"\0"),
        ("ByPair", StorageModifier.OPTIONAL, b"\0"),
    ]
    assert storage.entries[0].docs == ["All strokes."]


def test_map_keys_and_hashers(description: RuntimeDescription) -> None:
    metadata = v14(description)
    storage = metadata.pallets[0].storage
    assert storage is not None
    total, _, by_account, by_pair = (item.type_ for item in storage.entries)
    account = by_path(metadata, "sp_core::crypto::AccountId32").id
    assert isinstance(total, PlainEntry)
    assert isinstance(by_account, MapEntry)
    assert by_account.hashers == [frame.Hasher.BLAKE2_128_CONCAT]
    assert by_account.key == account
    assert isinstance(by_pair, MapEntry)
    assert by_pair.hashers == [frame.Hasher.TWOX_64_CONCAT, frame.Hasher.BLAKE2_128_CONCAT]
    assert metadata.types[by_pair.key].definition == TupleDef([total.value, account])


def test_constants_are_config_fields_and_what_the_runtime_adds(
    description: RuntimeDescription,
) -> None:
    constants = {item.name: item for item in v14(description).pallets[0].constants}
    assert list(constants) == [
        "BrushWidth",
        "SS58Prefix",
        "BlockWeights",
        "BlockLength",
        "DbWeight",
        "Version",
    ]
    assert constants["BrushWidth"].value == b"\3\0\0\0"
    assert constants["BrushWidth"].docs == ["`brush_width` in pixels;"]
    assert constants["SS58Prefix"].value == b"\x2a\0"
    assert codec_of(BlockWeights).decode_all(constants["BlockWeights"].value) == WEIGHTS
    assert codec_of(RuntimeVersion).decode_all(constants["Version"].value) == VERSION


def test_types_of_one_path_are_told_apart(description: RuntimeDescription) -> None:
    classes = [item for item in v14(description).types if item.path[-1:] == ["PerDispatchClass"]]
    params = [[param.type_id for param in item.params] for item in classes]
    assert len(params) == 2
    assert params[0] != params[1]


def test_the_extrinsic_of_version_14(description: RuntimeDescription) -> None:
    metadata = v14(description)
    extrinsic = metadata.types[metadata.extrinsic.type_id]
    assert extrinsic.path[-1] == "UncheckedExtrinsic"
    assert [item.name for item in extrinsic.params] == ["Address", "Call", "Signature", "Extra"]
    assert extrinsic.params[1].type_id == by_path(metadata, "flockchain_runtime::RuntimeCall").id
    extra = extrinsic.params[3].type_id
    assert extra is not None
    assert metadata.types[extra].definition == TupleDef(
        [item.type_id for item in metadata.extrinsic.extensions]
    )
    assert metadata.extrinsic.version == 4


def test_version_15_adds_apis_and_parts(description: RuntimeDescription) -> None:
    metadata = v15(description)
    assert metadata.outer_enums.call == by_path(metadata, "flockchain_runtime::RuntimeCall").id
    assert metadata.extrinsic.call == metadata.outer_enums.call
    assert (
        metadata.extrinsic.address == by_path(metadata, "sp_runtime::multiaddress::MultiAddress").id
    )
    assert metadata.pallets[0].docs == ["Paints things."]
    (api,) = metadata.apis
    assert (api.name, api.docs) == ("PaintApi", ["Asks about paint."])
    assert [(method.name, [item.name for item in method.inputs]) for method in api.methods] == [
        ("colour_of", ["who", "at"]),
        ("check", ["extrinsic"]),
    ]
    result = metadata.types[api.methods[1].output]
    assert result.path == ["Result"]
    assert [item.name for item in result.params] == ["T", "E"]
    invalid = by_path(metadata, "sp_runtime::transaction_validity::InvalidTransaction")
    assert cases(invalid)[7] == (7, "Custom", [(None, "u8")])
    assert cases(invalid)[3] == (3, "Stale", [])


def test_era_has_all_its_variants(description: RuntimeDescription) -> None:
    assert len(cases(by_path(v14(description), "sp_runtime::generic::era::Era"))) == 256
