"""One JSON document that belongs to one process: written whole, renamed into place, mode 0600.

Invariant: as long as it is open no other process opens it, and what is on disk is always one whole
document, whenever the process is killed.

Source: WP V.B (what is sealed must be opened later, over restarts).
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from pathlib import Path
from typing import Any, Final

from flockchain.workers.blob_folder import write_atomically

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
_MODE: Final = 0o600


class StateFileError(Exception):
    """The state directory cannot be used; the message says what to do."""


class LockedFile:
    """A document at a path; `close` lets another process have it. Raises StateFileError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, _MODE)
        except OSError as error:
            raise StateFileError(f"cannot use {path.parent}: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise StateFileError(
                f"{path} is in use by another worker: give each its own --state-dir"
            ) from error

    def read(self) -> Any:
        """The document, None if there is none. Raises ValueError if it is no JSON, OSError."""
        try:
            with self.path.open("rb") as file:
                return json.loads(file.read(FILE_BYTES_MAX))
        except FileNotFoundError:
            return None

    def write(self, document: dict[str, Any]) -> None:
        """Replace it, whole. Raises OSError, also if it has become too long to be read back."""
        data = json.dumps(document, indent=1).encode()
        if len(data) > FILE_BYTES_MAX:
            raise OSError(
                errno.EFBIG,
                f"{self.path} would have {len(data)} bytes, of {FILE_BYTES_MAX} that are read "
                "back: settle or finish what is open, or go on with another --state-dir",
            )
        write_atomically(self.path, data)

    def refusal(self, error: Exception) -> StateFileError:
        """What to raise for a document that is not of the expected form."""
        return StateFileError(
            f"{self.path} is no worker state ({error}): move it away; what it sealed and did "
            "not open yet is lost"
        )

    def close(self) -> None:
        """Let another process have it."""
        os.close(self._lock)
