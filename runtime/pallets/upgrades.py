"""Upgrades: which release executes the chain from which block on, as the DAO decided.

The code of a runtime is a program that operators install, so the chain holds its version and the
hash of its sources. The block that is named is the last one of the old release: at its end the name
of the runtime in the state changes, and no release but the new one makes or executes another block.
Invariant (`try_state`): what is scheduled is newer than what runs, and lies ahead.
Source: WP VII (protocol upgrades); Substrate `frame_system::set_code`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from runtime import frame
from runtime.frame.weights import Weight
from runtime.primitives.types import U32, BlockNumber, Hash

SCHEDULE = Weight(60_000_000)


@frame.scale_type
class Upgrade:
    """A release by spec version and hash of its sources; `last_block`: that of the one before."""

    spec_version: U32
    release: Hash
    last_block: BlockNumber


@frame.event(0)
class UpgradeScheduled:
    """After `last_block` only this release goes on. Operators install it then."""

    upgrade: Upgrade


@frame.event(1)
class UpgradeCancelled:
    """The upgrade does not take place."""

    upgrade: Upgrade


@frame.event(2)
class UpgradeDue:
    """This was the last block of the old release."""

    upgrade: Upgrade


class NotNewer(frame.ModuleError, index=0):
    """The spec version is that of today, or an older one."""


class TooSoon(frame.ModuleError, index=1):
    """Operators need more notice than that. Name a later block."""


class NothingScheduled(frame.ModuleError, index=2):
    """No upgrade is scheduled."""


class Code(Protocol):
    """Who keeps the runtime's name in the state, and the current block."""

    def set_code(self, code: bytes) -> None:
        """Name the runtime of the next block."""

    def block_number(self) -> int:
        """The current block's number."""


@dataclass(frozen=True)
class Config:
    """`spec_version` of this release; `notice_blocks`: the least from a decision to an upgrade."""

    spec_version: U32
    notice_blocks: U32


class Upgrades(frame.Pallet[Config], index=39):
    scheduled = frame.StorageValue[Upgrade](Upgrade, docs="The upgrade that was decided.")
    latest = frame.StorageValue[Upgrade](Upgrade, docs="The upgrade that took place last.")

    def __init__(
        self,
        ext: frame.Externalities,
        config: Config,
        *,
        code: Code,
        name_of: Callable[[int], bytes],
    ) -> None:
        """`name_of`: how the state names a spec version of this chain's runtime."""
        super().__init__(ext, config)
        self.code, self.name_of = code, name_of

    @frame.call(0, weight=SCHEDULE)
    def schedule(
        self, origin: frame.Origin, spec_version: U32, release: Hash, last_block: BlockNumber
    ) -> None:
        """Let a newer release go on after a block, in place of what was scheduled. Root.

        Emits UpgradeScheduled. Raises NotNewer, TooSoon.
        """
        frame.ensure_root(origin)
        if spec_version <= self.config.spec_version:
            raise NotNewer
        if last_block < self.code.block_number() + self.config.notice_blocks:
            raise TooSoon
        upgrade = Upgrade(spec_version, release, last_block)
        self.scheduled.put(upgrade)
        self.deposit_event(UpgradeScheduled(upgrade))

    @frame.call(1, weight=SCHEDULE)
    def cancel(self, origin: frame.Origin) -> None:
        """Take back what was scheduled. Root. Emits UpgradeCancelled. Raises NothingScheduled."""
        frame.ensure_root(origin)
        upgrade = self.scheduled.find()
        if upgrade is None:
            raise NothingScheduled
        self.scheduled.remove()
        self.deposit_event(UpgradeCancelled(upgrade))

    def on_finalize(self, number: BlockNumber) -> None:
        """At the end of the last block name the new runtime: this block's signatures are checked
        with the version that they were made for."""
        upgrade = self.scheduled.find()
        if upgrade is None or number < upgrade.last_block:
            return
        self.scheduled.remove()
        self.latest.put(upgrade)
        self.code.set_code(self.name_of(upgrade.spec_version))
        self.deposit_event(UpgradeDue(upgrade))

    def try_state(self) -> None:
        upgrade = self.scheduled.find()
        if upgrade is not None:
            assert upgrade.spec_version > self.config.spec_version
            assert upgrade.last_block >= self.code.block_number()
