"""Whether this release may go on with the chain: the state of its blocks says so.

Owns the look at every new best and final block. What is scheduled is told to the operator once.
On a last block of this release nothing is built; the nodes bring the blocks beside it and vote,
also for the last block itself, until one is final, since only this release can execute them all.
Then the release is over. Invariant: no block is executed on a state that names another release.
Source: WP VII (protocol upgrades); Substrate `frame_system::set_code`.
"""

from __future__ import annotations

import logging
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.clock import Clock
from runtime.api import executing_preset
from runtime.pallets.upgrades import Upgrade, Upgrades
from runtime.primitives.types import Hash
from runtime.version import UnknownRuntime

log = logging.getLogger(__name__)

LINGER_MS: Final = 10_000
"""How long a node whose release is over says its votes again: others may lack one of them."""


def ends_release(backend: Backend, block: Hash) -> bool:
    """Whether this release builds nothing on a block. Raises UnknownParent, StateDiscarded."""
    return _other_release(backend, block) is not None


def _other_release(backend: Backend, block: Hash) -> str | None:
    """What to do where the state behind a block names another release."""
    try:
        executing_preset(backend.state_at(block))
    except UnknownRuntime as error:
        return str(error)
    return None


class ReleaseWatch:
    """`outdated` is None while all is well, else what to do."""

    def __init__(self, backend: Backend, clock: Clock) -> None:
        self._backend = backend
        self._clock = clock
        self._told: Upgrade | None = None
        self._over_ms = 0
        self.outdated: str | None = None
        """A final block names another release: what to install."""
        self.resting: str | None = None
        """The best block names another release: nothing is built on it."""
        self.look_best(backend.best.hash)
        self.look_final(backend.finalized.hash)

    def look_best(self, best: Hash) -> None:
        """A block became the best one."""
        before, self.resting = self.resting, _other_release(self._backend, best)
        if self.resting is None:
            self._tell_scheduled(best)
        elif before is None:
            log.warning(
                "block %d may be the last of this release; it votes until one is final: %s",
                self._backend.best.number,
                self.resting,
            )

    def look_final(self, block: Hash) -> None:
        """A block became final."""
        before, self.outdated = self.outdated, _other_release(self._backend, block)
        if before is None:
            self._over_ms = self._clock.now_ms() + LINGER_MS

    @property
    def is_over(self) -> bool:
        """Whether the release has nothing more to say."""
        if self.outdated is None:
            return False
        now_ms = self._clock.now_ms()
        # A clock that is set back must not make it linger for so much longer.
        self._over_ms = min(self._over_ms, now_ms + LINGER_MS)
        return now_ms >= self._over_ms

    def _tell_scheduled(self, best: Hash) -> None:
        found = self._backend.state_at(best).get(Upgrades.scheduled.path())
        scheduled = None if found is None else Upgrades.scheduled.value_codec.decode_all(found)
        if scheduled is not None and scheduled != self._told:
            log.warning(
                "block %d is the last of this release: install the one of spec version %d with "
                "hash 0x%s when this node has ended",
                scheduled.last_block,
                scheduled.spec_version,
                scheduled.release.hex(),
            )
        self._told = scheduled
