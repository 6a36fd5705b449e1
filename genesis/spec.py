"""Chain specs: which network a node belongs to, as JSON with Substrate's keys.

Owns the top level of the file, the presets that ship with the package, and the raw form that is
the same to the byte on every machine. Invariant: a spec that loads has a genesis state; a spec of
this chain is checked key by key, a raw spec of another network keeps keys that are not ours.
Source: Substrate `sc_chain_spec` (`ClientSpec`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from flockchain.chain.spec_hash import genesis_hash
from genesis.errors import SpecError
from genesis.patch import read_patch
from genesis.raw import RawGenesis, raw_document, read_raw
from genesis.reader import DOCUMENT_BYTES_MAX, Reader, parse_document
from genesis.setup import load_setup
from runtime.genesis import GenesisConfig, build_genesis
from runtime.primitives.ss58 import GENERIC_PREFIX, PREFIX_MAX
from runtime.primitives.types import Hash
from runtime.version import STATE_VERSION

PRESET_NAMES: Final = ("dev", "local", "devnet", "mainnet")
BOOT_NODES_MAX: Final = 256
_REQUIRED: Final = ("name", "id", "chainType", "genesis")
_OPTIONAL: Final = ("bootNodes", "protocolId", "properties")
_FOREIGN: Final = (
    *("telemetryEndpoints", "forkBlocks", "badBlocks", "consensusEngine"),
    *("codeSubstitutes", "lightSyncState"),
)  # Substrate's own, without meaning here
_CHAIN_TYPES: Final = ("Development", "Local", "Live")
_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_PATCH_PATH: Final = "genesis.runtimeGenesis.patch"


@dataclass(frozen=True)
class ChainSpec:
    """A network. `genesis` is a configuration to build, or the state of block 0 as it is."""

    name: str
    id: str
    chain_type: str | Mapping[str, str]
    boot_nodes: tuple[str, ...]
    protocol_id: str | None
    properties: Mapping[str, object]
    genesis: GenesisConfig | RawGenesis
    foreign: Mapping[str, object] = field(default_factory=dict)
    document: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def raw(self) -> RawGenesis:
        """The state of block 0. Raises: SpecError if the pallets refuse the configuration."""
        if isinstance(self.genesis, RawGenesis):
            return self.genesis
        try:
            return RawGenesis(build_genesis(self.genesis))
        except ValueError as error:
            raise SpecError(_PATCH_PATH, str(error)) from error

    def genesis_top(self) -> dict[bytes, bytes]:
        """The top trie of block 0. Raises: SpecError."""
        return dict(self.raw.top)

    def genesis_roots(self, state_version: int = STATE_VERSION) -> tuple[Hash, Hash]:
        """Genesis hash and state root. Raises: SpecError; ValueError for an unknown version."""
        return genesis_hash(self.raw.top, state_version, self.raw.children)

    def genesis_hash(self, state_version: int = STATE_VERSION) -> Hash:
        """The hash of block 0: the network's identity. Raises: as `genesis_roots`."""
        return self.genesis_roots(state_version)[0]

    def to_json(self, *, is_raw: bool) -> str:
        """The file, in the raw form or as it was read. Raises: SpecError.

        The raw form depends on nothing but the network: keys in fixed order, storage sorted.
        """
        if not is_raw:
            return json.dumps(self.document, indent=2) + "\n"
        document = {
            "name": self.name,
            "id": self.id,
            "chainType": self.chain_type,
            "bootNodes": list(self.boot_nodes),
            "protocolId": self.protocol_id,
            "properties": self.properties,
            **self.foreign,
            "genesis": {"raw": raw_document(self.raw)},
        }
        return json.dumps(document, indent=2) + "\n"


def load_chain_spec(name_or_path: str | Path) -> ChainSpec:
    """A preset (dev, local, devnet, mainnet) or a file. Raises: SpecError."""
    if name_or_path in PRESET_NAMES:
        path = Path(__file__).with_name(f"{name_or_path}.json")
    else:
        path = Path(name_or_path)
    try:
        with path.open("rb") as file:
            document = file.read(DOCUMENT_BYTES_MAX + 1)
    except OSError as error:
        raise SpecError(
            "",
            f"cannot read chain spec {path}: {error.strerror}; "
            f"give a file or one of {', '.join(PRESET_NAMES)}",
        ) from None
    try:
        spec = parse_chain_spec(document)
        load_setup(spec.genesis, path.parent)
        return spec
    except SpecError as error:
        raise SpecError(error.path, error.rule, str(path)) from None


