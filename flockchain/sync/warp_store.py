"""What a warp sync has so far, on disk: proofs that were checked, and a state on its way.

It lies apart from the blocks until all of it is there: a block that is half known would never be
imported. Invariant: every step forward is one batch, so a restart goes on from the last answer; a
download without a target is one that is being given up, and its nodes are nobody's.
Source: WP II.A (state and ledger).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from flockchain.chain.block_file import BLOCK_BYTES_MAX
from flockchain.consensus.grandpa.warp_proof import Fragment
from flockchain.storage.errors import StoreCorrupted
from flockchain.storage.kv import KeyValueStore, WriteBatch
from flockchain.storage.trie_download import drop_nodes
from runtime.primitives.header import Header
from runtime.primitives.scale import DecodeError, Limit, codec_of

_FRAGMENT: Final = b"w/f"  # number (big endian) → a change of voters with its proof
_TARGET: Final = b"w/t"  # the block whose state is fetched, with its proof
_DOWNLOAD: Final = b"w/d"  # the first stem of the state's nodes, and its open nodes
_PREFIX: Final = b"w/"
_PROOF_CODEC: Final = codec_of(tuple[Header, Annotated[bytes, Limit(BLOCK_BYTES_MAX)]])
_DOWNLOAD_CODEC: Final = codec_of(tuple[bytes, bytes])


@dataclass(frozen=True, slots=True)
class DownloadRecord:
    """A state on its way: the first stem that its nodes took, and the walk."""

    first_stem: bytes
    walk: bytes


class WarpStore:
    """Reads progress; fills batches."""

    def __init__(self, store: KeyValueStore) -> None:
        self._store = store

    def fragments(self) -> Iterator[Fragment]:
        """The changes of voters that were checked, lower ones first. Raises StoreCorrupted."""
        return (_decode(raw) for _, raw in self._store.iterate(_FRAGMENT))

    def target(self) -> Fragment | None:
        """The block whose state is fetched. Raises StoreCorrupted."""
        raw = self._store.get(_TARGET)
        return None if raw is None else _decode(raw)

    def download(self) -> DownloadRecord | None:
        """The state on its way. Raises StoreCorrupted."""
        raw = self._store.get(_DOWNLOAD)
        if raw is None:
            return None
        try:
            return DownloadRecord(*_DOWNLOAD_CODEC.decode_all(raw))
        except DecodeError as error:
            raise StoreCorrupted(f"the record of a warp sync is damaged: {error}") from error

    def put_fragment(self, batch: WriteBatch, fragment: Fragment) -> None:
        """Keep a change that was checked."""
        batch.put(_FRAGMENT + fragment.header.number.to_bytes(4, "big"), _encode(fragment))

    def put_target(self, batch: WriteBatch, fragment: Fragment) -> None:
        """Keep the block that was proven."""
        batch.put(_TARGET, _encode(fragment))

    def put_download(self, batch: WriteBatch, record: DownloadRecord) -> None:
        """Keep how far the state is."""
        batch.put(_DOWNLOAD, _DOWNLOAD_CODEC.encode((record.first_stem, record.walk)))

    def drop_target(self, end_stem: bytes) -> None:
        """Give the target up, with the nodes of its state: all stems below the end are its own.

        Begun again after a crash it comes to its end: the target goes first and the download last.
        """
        record = self.download()
        batch = WriteBatch()
        batch.delete(_TARGET)
        self._store.write(batch)
        if record is not None:
            drop_nodes(self._store, record.first_stem, end_stem)
        batch = WriteBatch()
        batch.delete(_DOWNLOAD)
        self._store.write(batch)

    def clear(self, batch: WriteBatch) -> None:
        """Forget the progress; the nodes stay."""
        for key, _ in self._store.iterate(_PREFIX):
            batch.delete(key)


def _encode(fragment: Fragment) -> bytes:
    return _PROOF_CODEC.encode((fragment.header, fragment.justification))


def _decode(raw: bytes) -> Fragment:
    try:
        return Fragment(*_PROOF_CODEC.decode_all(raw))
    except DecodeError as error:
        raise StoreCorrupted(f"a proof of a warp sync is damaged: {error}") from error
