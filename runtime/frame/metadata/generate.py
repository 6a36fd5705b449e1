"""Metadata from the pallets' own declarations.

Pallets, calls, events and errors are read off the installed classes; constants off the config of
instances, whatever state these stand on.

Source: FRAME metadata V14 and V15.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.frame.call import describe_calls, describe_runtime_call, installed_pallets
from runtime.frame.events import describe_events, describe_runtime_event
from runtime.frame.metadata.constants import Constant, constants_of
from runtime.frame.metadata.extrinsic import (
    ADDRESS,
    EXTRA,
    EXTRINSIC_VERSION,
    SIGNATURE,
    SIGNED_EXTENSIONS,
    UNCHECKED_EXTRINSIC,
)
from runtime.frame.metadata.module_errors import describe_errors, describe_runtime_error
from runtime.frame.metadata.registry import Registry
from runtime.frame.metadata.types import (
    ApiMetadata,
    ApiMethodMetadata,
    ApiParameter,
    ExtrinsicV14,
    ExtrinsicV15,
    MapEntry,
    MetadataV14,
    MetadataV15,
    OuterEnums,
    PalletStorage,
    PalletV14,
    PalletV15,
    PlainEntry,
    SignedExtension,
    StorageEntry,
    StorageEntryType,
    StorageModifier,
)
from runtime.frame.naming import pascal_case
from runtime.frame.pallet import Pallet
from runtime.frame.runtime_api import RuntimeApi
from runtime.frame.storage import StorageItem, StorageMap, StorageValue
from runtime.primitives.scale import DecodeError, codec_of
from runtime.primitives.scale.shape import Composite, Shape

MAGIC: Final = b"meta"
VERSIONS: Final = (14, 15)
_V14: Final = codec_of(MetadataV14)
_V15: Final = codec_of(MetadataV15)
_RUNTIME: Final = Composite(("flockchain_runtime", "Runtime"), (), lambda: None)


class UnknownMetadataVersion(ValueError):
    """Metadata is asked for, or found, in a version that is not offered."""


@dataclass(frozen=True)
class RuntimeDescription:
    """What metadata is made from.

    `pallets` are instances of the installed pallets in their order; only class and config are read.
    `constants` adds to a pallet's own, by pallet name.
    """

    pallets: Sequence[Pallet[Any]]
    apis: Sequence[RuntimeApi] = ()
    constants: Mapping[str, tuple[Constant, ...]] = field(default_factory=dict)


def generate(version: int, description: RuntimeDescription) -> bytes:
    """`meta` ‖ version ‖ metadata. Raises UnknownMetadataVersion for any but 14 and 15."""
    if version not in VERSIONS:
        raise UnknownMetadataVersion(f"metadata version {version}, offered are {VERSIONS}")
    kinds = tuple(type(pallet) for pallet in description.pallets)
    assert kinds == installed_pallets(), f"{kinds} are not the installed pallets"
    builder = _Builder(description)
    head = MAGIC + bytes((version,))
    return head + (builder.version_14() if version == 14 else builder.version_15())


def decode_metadata(data: bytes) -> MetadataV14 | MetadataV15:
    """The opposite of `generate`. Raises DecodeError, UnknownMetadataVersion."""
    if data[:4] != MAGIC or len(data) < 5:
        raise DecodeError("no metadata: the magic bytes are missing")
    if data[4] not in VERSIONS:
        raise UnknownMetadataVersion(f"metadata version {data[4]}, known are {VERSIONS}")
    return _V14.decode_all(data[5:]) if data[4] == 14 else _V15.decode_all(data[5:])


class _Builder:
    """One generation: the registry fills while the parts are described."""

    def __init__(self, description: RuntimeDescription) -> None:
        self.description = description
        self.registry = Registry()

    def version_14(self) -> bytes:
        pallets = [self._pallet(pallet) for pallet in self.description.pallets]
        id_of = self.registry.id_of
        self._outer_enums()
        extrinsic = ExtrinsicV14(
            id_of(UNCHECKED_EXTRINSIC), EXTRINSIC_VERSION, self._signed_extensions()
        )
        runtime = id_of(_RUNTIME)
        return _V14.encode(MetadataV14(self.registry.types(), pallets, extrinsic, runtime))

    def version_15(self) -> bytes:
        pallets = [self._pallet_with_docs(pallet) for pallet in self.description.pallets]
        id_of = self.registry.id_of
        outer = self._outer_enums()
        extrinsic = ExtrinsicV15(
            EXTRINSIC_VERSION,
            id_of(ADDRESS),
            outer.call,
            id_of(SIGNATURE),
            id_of(EXTRA),
            self._signed_extensions(),
        )
        apis = [self._api(api) for api in self.description.apis]
        runtime = id_of(_RUNTIME)
        types = self.registry.types()
        return _V15.encode(MetadataV15(types, pallets, extrinsic, runtime, apis, outer, []))

    def _outer_enums(self) -> OuterEnums:
        id_of = self.registry.id_of
        return OuterEnums(
            id_of(describe_runtime_call()),
            id_of(describe_runtime_event()),
            id_of(describe_runtime_error()),
        )

    def _pallet(self, pallet: Pallet[Any]) -> PalletV14:
        kind = type(pallet)
        extra = self.description.constants.get(kind.__name__, ())
        return PalletV14(
            kind.__name__,
            self._storage(kind),
            self._optional(describe_calls(kind) if kind.calls else None),
            self._optional(describe_events(kind) if kind.event_types else None),
            constants_of(self.registry, pallet.config, extra),
            self._optional(describe_errors(kind) if kind.error_types else None),
            kind.pallet_index,
        )

    def _pallet_with_docs(self, pallet: Pallet[Any]) -> PalletV15:
        plain = self._pallet(pallet)
        return PalletV15(
            plain.name,
            plain.storage,
            plain.calls,
            plain.event,
            plain.constants,
            plain.error,
            plain.index,
            _docs_of(type(pallet)),
        )

    def _optional(self, shape: Shape | None) -> int | None:
        return None if shape is None else self.registry.id_of(shape)

    def _storage(self, kind: type[Pallet[Any]]) -> PalletStorage | None:
        if not kind.storage_items:
            return None
        return PalletStorage(kind.__name__, [self._entry(item) for item in kind.storage_items])

    def _entry(self, item: StorageItem) -> StorageEntry:
        assert isinstance(item, StorageValue | StorageMap), f"{item.name}: no value and no map"
        optional = item.default is None
        return StorageEntry(
            pascal_case(item.name),
            StorageModifier.OPTIONAL if optional else StorageModifier.DEFAULT,
            self._entry_type(item),
            b"\0" if optional else item.value_codec.encode(item.default),
            item.docs.splitlines(),
        )

    def _entry_type(self, item: StorageValue[Any] | StorageMap[Any, Any]) -> StorageEntryType:
        id_of = self.registry.id_of
        if isinstance(item, StorageMap):
            key = id_of(item.key_codec.shape)
            return MapEntry(list(item.hashers), key, id_of(item.value_codec.shape))
        return PlainEntry(id_of(item.value_codec.shape))

    def _signed_extensions(self) -> list[SignedExtension]:
        id_of = self.registry.id_of
        return [
            SignedExtension(item.identifier, id_of(item.explicit), id_of(item.implied))
            for item in SIGNED_EXTENSIONS
        ]

    def _api(self, api: RuntimeApi) -> ApiMetadata:
        id_of = self.registry.id_of
        methods = [
            ApiMethodMetadata(
                method.name,
                [ApiParameter(name, id_of(shape)) for name, shape in method.inputs],
                id_of(method.output),
                list(method.docs),
            )
            for method in api.methods
        ]
        return ApiMetadata(api.name, methods, list(api.docs))


def _docs_of(kind: type) -> list[str]:
    """The class's own docstring, else its module's."""
    docs = vars(kind).get("__doc__") or sys.modules[kind.__module__].__doc__
    return (docs or "").strip().splitlines()