def parse_chain_spec(text: str | bytes) -> ChainSpec:
    """The network that a document describes. Raises: SpecError."""
    root = parse_document(text)
    is_raw = _is_raw(root)
    foreign = _foreign_keys(root, is_raw=is_raw)
    # Substrate takes a network that does not say what it is for a live one.
    optional = (*_OPTIONAL, *foreign, *(("chainType",) if is_raw else ()))
    root.fields([name for name in _REQUIRED if name not in optional], optional)
    properties = _read_properties(root)
    network = _read_network(properties)
    return ChainSpec(
        name=root.key("name").text(),
        id=_read_id(root.key("id")),
        chain_type=_read_chain_type(root.key("chainType"), is_raw=is_raw),
        boot_nodes=_read_boot_nodes(root.find("bootNodes")),
        protocol_id=None if (found := root.find("protocolId")) is None else found.text(64),
        properties={} if properties is None else properties.object(),
        genesis=_read_genesis(root.key("genesis"), network),
        foreign={name: root.object()[name] for name in foreign},
        document=root.object(),
    )


def _is_raw(root: Reader) -> bool:
    """Whether the spec holds the state of block 0. Raises: SpecError if it holds only its root."""
    genesis = root.key("genesis")
    if not isinstance(genesis.value, dict):
        return False
    if "stateRootHash" in genesis.value:
        genesis.key("stateRootHash").fail(
            "this is a light client's spec; the state of block 0 is needed, as genesis.raw.top"
        )
    return "raw" in genesis.value


def _foreign_keys(root: Reader, *, is_raw: bool) -> tuple[str, ...]:
    """Keys that another network's node understands; a slip of the pen is none of them."""
    own = {name.lower(): name for name in (*_REQUIRED, *_OPTIONAL)}
    others = [name for name in root.object() if name not in own.values()]
    for name in others:
        if name.lower() in own:
            root.key(name).fail(f"unknown key; is {own[name.lower()]} meant?")
    if is_raw:
        return tuple(others)
    return tuple(name for name in others if name in _FOREIGN and not root.object()[name])


def _read_id(reader: Reader) -> str:
    # The id names the directory of the chain's data, so it must not lead out of it.
    text = reader.text(128)
    if not _ID.fullmatch(text):
        reader.fail(
            f"1 to 64 letters, digits, _, - and . are needed, no . in front, not {reader.show()}"
        )
    return text


def _read_chain_type(reader: Reader, *, is_raw: bool) -> str | Mapping[str, str]:
    if is_raw and reader.value is None:
        return "Live"
    if isinstance(reader.value, dict):
        return {"Custom": reader.fields({"Custom"}).key("Custom").text()}
    return reader.choice(*_CHAIN_TYPES)


def _read_boot_nodes(reader: Reader | None) -> tuple[str, ...]:
    entries = [] if reader is None else reader.items(0, BOOT_NODES_MAX)
    for entry in entries:
        if not entry.text(512).startswith("/") or "/p2p/" not in entry.text(512):
            entry.fail(f"a multiaddress /.../p2p/<peer id> is needed, not {entry.show()}")
    return tuple(entry.text(512) for entry in entries)


def _read_properties(root: Reader) -> Reader | None:
    reader = root.find("properties")
    if reader is not None:
        reader.object()
    return reader


def _read_network(properties: Reader | None) -> int:
    """The SS58 prefix that the spec's addresses carry."""
    found = None if properties is None else properties.find("ss58Format")
    return GENERIC_PREFIX if found is None else found.integer(0, PREFIX_MAX)


def _read_genesis(reader: Reader, network: int) -> GenesisConfig | RawGenesis:
    if "raw" in reader.object():
        return read_raw(reader.fields({"raw"}).key("raw"))
    runtime = reader.fields({"runtimeGenesis"}).key("runtimeGenesis").fields({"patch"})
    return read_patch(runtime.key("patch"), network)
