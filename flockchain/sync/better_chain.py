"""The best block, told again where peers build on a branch that has lost.

Blocks are announced when they are made. When a partition ends and the better chain's authors win no
slot for a while, nobody else would hear of it and the others would go on with theirs. So whoever
takes in a block behind a branch of another chain says what the best one is: its header alone, which
peers ask for. Invariant: each best block is told again once at most, and never for two blocks that
only share a parent, as in slots with two winners.
Source: Substrate `sc_network_sync` (announcements of the best block); WP II.A.
"""

from __future__ import annotations

from flockchain.chain.backend import Backend
from flockchain.chain.notifications import Imported
from flockchain.sync.messages import encode_header_announcement
from p2p.interface import Network
from runtime.primitives.types import Hash


class BetterChain:
    """Listens to what is imported."""

    def __init__(self, backend: Backend, network: Network) -> None:
        self._backend = backend
        self._network = network
        self._told: Hash | None = None
        backend.notifications.on_imported.append(self._on_imported)

    def _on_imported(self, event: Imported) -> None:
        best = self._backend.best.hash
        if event.is_new_best or event.is_own or best == self._told:
            return
        if self._backend.tree.is_descendant(event.header.parent_hash, best):
            return  # who has it heard of ours as well
        self._told = best
        header = self._backend.header(best)
        assert header is not None, "the best block is stored"
        self._network.publish("block-announces", encode_header_announcement(header))
