"""Storage queries of the new JSON-RPC groups: values, hashes, and everything below a key.

What lies below a key may be the whole state, so answers come piece by piece and wait for the
reader between any two.

Source: the new JSON-RPC specification, `chainHead_v1_storage` and `archive_v1_storage`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from flockchain.rpc.errors import InvalidParams
from flockchain.rpc.params import JsonItem, parse_bytes
from flockchain.rpc.wire import Json, to_hex
from flockchain.storage.state_reader import StateReader
from runtime.primitives.hashing import blake2b_256

QUERIES_MAX: Final = 256
PIECE_ITEMS: Final = 64  # of what lies below a key, in one event


class Kind(enum.Enum):
    """What is asked of a key."""

    VALUE = "value"
    HASH = "hash"
    CLOSEST = "closestDescendantMerkleValue"
    DESCENDANTS_VALUES = "descendantsValues"
    DESCENDANTS_HASHES = "descendantsHashes"


@dataclass(frozen=True, slots=True)
class Query:
    """One item of a request. `start` is the last key that the client has already."""

    key: bytes
    kind: Kind
    start: bytes | None = None


def parse_queries(items: list[JsonItem], child_trie: object) -> list[Query]:
    """The items of a request. Raises InvalidParams."""
    if child_trie is not None:
        raise InvalidParams("the chain has no child tries")
    if len(items) > QUERIES_MAX:
        raise InvalidParams(f"{len(items)} items, the most is {QUERIES_MAX}")
    return [_parse_query(item) for item in items]


def _parse_query(item: object) -> Query:
    if not isinstance(item, Mapping):
        raise InvalidParams("an item is an object with key and type")
    try:
        kind = Kind(item.get("type"))
    except ValueError as error:
        raise InvalidParams(f"type {item.get('type')!r} is not known") from error
    start = item.get("paginationStartKey")
    return Query(parse_bytes(item.get("key")), kind, None if start is None else parse_bytes(start))


def find_items(state: StateReader, queries: list[Query]) -> Iterator[list[dict[str, Json]]]:
    """The items that the state has, in pieces; nothing for what it lacks."""
    for query in queries:
        if query.kind in (Kind.DESCENDANTS_VALUES, Kind.DESCENDANTS_HASHES):
            yield from _descendants(state, query)
            continue
        found = _find_one(state, query)
        if found is not None:
            yield [{"key": to_hex(query.key), query.kind.value: to_hex(found)}]


def _find_one(state: StateReader, query: Query) -> bytes | None:
    if query.kind is Kind.CLOSEST:
        return state.closest_descendant_merkle_value(query.key)
    value = state.get(query.key)
    return blake2b_256(value) if value is not None and query.kind is Kind.HASH else value


def _descendants(state: StateReader, query: Query) -> Iterator[list[dict[str, Json]]]:
    piece: list[dict[str, Json]] = []
    for key, value in state.pairs(query.key, query.start):
        if query.kind is Kind.DESCENDANTS_VALUES:
            piece.append({"key": to_hex(key), "value": to_hex(value)})
        else:
            piece.append({"key": to_hex(key), "hash": to_hex(blake2b_256(value))})
        if len(piece) == PIECE_ITEMS:
            yield piece
            piece = []
    if piece:
        yield piece
