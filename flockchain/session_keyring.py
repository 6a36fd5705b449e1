"""The session keys of a running node: made, stored, asked for, and put to work.

Owns the way of a new key: into the keystore first, then to those who act with it. Invariant: a key
that acts on the chain already waits for the node's next start, since only a node that starts
listens whether another one acts with its keys.
Source: Substrate `sc_rpc::author`, the runtime API `SessionKeys`.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.keys import KeyDerivationError, KeyPair, key_pair_from_uri
from flockchain.keystore import DEFAULT_SCHEMES, Keystore, KeystoreError
from runtime.api import runtime_at
from runtime.economy.authorities import SessionKeys, SessionKeysProof, ownership_message
from runtime.primitives.types import AccountId

log = logging.getLogger(__name__)

BABE: Final = "babe"
GRANDPA: Final = "gran"
SESSION_TYPES: Final = (BABE, GRANDPA)
KEYS_MAX: Final = 128  # in the keystore; each costs a node half a second when it starts
_SEED_BYTES: Final = 32

KeyListener = Callable[[str, KeyPair], None]


class SessionKeyring:
    """What a node's keystore holds for its sessions, unlocked."""

    def __init__(
        self,
        keystore: Keystore,
        password: str,
        backend: Backend,
        entropy: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._keystore = keystore
        self._password = password
        self._backend = backend
        self._entropy = entropy
        self._pairs: dict[tuple[str, bytes], KeyPair] = {}
        self.on_added: list[KeyListener] = []
        """Who acts with a key that comes while the node runs."""

    def unlock(self) -> None:
        """Open all session keys of the keystore. Raises KeystoreError."""
        for entry in self._keystore.list():
            if entry.key_type in SESSION_TYPES:
                pair = self._keystore.unlock(entry.key_type, entry.public, self._password)
                self._pairs[entry.key_type, entry.public] = pair

    def lend(self, pair: KeyPair) -> None:
        """Use a key for all kinds of work without storing it: one that everybody knows."""
        for key_type in SESSION_TYPES:
            self._pairs[key_type, pair.public] = pair

    def pairs(self, key_type: str) -> list[KeyPair]:
        """The unlocked keys of a type, by public key."""
        items = sorted(self._pairs.items(), key=lambda item: item[0])
        return [pair for (kind, _), pair in items if kind == key_type]

    def has(self, key_type: str, public: bytes) -> bool:
        """Whether the node has a key of that type. Raises KeystoreError."""
        held = ((entry.key_type, entry.public) for entry in self._keystore.list())
        return (key_type, public) in self._pairs or (key_type, public) in held

    def rotate(self) -> SessionKeys:
        """Make, store and take a fresh key of each type. Raises KeystoreError."""
        made = [self._take(kind, self._entropy(_SEED_BYTES)) for kind in SESSION_TYPES]
        return SessionKeys(*(pair.public for pair in made))

    def insert(self, key_type: str, secret: str, public: bytes) -> None:
        """Store a key and take it; again is nothing new.

        Raises KeystoreError, also if `public` is not the secret's; KeyDerivationError.
        """
        scheme = DEFAULT_SCHEMES.get(key_type, "sr25519")
        if key_pair_from_uri(secret, scheme).public != public:
            raise KeystoreError(f"0x{public.hex()} is not the {scheme} public key of that secret")
        if not self.has(key_type, public):
            self._take(key_type, secret)

    def prove(self, keys: SessionKeys, owner: AccountId) -> SessionKeysProof:
        """That `owner` may have keys of this node act for it. Raises KeystoreError."""
        message = ownership_message(self._backend.genesis, owner, keys)
        named = ((BABE, keys.babe), (GRANDPA, keys.grandpa))
        return SessionKeysProof(*(self._unlocked(*each).sign(message) for each in named))

    def _unlocked(self, key_type: str, public: bytes) -> KeyPair:
        pair = self._pairs.get((key_type, public))
        return self._keystore.unlock(key_type, public, self._password) if pair is None else pair

    def _take(self, key_type: str, secret: str | bytes) -> KeyPair:
        if len(self._keystore.list()) >= KEYS_MAX:
            raise KeystoreError(f"the keystore holds {KEYS_MAX} keys: delete those out of use")
        entry = self._keystore.insert(key_type, secret, self._password)
        pair = self._keystore.unlock(key_type, entry.public, self._password)
        if key_type not in SESSION_TYPES:
            return pair
        self._pairs[key_type, pair.public] = pair
        if pair.public in self._acting():
            log.warning(
                "the %s key 0x%s acts on the chain already: restart the node to act with it",
                key_type,
                pair.public.hex(),
            )
            return pair
        for listener in self.on_added:
            listener(key_type, pair)
        return pair

    def _acting(self) -> set[bytes]:
        """Keys that act now or in the next session."""
        runtime = runtime_at(self._backend.state_at(self._backend.best.hash))
        authors = (*runtime.babe.authorities.get(), *runtime.babe.next_authorities.get())
        voters = runtime.grandpa.authorities.get()
        queued = (each.keys.grandpa for each in runtime.session.queued.get())
        return {*(each.key for each in authors), *(each.key for each in voters), *queued}


__all__ = ["KEYS_MAX", "SESSION_TYPES", "KeyDerivationError", "SessionKeyring"]
