"""Migrations: a state that an older release left becomes one that this release can read.

Every pallet has a storage version, in the state and in its class. Before the first block of a new
release each pallet's state is brought up by the class's steps, one version at a time, in the order
of the pallets; later blocks find nothing to do.
Invariant: a state with a newer version than the class has is refused, never touched.
Source: Substrate `frame_support::traits::StorageVersion`, `OnRuntimeUpgrade`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from runtime.frame.pallet import Pallet


class UnknownStorage(Exception):
    """A pallet's state is newer than this release, or too old for its migrations."""


class VersionBook(Protocol):
    """Who keeps the storage versions."""

    def version_of(self, pallet_index: int) -> int:
        """The storage version of a pallet's state."""

    def set_version(self, pallet_index: int, version: int) -> None:
        """Note that a pallet's state was migrated."""


def ensure_known(pallets: Sequence[Pallet[Any]], book: VersionBook) -> None:
    """Raises UnknownStorage for a state that this release cannot read or bring up."""
    for pallet in pallets:
        name, found = type(pallet).__name__, book.version_of(pallet.pallet_index)
        if found > pallet.stored_version:
            raise UnknownStorage(
                f"the state of {name} has storage version {found}, this release knows "
                f"{pallet.stored_version}: install the release that the chain runs"
            )
        missing = [
            version
            for version in range(found, pallet.stored_version)
            if version not in pallet.migrations
        ]
        if missing:
            raise UnknownStorage(
                f"the state of {name} has storage version {found}, and this release has no "
                f"migration from {missing[0]}: install the releases in between first"
            )


def migrate(pallets: Sequence[Pallet[Any]], book: VersionBook) -> int:
    """Bring every pallet's state up to its class; how many steps that took.

    Raises UnknownStorage before anything is written.
    """
    ensure_known(pallets, book)
    steps = 0
    for pallet in pallets:
        for version in range(book.version_of(pallet.pallet_index), pallet.stored_version):
            pallet.migrations[version](pallet)
            book.set_version(pallet.pallet_index, version + 1)
            steps += 1
    return steps
