"""The files of the blob store: one flat directory, opened once, reached by descriptor only.

Owns atomic writes, reads and removals. Invariant: a file name is 64 hexadecimal characters, made
here from 32 bytes, with an optional suffix made here from an integer; a symbolic link is never
followed; a file that exists under its final name was written and flushed whole.
Source: WP V.C; POSIX openat, rename, fsync.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flockchain.blobs.errors import BlobCorruptError, BlobMissingError
from runtime.primitives.content_id import CHUNK_BYTES, ContentId

_FILE_NAME: Final = re.compile(r"([0-9a-f]{64})(?:-(?:([0-9a-f]{8})|(pin)))?", re.ASCII)
_TEMPORARY_PREFIX: Final = "writing-"
_READ_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_WRITE_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file found at start: a manifest, a chunk (`chunk` is its index) or a pin."""

    blob: ContentId
    chunk: int | None
    is_pin: bool
    size_bytes: int
    modified_ns: int


def manifest_name(blob: ContentId) -> str:
    """The file that holds a blob's manifest."""
    return blob.hex()


def chunk_name(blob: ContentId, index: int) -> str:
    """The file that holds chunk `index` of a blob."""
    return f"{blob.hex()}-{index:08x}"


def pin_name(blob: ContentId) -> str:
    """The empty file whose presence pins a blob."""
    return f"{blob.hex()}-pin"


class BlobDirectory:
    """A directory descriptor and the few operations on names beneath it."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def close(self) -> None:
        """Give the descriptor back, once; the directory cannot be used after."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def files(self) -> Iterator[StoredFile]:
        """Every regular file with a name of the store's own form; half-written ones are removed."""
        for name in sorted(os.listdir(self._descriptor)):
            if name.startswith(_TEMPORARY_PREFIX):
                self.remove(name)
                continue
            match = _FILE_NAME.fullmatch(name)
            status = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
            if match is None or not stat.S_ISREG(status.st_mode):
                continue
            yield StoredFile(
                blob=ContentId(bytes.fromhex(match[1])),
                chunk=int(match[2], 16) if match[2] else None,
                is_pin=match[3] is not None,
                size_bytes=status.st_size,
                modified_ns=status.st_mtime_ns,
            )

    def read(self, name: str, size_max_bytes: int = CHUNK_BYTES) -> bytes:
        """The whole file. Raises `BlobMissingError`, or `BlobCorruptError` if above the limit."""
        with self._open(name) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(size_max_bytes + 1)
        if len(content) > size_max_bytes:
            raise BlobCorruptError(f"file {name} is above {size_max_bytes} bytes")
        return content

    def write(self, name: str, content: bytes) -> None:
        """Put a file in place whole: temporary file, flush, rename, flush of the directory."""
        temporary = f"{_TEMPORARY_PREFIX}{name}"
        self.remove(temporary)
        descriptor = os.open(temporary, _WRITE_FLAGS, 0o600, dir_fd=self._descriptor)
        try:
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        os.fsync(self._descriptor)

    def touch(self, name: str) -> None:
        """Note a use in the file's modification time, so that the order of uses outlives us."""
        with contextlib.suppress(FileNotFoundError):
            os.utime(name, dir_fd=self._descriptor, follow_symlinks=False)

    def remove(self, name: str) -> None:
        """Remove a file, or do nothing if it is not there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptor)

    @contextlib.contextmanager
    def _open(self, name: str) -> Iterator[int]:
        try:
            descriptor = os.open(name, _READ_FLAGS, dir_fd=self._descriptor)
        except FileNotFoundError as error:
            raise BlobMissingError(f"file {name} is gone") from error
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            raise BlobCorruptError(f"file {name} is a symbolic link") from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)
