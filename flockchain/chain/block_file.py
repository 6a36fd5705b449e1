"""Blocks in a file: their number, then one signed block after another, as Substrate exports them.

Owns the form of the file: a u64, then header, extrinsics and proofs of finality of each block in
SCALE. Invariant: a block is read only if it is whole and within a block's limits, and a file of any
size is read through a window of a few megabytes.

Source: Substrate `sc_service::chain_ops` (`export_blocks --binary`), `sp_runtime::SignedBlock`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, BinaryIO, Final

from flockchain.chain.blocks import EXTRINSICS_MAX
from runtime.primitives.header import HEADER, Header
from runtime.primitives.scale import DecodeError, Limit, codec_of
from runtime.primitives.scale.compact import decode_compact, encode_compact
from runtime.primitives.types import Bytes4

FINALITY_ENGINE: Final = b"FRNK"
BLOCK_BYTES_MAX: Final = 2 << 20
_COUNT_BYTES: Final = 8
_WINDOW_BYTES: Final = 2 * BLOCK_BYTES_MAX
_PROOF: Final = tuple[Bytes4, Annotated[bytes, Limit(BLOCK_BYTES_MAX)]]
_PROOFS: Final = codec_of(Annotated[list[_PROOF], Limit(8)] | None)  # type: ignore[valid-type]


class BlockFileError(ValueError):
    """The file is no list of blocks; the message says where it breaks off."""


@dataclass(frozen=True, slots=True)
class FiledBlock:
    """A block with its extrinsics, length prefixes included, and its proof of finality if any."""

    header: Header
    body: list[bytes]
    justification: bytes | None = None

    def encode(self) -> bytes:
        """The block as it stands in the file."""
        proofs = None if self.justification is None else [(FINALITY_ENGINE, self.justification)]
        out = bytearray(self.header.encode())
        encode_compact(len(self.body), out)
        for extrinsic in self.body:
            out += extrinsic
        out += _PROOFS.encode(proofs)
        return bytes(out)


def write_blocks(file: BinaryIO, count: int, blocks: Iterable[FiledBlock]) -> None:
    """Write `count` blocks. Raises OSError."""
    file.write(count.to_bytes(_COUNT_BYTES, "little"))
    for block in blocks:
        file.write(block.encode())


class BlockFile:
    """Reads blocks one by one. `count` is how many the file says it has."""

    def __init__(self, file: BinaryIO) -> None:
        """Raises BlockFileError, OSError."""
        self._file = file
        self._window = b""
        head = file.read(_COUNT_BYTES)
        if len(head) < _COUNT_BYTES:
            raise BlockFileError("the file is empty, or no file of blocks")
        self.count = int.from_bytes(head, "little")

    def __iter__(self) -> Iterator[FiledBlock]:
        """The blocks in order. Raises BlockFileError, OSError."""
        for place in range(1, self.count + 1):
            if len(self._window) < BLOCK_BYTES_MAX:
                self._window += self._file.read(_WINDOW_BYTES - len(self._window))
            try:
                block, end = _decode(self._window)
            except DecodeError as error:
                raise BlockFileError(f"block {place} of {self.count}: {error}") from error
            self._window = self._window[end:]
            yield block
        if self._window or self._file.read(1):
            raise BlockFileError(f"the file goes on after its {self.count} blocks")


def _decode(data: bytes) -> tuple[FiledBlock, int]:
    """The first block, and where it ends. Raises DecodeError."""
    header, at = HEADER.decode(data)
    count, at = decode_compact(data, at)
    if count > EXTRINSICS_MAX:
        raise DecodeError(f"{count} extrinsics, a block has {EXTRINSICS_MAX} at most")
    body: list[bytes] = []
    for _ in range(count):
        length, begin = decode_compact(data, at)
        if begin + length > len(data):
            raise DecodeError("the file ends within an extrinsic, or it is larger than a block")
        body.append(data[at : begin + length])
        at = begin + length
    proofs, at = _PROOFS.decode(data, at)
    found = next((proof for engine, proof in proofs or () if engine == FINALITY_ENGINE), None)
    return FiledBlock(header, body, found), at
