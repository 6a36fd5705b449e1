"""Blobs and secrets in a worker's state directory: files by content id, readable by their owner.

Invariant: a file is there whole or not at all, and what is read has the content id that names it.

Source: WP V.C (data and models off the chain).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from runtime.primitives.content_id import ContentId, cid_text, content_id

_MODE: Final = 0o600


class BlobFolder:
    """The blobs beneath a state directory."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / "blobs"

    def put(self, data: bytes) -> ContentId:
        """Keep a blob; its content id. Raises OSError."""
        digest = content_id(data)
        path = self._folder / cid_text(digest)
        if not path.exists():
            for folder in (self._folder.parent, self._folder):  # `parents` would not set modes
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(path, data)
        return digest

    def find(self, digest: bytes) -> bytes | None:
        """A kept blob, or None if it is not there whole. Raises OSError."""
        try:
            data = (self._folder / cid_text(digest)).read_bytes()
        except FileNotFoundError:
            return None
        return data if content_id(data) == digest else None

    def drop(self, digest: bytes) -> None:
        """Forget a blob."""
        (self._folder / cid_text(digest)).unlink(missing_ok=True)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file whole, readable by its owner only. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)  # else a power cut could bring the old file back
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
