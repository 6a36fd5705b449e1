"""Whether this release may go on with the chain: the state of the best block says so.

Owns the look at every new best block: what is scheduled is told to the operator once; after the
last block of this release `outdated` says what to install, and nothing is made or judged.
Invariant: no block is executed on a state that names another release.
Source: WP VII (protocol upgrades); Substrate `frame_system::set_code`.
"""

from __future__ import annotations

import logging

from flockchain.chain.backend import Backend
from runtime.api import executing_preset
from runtime.pallets.upgrades import Upgrade, Upgrades
from runtime.primitives.types import Hash
from runtime.version import UnknownRuntime

log = logging.getLogger(__name__)


class ReleaseWatch:
    """`outdated` is None while all is well, else what to do."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._told: Upgrade | None = None
        self.outdated: str | None = None
        self.look(backend.best.hash)

    def look(self, best: Hash) -> None:
        """A block became the best one."""
        state = self._backend.state_at(best)
        try:
            executing_preset(state)
        except UnknownRuntime as error:
            self.outdated = str(error)
            return
        self.outdated = None
        found = state.get(Upgrades.scheduled.path())
        scheduled = None if found is None else Upgrades.scheduled.value_codec.decode_all(found)
        if scheduled is not None and scheduled != self._told:
            log.warning(
                "block %d is the last of this release: install the one of spec version %d with "
                "hash 0x%s then",
                scheduled.last_block,
                scheduled.spec_version,
                scheduled.release.hex(),
            )
        self._told = scheduled
