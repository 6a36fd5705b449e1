"""Values as JSON-RPC spells them: hex strings, headers, versions.

Source: Substrate JSON-RPC (`sp_core::Bytes`, `sp_runtime::generic::Header` as JSON).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from runtime.frame.api_types import RuntimeVersion
from runtime.primitives.header import DIGEST_ITEM, Header
from runtime.version import STATE_VERSION

Json: TypeAlias = (
    "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"  # as orjson takes it
)


def to_hex(data: bytes) -> str:
    """Lower-case hex behind 0x."""
    return "0x" + data.hex()


def to_hex_or_none(data: bytes | None) -> str | None:
    """As `to_hex`; None is null."""
    return None if data is None else "0x" + data.hex()


def header_json(header: Header) -> dict[str, Json]:
    """The five fields from which clients compute the block's hash."""
    return {
        "parentHash": to_hex(header.parent_hash),
        "number": hex(header.number),
        "stateRoot": to_hex(header.state_root),
        "extrinsicsRoot": to_hex(header.extrinsics_root),
        "digest": {"logs": [to_hex(DIGEST_ITEM.encode(item)) for item in header.digest.logs]},
    }


def version_json(version: RuntimeVersion) -> dict[str, Json]:
    """The runtime's version as `state_getRuntimeVersion` gives it."""
    return {
        "specName": version.spec_name,
        "implName": version.impl_name,
        "authoringVersion": version.authoring_version,
        "specVersion": version.spec_version,
        "implVersion": version.impl_version,
        "apis": [[to_hex(name), number] for name, number in version.apis],
        "transactionVersion": version.transaction_version,
        "systemVersion": version.system_version,
        "stateVersion": STATE_VERSION,
    }


def spec_json(version: RuntimeVersion) -> dict[str, Json]:
    """The runtime's version as chainHead events give it: `apis` is an object there."""
    return {
        "specName": version.spec_name,
        "implName": version.impl_name,
        "specVersion": version.spec_version,
        "implVersion": version.impl_version,
        "transactionVersion": version.transaction_version,
        "apis": {to_hex(name): number for name, number in version.apis},
    }
