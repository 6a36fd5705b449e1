"""`genesis.raw`: the state of block 0 as keys and values, ours or any Substrate network's.

Source: Substrate `sc_chain_spec::RawGenesis`; Polkadot Host specification (chain specification).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from genesis.reader import Reader

KEY_BYTES_MAX: Final = 65_535 // 2  # a trie key's nibbles are counted in 16 bits
KEYS_MAX: Final = 2_000_000


@dataclass(frozen=True)
class RawGenesis:
    """The top trie, and the default child tries by their id."""

    top: Mapping[bytes, bytes]
    children: Mapping[bytes, Mapping[bytes, bytes]] = field(default_factory=dict)


def read_raw(reader: Reader) -> RawGenesis:
    """`{"top": {key: value}, "childrenDefault": {id: {key: value}}}`. Raises: SpecError."""
    reader.fields({"top"}, {"childrenDefault"})
    children = reader.find("childrenDefault")
    if children is None:
        return RawGenesis(_read_pairs(reader.key("top")))
    tries = {
        _read_key(children, child): _read_pairs(children.key(child)) for child in children.object()
    }
    return RawGenesis(_read_pairs(reader.key("top")), tries)


def _read_pairs(reader: Reader) -> dict[bytes, bytes]:
    pairs: dict[bytes, bytes] = {}
    if len(reader.object()) > KEYS_MAX:
        reader.fail(f"more than {KEYS_MAX} keys")
    for name in reader.object():
        key = _read_key(reader, name)
        if key in pairs:
            reader.key(name).fail("the key appears twice, in another case")
        pairs[key] = reader.key(name).hex()
    return pairs


def _read_key(reader: Reader, name: str) -> bytes:
    key = Reader(name, reader.key(name).path).hex()
    if len(key) > KEY_BYTES_MAX:
        reader.key(name).fail(f"a storage key has at most {KEY_BYTES_MAX} bytes")
    return key


def raw_document(raw: RawGenesis) -> dict[str, object]:
    """The section as JSON, keys in byte order."""
    children = {f"0x{child.hex()}": _to_hex(raw.children[child]) for child in sorted(raw.children)}
    return {"top": _to_hex(raw.top), "childrenDefault": children}


def _to_hex(pairs: Mapping[bytes, bytes]) -> dict[str, str]:
    return {f"0x{key.hex()}": f"0x{pairs[key].hex()}" for key in sorted(pairs)}
