"""Session keys that came from outside while the node runs, until they may act.

Another machine may act with such a key: a validator that moves has two for a while. Owns which keys
wait. Invariant: a key acts only after `SESSIONS` whole sessions in which the node followed the
head of the chain, no session, present or announced, had the key, and nobody had registered it: who
is not elected now may be at any time, and then two would act. A key that the chain knows waits for
the node's next start, where the node listens for it first. One that is elected only later is heard
again then: the node leaves its first slot and keeps silent until a peer has told (`SlotAuthor`,
`Voter`), while the machine that acted with it before goes on. Two machines that both acted with a
key before, or neither of which did, are not told apart; so stop the other one first.
Source: reliability R6 (two nodes, one key); Substrate `sc_rpc::author` (`insertKey`).
"""

from __future__ import annotations

import logging
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.clock import Clock
from flockchain.keys import KeyPair
from flockchain.session_keyring import KeyListener
from p2p.interface import PeerId
from runtime.api import runtime_at
from runtime.primitives.babe_digest import find_claim
from runtime.runtime import Runtime

log = logging.getLogger(__name__)

SESSIONS: Final = 2
_RECENT_SLOTS: Final = 10  # an older head says nothing about who acts now
_LOOK_EVERY_MS: Final = 1_000


class InsertedKeys:
    """Keys that wait, and `act` for each that waits no more."""

    def __init__(self, backend: Backend, clock: Clock, slot_ms: int, act: KeyListener) -> None:
        self._backend, self._clock, self._slot_ms = backend, clock, slot_ms
        self._act = act
        self._waiting: dict[tuple[str, bytes], KeyPair] = {}
        self._since: dict[tuple[str, bytes], int] = {}
        """In which session each was first looked for, without a gap since."""
        self._due_ms = 0

    def add(self, key_type: str, pair: KeyPair) -> None:
        """A key that is to act when it is safe."""
        log.warning(
            "the %s key 0x%s acts when it was out of use for %d sessions; keys that the node makes "
            "itself (author_rotateKeys) act at once",
            key_type,
            pair.public.hex(),
            SESSIONS,
        )
        self._waiting[key_type, pair.public] = pair
        self._due_ms = 0

    # -- Companion

    def on_time(self) -> None:
        """Look who may act."""
        now_ms = self._clock.now_ms()
        if not self._waiting or now_ms < self._due_ms:
            return
        self._due_ms = now_ms + _LOOK_EVERY_MS
        if not self._is_at_the_head(now_ms):
            self._since.clear()
            return
        runtime = runtime_at(self._backend.state_at(self._backend.best.hash))
        session, known = runtime.babe.current_epoch.get(), acting_keys(runtime)
        for name in list(self._waiting):
            if name[1] in known or is_registered(runtime, *name):
                self._refuse(*name)
            elif session > self._since.setdefault(name, session) + SESSIONS:
                self._since.pop(name)
                self._act(name[0], self._waiting.pop(name))

    def next_wake_ms(self) -> int | None:
        """When `on_time` is due."""
        return self._due_ms if self._waiting else None

    def on_peer_connected(self, peer: PeerId) -> None:
        """Peers change nothing."""

    def on_peer_disconnected(self, peer: PeerId) -> None:
        """Peers change nothing."""

    # -- looking

    def _is_at_the_head(self, now_ms: int) -> bool:
        header = self._backend.header(self._backend.best.hash)
        claim = None if header is None else find_claim(header)
        return claim is not None and claim.slot + _RECENT_SLOTS >= now_ms // self._slot_ms

    def _refuse(self, key_type: str, public: bytes) -> None:
        self._waiting.pop((key_type, public))
        self._since.pop((key_type, public), None)
        log.warning(
            "the %s key 0x%s is registered on the chain, or acts there: stop whoever has it, and "
            "restart this node to act with it",
            key_type,
            public.hex(),
        )


def is_registered(runtime: Runtime, key_type: str, public: bytes) -> bool:
    """Whether a validator, elected or not, has named the key as its own."""
    return runtime.session.key_owner.contains((key_type.encode(), public))


def acting_keys(runtime: Runtime) -> set[bytes]:
    """Keys that act now or in a session that is announced."""
    authors = (*runtime.babe.authorities.get(), *runtime.babe.next_authorities.get())
    voters = runtime.grandpa.authorities.get()
    queued = (each.keys for each in runtime.session.queued.get())
    both = {public for keys in queued for public in (keys.babe, keys.grandpa)}
    return {*(each.key for each in authors), *(each.key for each in voters), *both}
