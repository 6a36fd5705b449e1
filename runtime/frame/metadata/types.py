"""The wire types of metadata, versions 14 and 15, declared like any other SCALE type.

`MetadataV14` and `MetadataV15` are what follows the magic `meta` and the version byte. Type ids are
places in `types`.

Source: FRAME metadata V14 and V15 (`frame-metadata`), scale-info (`PortableRegistry`).
"""

from __future__ import annotations

import enum

from runtime.frame.storage import Hasher
from runtime.primitives.scale import ScaleEnum, scale_type
from runtime.primitives.types import U8, U32, CompactU32


@scale_type
class FieldType:
    """A member of a composite or of a variant; `name` is None in tuple-like ones."""

    name: str | None
    type_id: CompactU32
    type_name: str | None
    docs: list[str]


@scale_type
class VariantType:
    """One case of a tagged union."""

    name: str
    fields: list[FieldType]
    index: U8
    docs: list[str]


class PrimitiveKind(enum.Enum):
    """The primitives, in scale-info's order."""

    BOOL = 0
    CHAR = 1
    STR = 2
    U8 = 3
    U16 = 4
    U32 = 5
    U64 = 6
    U128 = 7
    U256 = 8
    I8 = 9
    I16 = 10
    I32 = 11
    I64 = 12
    I128 = 13
    I256 = 14


class TypeDef(ScaleEnum):
    """What a type is made of."""


class CompositeDef(TypeDef, index=0, flat=True, name="Composite"):
    """A record."""

    fields: list[FieldType]


class VariantDef(TypeDef, index=1, flat=True, name="Variant"):
    """A tagged union."""

    variants: list[VariantType]


class SequenceDef(TypeDef, index=2, flat=True, name="Sequence"):
    """A vector."""

    item: CompactU32


class ArrayDef(TypeDef, index=3, name="Array"):
    """A fixed number of items."""

    length: U32
    item: CompactU32


class TupleDef(TypeDef, index=4, flat=True, name="Tuple"):
    """A run of types; empty for unit."""

    items: list[CompactU32]


class PrimitiveDef(TypeDef, index=5, flat=True, name="Primitive"):
    """A primitive."""

    kind: PrimitiveKind


class CompactDef(TypeDef, index=6, flat=True, name="Compact"):
    """An integer in compact form."""

    inner: CompactU32


class BitSequenceDef(TypeDef, index=7, name="BitSequence"):
    """Bits; the chain has none."""

    store: CompactU32
    order: CompactU32


@scale_type
class TypeParameter:
    """A generic parameter; `type_id` is None where the parameter is not a type on the wire."""

    name: str
    type_id: CompactU32 | None


@scale_type
class PortableType:
    """One entry of the registry."""

    id: CompactU32
    path: list[str]
    params: list[TypeParameter]
    definition: TypeDef
    docs: list[str]


class StorageModifier(enum.Enum):
    """What an absent entry means: nothing, or the default."""

    OPTIONAL = 0
    DEFAULT = 1


class StorageEntryType(ScaleEnum):
    """A single value or a map."""


class PlainEntry(StorageEntryType, index=0, flat=True, name="Plain"):
    """A single value."""

    value: CompactU32


class MapEntry(StorageEntryType, index=1, name="Map"):
    """A map; with several hashers `key` is a tuple."""

    hashers: list[Hasher]
    key: CompactU32
    value: CompactU32


@scale_type
class StorageEntry:
    """One storage item; `default` is 0x00 for optional ones."""

    name: str
    modifier: StorageModifier
    type_: StorageEntryType
    default: bytes
    docs: list[str]


@scale_type
class PalletStorage:
    """The items of a pallet and the name that their keys start with."""

    prefix: str
    entries: list[StorageEntry]


@scale_type
class PalletConstant:
    """A constant with its encoded value."""

    name: str
    type_id: CompactU32
    value: bytes
    docs: list[str]


@scale_type
class PalletV14:
    """One pallet; `calls`, `event` and `error` are the ids of its enums."""

    name: str
    storage: PalletStorage | None
    calls: CompactU32 | None
    event: CompactU32 | None
    constants: list[PalletConstant]
    error: CompactU32 | None
    index: U8


@scale_type
class PalletV15:
    """One pallet, with its docs."""

    name: str
    storage: PalletStorage | None
    calls: CompactU32 | None
    event: CompactU32 | None
    constants: list[PalletConstant]
    error: CompactU32 | None
    index: U8
    docs: list[str]


@scale_type
class SignedExtension:
    """A signed extension: what it adds to the extrinsic, what it adds to the signed payload."""

    identifier: str
    type_id: CompactU32
    additional: CompactU32


@scale_type
class ExtrinsicV14:
    """The extrinsic as one type, whose parameters name its parts."""

    type_id: CompactU32
    version: U8
    extensions: list[SignedExtension]


@scale_type
class ExtrinsicV15:
    """The extrinsic by its parts."""

    version: U8
    address: CompactU32
    call: CompactU32
    signature: CompactU32
    extra: CompactU32
    extensions: list[SignedExtension]


@scale_type
class ApiParameter:
    """An input of a runtime API method."""

    name: str
    type_id: CompactU32


@scale_type
class ApiMethodMetadata:
    """A method of a runtime API."""

    name: str
    inputs: list[ApiParameter]
    output: CompactU32
    docs: list[str]


@scale_type
class ApiMetadata:
    """A runtime API."""

    name: str
    methods: list[ApiMethodMetadata]
    docs: list[str]


@scale_type
class OuterEnums:
    """Ids of `RuntimeCall`, `RuntimeEvent` and `RuntimeError`."""

    call: CompactU32
    event: CompactU32
    error: CompactU32


@scale_type
class CustomValue:
    """A value outside the pallets; the chain has none."""

    type_id: CompactU32
    value: bytes


@scale_type
class MetadataV14:
    """Metadata version 14."""

    types: list[PortableType]
    pallets: list[PalletV14]
    extrinsic: ExtrinsicV14
    runtime: CompactU32


@scale_type
class MetadataV15:
    """Metadata version 15: version 14 with APIs and the extrinsic's parts."""

    types: list[PortableType]
    pallets: list[PalletV15]
    extrinsic: ExtrinsicV15
    runtime: CompactU32
    apis: list[ApiMetadata]
    outer_enums: OuterEnums
    custom: list[tuple[str, CustomValue]]
