"""The node's network key: an ed25519 seed of 32 bytes in a file.

It owns reading and creating that file. Invariant: the file holds exactly 32 bytes and is never
readable by others when this module created it.
Source: WP II.A (peer-to-peer layer); RFC 8032
"""

import os
import secrets
from pathlib import Path
from typing import Final

SEED_SIZE: Final = 32


class NodeKeyError(Exception):
    """The node key file cannot be used; the message names it and the reason."""


def load_node_key(path: Path) -> bytes:
    """The seed in `path`, created with mode 0600 if the file is absent.

    Raises: NodeKeyError: it cannot be read or written, or is not 32 bytes long.
    """
    try:
        seed = path.read_bytes() if path.exists() else _create(path)
    except OSError as error:
        raise NodeKeyError(f"node key {path} cannot be used: {error.strerror}") from error
    if len(seed) != SEED_SIZE:
        raise NodeKeyError(f"node key {path} has {len(seed)} bytes, not {SEED_SIZE}")
    return seed


def _create(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = secrets.token_bytes(SEED_SIZE)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(seed)
        file.flush()
        os.fsync(file.fileno())
    return seed
