"""Block headers and digests, in the five fields that every Substrate client hashes.

Anything that consensus adds travels in digest items. A seal is always the last item; what an author
signs is the header without it.

Source: Substrate `sp_runtime::generic::{Header, Digest}`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, cast

from runtime.primitives.hashing import blake2b_256
from runtime.primitives.scale import ScaleEnum, codec_of, scale_type
from runtime.primitives.scale.compact import compact_bytes
from runtime.primitives.types import Bytes4, CompactU32, Hash

_HASHES_BYTES: Final = 3 * 32  # the parent's, the state's and the extrinsics'
_SEAL_HEAD_BYTES: Final = 1 + 4  # its index and its engine


class DigestItem(ScaleEnum, path="sp_runtime::generic::digest::DigestItem"):
    """One entry of a header's digest."""


class Other(DigestItem, index=0, flat=True):
    """Opaque bytes."""

    data: bytes


class Consensus(DigestItem, index=4, flat=True):
    """A message from the runtime to the consensus engine."""

    engine: Bytes4
    data: bytes


class Seal(DigestItem, index=5, flat=True):
    """The author's signature; not part of what is executed."""

    engine: Bytes4
    data: bytes


class PreRuntime(DigestItem, index=6, flat=True):
    """A message from the consensus engine to the runtime."""

    engine: Bytes4
    data: bytes


class RuntimeEnvironmentUpdated(DigestItem, index=8):
    """The block changed `:code`."""


@scale_type(path="sp_runtime::generic::digest::Digest")
class Digest:
    """The items in order."""

    logs: list[DigestItem]


class _Encoded:
    """Where a header keeps its bytes: import, storage and fork choice all ask for them."""

    __slots__ = ("encoded",)


_keep_encoded = cast(Any, _Encoded).encoded.__set__  # headers are frozen


@scale_type(path="sp_runtime::generic::header::Header")
class Header(_Encoded):
    """A block header; `number` is compact on the wire."""

    parent_hash: Hash
    number: CompactU32
    state_root: Hash
    extrinsics_root: Hash
    digest: Digest

    def encode(self) -> bytes:
        """SCALE bytes, seal included."""
        try:
            return self.encoded  # type: ignore[no-any-return, attr-defined]
        except AttributeError:
            encoded = HEADER.encode(self)
            _keep_encoded(self, encoded)
            return encoded

    def hash(self) -> Hash:
        """blake2b-256 of the SCALE bytes, seal included: the block's identity."""
        return blake2b_256(self.encode())

    def encode_unsealed(self) -> bytes:
        """SCALE bytes of `without_seal`, cut out of the header's own: nothing is encoded again."""
        seal, whole, count = self.seal(), self.encode(), len(self.digest.logs)
        if seal is None:
            return whole
        start = _HASHES_BYTES + len(compact_bytes(self.number))
        items = start + len(compact_bytes(count))
        end = len(whole) - _SEAL_HEAD_BYTES - len(compact_bytes(len(seal.data))) - len(seal.data)
        return whole[:start] + compact_bytes(count - 1) + whole[items:end]

    def without_seal(self) -> Header:
        """What the author signed. The same header if it carries no seal."""
        if self.seal() is None:
            return self
        return Header(
            self.parent_hash,
            self.number,
            self.state_root,
            self.extrinsics_root,
            self.unsealed_digest(),
        )

    def unsealed_digest(self) -> Digest:
        """The digest without the seal: what execution gives."""
        return self.digest if self.seal() is None else Digest(self.digest.logs[:-1])

    def seal(self) -> Seal | None:
        """The last digest item if it is a seal."""
        logs = self.digest.logs
        last = logs[-1] if logs else None
        return last if isinstance(last, Seal) else None

    def with_log(self, item: DigestItem) -> Header:
        """The header with `item` appended to its digest."""
        return replace(self, digest=Digest([*self.digest.logs, item]))


HEADER = codec_of(Header)
DIGEST_ITEM = codec_of(DigestItem)


def decode_header(data: bytes) -> Header:
    """The header that fills `data`. Raises DecodeError.

    It keeps the bytes: a header has one encoding, since the codecs refuse any but the shortest.
    """
    header = HEADER.decode_all(data)
    _keep_encoded(header, data)
    return header
