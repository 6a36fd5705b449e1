"""Releases side by side in one process: which one a node runs is set while the node is called.

A newer release of a simulation has the same rules and another spec version, so what is played is
who may execute what, and when. Invariant: outside of `playing` this very release runs.
Source: WP VII (protocol upgrades).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

from runtime import api
from runtime.frame.externalities import StateReader
from runtime.pallets.upgrades import Upgrade, Upgrades
from runtime.primitives.types import Hash
from runtime.runtime import Runtime
from runtime.version import CODE_KEY, SPEC_VERSION, parse_code

OLD: Final = SPEC_VERSION
NEW: Final = SPEC_VERSION + 1
_NEW_HASH: Final = Hash(b"n" * 32)
_AS_IT_IS: Final = nullcontext()


def playing(spec_version: int) -> AbstractContextManager[None]:
    """Within it, the release of that spec version runs; mostly it does already."""
    return _AS_IT_IS if spec_version == Runtime.spec_version else _played(spec_version)


@contextmanager
def _played(spec_version: int) -> Iterator[None]:
    before = Runtime.spec_version
    _set(spec_version)
    try:
        yield
    finally:
        _set(before)


def release_of(state: StateReader) -> int:
    """The spec version that makes the child of a state."""
    return parse_code(state.get(CODE_KEY))[0]


def upgraded_genesis(genesis: Mapping[bytes, bytes], last_block: int) -> dict[bytes, bytes]:
    """A genesis whose DAO has decided that the newer release goes on after a block."""
    decided = Upgrade(NEW, _NEW_HASH, last_block)
    item = Upgrades.scheduled
    return {**genesis, item.path(): item.value_codec.encode(decided)}


def _set(spec_version: int) -> None:
    vars(api)["SPEC_VERSION"] = Runtime.spec_version = spec_version
