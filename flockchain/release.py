"""Which release this is: the version of the state transition and the hash of its sources.

Two installations with one hash execute every block alike, whoever packed them; a proposal to
upgrade names it, and operators compare.
Source: WP VII (protocol upgrades).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import runtime
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.scale import codec_of
from runtime.primitives.types import Hash

_FILE = codec_of(tuple[str, bytes])


@cache
def release_hash() -> Hash:
    """blake2b-256 of every source file of `runtime`: its path and bytes, by path."""
    root = Path(runtime.__file__).parent
    files = sorted((path.relative_to(root).as_posix(), path) for path in root.rglob("*.py"))
    encoded = (_FILE.encode((name, path.read_bytes())) for name, path in files)
    return Hash(blake2b_256(b"".join(encoded)))
