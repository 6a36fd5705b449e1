"""Headers, bodies, justifications and the number index, over the ordered store.

Everything is written through batches that the caller completes: a block becomes durable whole or
not at all.

Source: Substrate `sc_client_db` columns.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from flockchain.storage.kv import KeyValueStore, WriteBatch
from runtime.primitives.header import Header, decode_header
from runtime.primitives.scale import codec_of
from runtime.primitives.types import Hash

EXTRINSICS_MAX: Final = 16_384  # in a block of others, more are not even decoded
_HEADER: Final = b"h"
_BODY: Final = b"b"
_JUSTIFICATION: Final = b"j"
_PASSING: Final = b"p"
_NUMBER: Final = b"n"  # number (big endian) → hash, along the best chain
_UNFINALIZED: Final = b"u"  # number (big endian) ‖ hash, of every block above the finalized one
_CHANGE: Final = b"c"  # number (big endian) → hash, of final blocks that name new voters
_META: Final = b"m/"
_BODY_CODEC: Final = codec_of(list[bytes])
_HEADERS_CACHED: Final = 4_096


def _number_key(number: int) -> bytes:
    return _NUMBER + number.to_bytes(4, "big")


class BlockStore:
    """Reads blocks; fills batches."""

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store
        self._headers: OrderedDict[Hash, Header] = OrderedDict()

    # -- reading

    def header(self, block: Hash) -> Header | None:
        """The header, or None if the block is not known."""
        cached = self._headers.get(block)
        if cached is not None:
            return cached
        raw = self._store.get(_HEADER + block)
        if raw is None:
            return None
        header = decode_header(raw)
        self._remember(block, header)
        return header

    def has(self, block: Hash) -> bool:
        """Whether the block is known."""
        return block in self._headers or self._store.get(_HEADER + block) is not None

    def body(self, block: Hash) -> list[bytes] | None:
        """The extrinsics with their length prefixes, or None if the block is not known."""
        raw = self._store.get(_BODY + block)
        return None if raw is None else _BODY_CODEC.decode_all(raw)

    def justification(self, block: Hash) -> bytes | None:
        """The kept proof of finality, or None."""
        return self._store.get(_JUSTIFICATION + block) or self._store.get(_PASSING + block)

    def is_passing_proof(self, block: Hash) -> bool:
        """Whether the block's proof is only kept as long as it is the newest."""
        return self._store.get(_PASSING + block) is not None

    def hash_at(self, number: int) -> Hash | None:
        """The block of that number on the best chain."""
        raw = self._store.get(_number_key(number)) if 0 <= number < 2**32 else None
        return None if raw is None else Hash(raw)

    def unfinalized(self) -> Iterator[tuple[int, Hash]]:
        """Number and hash of every block above the finalized one, by number."""
        for key, _ in self._store.iterate(_UNFINALIZED):
            yield int.from_bytes(key[1:5], "big"), Hash(key[5:])

    def changes(self, above: int) -> Iterator[Hash]:
        """The final blocks above a height that name new voters, lower ones first."""
        start = _CHANGE + (above + 1).to_bytes(4, "big")
        for _, block in self._store.iterate(_CHANGE, start):
            yield Hash(block)

    def meta(self, name: str) -> bytes | None:
        """A named value: `genesis`, `best`, `finalized`, `changes`, `history`, `pruned`."""
        return self._store.get(_META + name.encode())

    # -- filling batches

    def put_block(self, batch: WriteBatch, block: Hash, header: Header, body: list[bytes]) -> None:
        """Add a block that is not final yet."""
        batch.put(_HEADER + block, header.encode())
        batch.put(_BODY + block, _BODY_CODEC.encode(body))
        batch.put(_UNFINALIZED + header.number.to_bytes(4, "big") + block, b"")

    def put_header(self, batch: WriteBatch, block: Hash, header: Header) -> None:
        """Add a final block of which the body is not here."""
        batch.put(_HEADER + block, header.encode())
        self.put_number(batch, header.number, block)

    def put_past_block(
        self, batch: WriteBatch, block: Hash, header: Header, body: list[bytes]
    ) -> None:
        """Add a final block that was proven before it came."""
        self.put_header(batch, block, header)
        batch.put(_BODY + block, _BODY_CODEC.encode(body))

    def put_change(self, batch: WriteBatch, number: int, block: Hash) -> None:
        """A final block names new voters."""
        batch.put(_CHANGE + number.to_bytes(4, "big"), block)

    def remember(self, block: Hash, header: Header) -> None:
        """Cache a header whose batch was written."""
        self._remember(block, header)

    def put_justification(
        self, batch: WriteBatch, block: Hash, justification: bytes, *, passing: bool = False
    ) -> None:
        """Keep a proof of finality, for good or until a newer one comes."""
        batch.put((_PASSING if passing else _JUSTIFICATION) + block, justification)

    def remove_justification(self, batch: WriteBatch, block: Hash) -> None:
        """Let go of a proof that has passed."""
        batch.delete(_PASSING + block)

    def put_number(self, batch: WriteBatch, number: int, block: Hash) -> None:
        """Put a block onto the best chain."""
        batch.put(_number_key(number), block)

    def remove_number(self, batch: WriteBatch, number: int) -> None:
        """The best chain became shorter."""
        batch.delete(_number_key(number))

    def put_meta(self, batch: WriteBatch, name: str, value: bytes) -> None:
        """Set a named value."""
        batch.put(_META + name.encode(), value)

    def remove_meta(self, batch: WriteBatch, name: str) -> None:
        """Drop a named value."""
        batch.delete(_META + name.encode())

    def mark_final(self, batch: WriteBatch, number: int, block: Hash) -> None:
        """The block is no longer among the unfinalized ones."""
        batch.delete(_UNFINALIZED + number.to_bytes(4, "big") + block)

    def remove_block(self, batch: WriteBatch, number: int, block: Hash) -> None:
        """Forget a block of a fork that lost."""
        self._headers.pop(block, None)
        batch.delete(_HEADER + block)
        batch.delete(_BODY + block)
        self.mark_final(batch, number, block)

    def remove_body(self, batch: WriteBatch, block: Hash) -> None:
        """Let go of a final block's extrinsics; its header stays."""
        batch.delete(_BODY + block)

    def _remember(self, block: Hash, header: Header) -> None:
        self._headers[block] = header
        if len(self._headers) > _HEADERS_CACHED:
            self._headers.popitem(last=False)
