"""The session keys of a running node: made, stored, asked for, and put to work.

Owns the way of a new key: into the keystore first, then to those who act with it. Invariant: keys
act at once only if they were made here, so that nobody else has them; what is inserted is somebody
else's to judge (`inserted_keys`). Keys are encrypted in a thread, as it takes half a second.
Source: Substrate `sc_rpc::author`, the runtime API `SessionKeys`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.keys import KeyDerivationError, KeyPair, key_pair_from_uri
from flockchain.keystore import DEFAULT_SCHEMES, Keystore, KeystoreError, NewKey
from runtime.economy.authorities import SessionKeys, SessionKeysProof, ownership_message
from runtime.primitives.types import AccountId

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
        """Who acts with a key that was made while the node runs."""
        self.on_inserted: list[KeyListener] = []
        """Who judges when to act with a session key that came from outside meanwhile."""

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

    async def rotate(self) -> SessionKeys:
        """Make, store and take a fresh key of each type. Raises KeystoreError."""
        made = await self._store([(kind, self._entropy(_SEED_BYTES)) for kind in SESSION_TYPES])
        for kind, pair in zip(SESSION_TYPES, made, strict=True):
            self._take(kind, pair, self.on_added)
        return SessionKeys(*(pair.public for pair in made))

    async def insert(self, key_type: str, secret: str, public: bytes) -> None:
        """Store a key and take it; again is nothing new.

        Raises KeystoreError, also if `public` is not the secret's; KeyDerivationError.
        """
        scheme = DEFAULT_SCHEMES.get(key_type, "sr25519")
        if key_pair_from_uri(secret, scheme).public != public:
            raise KeystoreError(f"0x{public.hex()} is not the {scheme} public key of that secret")
        if self.has(key_type, public):
            return
        (pair,) = await self._store([(key_type, secret)])
        if key_type in SESSION_TYPES:
            self._take(key_type, pair, self.on_inserted)

    def prove(self, keys: SessionKeys, owner: AccountId) -> SessionKeysProof:
        """That `owner` may have keys of this node act for it. Raises KeystoreError."""
        message = ownership_message(self._backend.genesis, owner, keys)
        named = ((BABE, keys.babe), (GRANDPA, keys.grandpa))
        return SessionKeysProof(*(self._unlocked(*each).sign(message) for each in named))

    def _unlocked(self, key_type: str, public: bytes) -> KeyPair:
        pair = self._pairs.get((key_type, public))
        return self._keystore.unlock(key_type, public, self._password) if pair is None else pair

    async def _store(self, keys: list[NewKey]) -> list[KeyPair]:
        if len(self._keystore.list()) + len(keys) > KEYS_MAX:
            raise KeystoreError(f"the keystore holds {KEYS_MAX} keys: delete those out of use")
        return await asyncio.to_thread(self._keystore.insert_all, keys, self._password)

    def _take(self, key_type: str, pair: KeyPair, listeners: list[KeyListener]) -> None:
        self._pairs[key_type, pair.public] = pair
        for listener in listeners:
            listener(key_type, pair)


__all__ = ["KEYS_MAX", "SESSION_TYPES", "KeyDerivationError", "SessionKeyring"]
