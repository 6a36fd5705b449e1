"""A long chain made quickly: one process with every key authors and finalizes in memory.

Blocks come from the author's own code and pass the common door; proofs of finality are real votes
of real keys. The set changes when a validator registers new keys, as an operator would. Invariant:
the same arguments make the same chain.
Source: goals for sync (10,000 blocks, 20 changes of voters); WP II.A.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.chain.importer import Importer
from flockchain.chain.signatures import SignatureCache
from flockchain.chain.validation import BestBlockValidator
from flockchain.consensus.babe.author import AuthorKey, SlotAuthor
from flockchain.consensus.babe.lottery import VrfKey
from flockchain.consensus.babe.verifier import BabeConsensus
from flockchain.consensus.grandpa.messages import (
    JUSTIFICATION,
    BlockRef,
    Commit,
    GrandpaJustification,
    PrecommitTarget,
    SignedPrecommit,
)
from flockchain.consensus.grandpa.proof_import import authorities_at, finalize_proven
from flockchain.keys import KeyPair
from flockchain.pool.pool import Pool, PoolConfig
from flockchain.simulation.staked import key_of, sign_forever, staked_genesis
from flockchain.storage.kv import KeyValueStore, MemoryStore
from flockchain.storage.state import StateStore
from runtime.api import preset_of, runtime_at
from runtime.economy.authorities import (
    SessionKeys,
    SessionKeysProof,
    ownership_message,
)
from runtime.frame.pallet import encode_call
from runtime.frame.validity import TransactionSource
from runtime.pallets.session import Session
from runtime.primitives.grandpa_votes import Precommit
from runtime.primitives.grandpa_votes import signing_payload as vote_payload
from runtime.primitives.types import AccountId

START_MS: Final = 1_700_000_000_000
_FINAL_EVERY: Final = 8
_ROUND: Final = 1


@dataclass
class SteppedClock:
    """Time that moves slot by slot."""

    ms: int = START_MS

    def now_ms(self) -> int:
        """Milliseconds since 1970."""
        return self.ms


@dataclass
class LongChain:
    """A chain that grows on demand. `changes_every` blocks a validator takes new keys; 0: never."""

    validators: int = 3
    changes_every: int = 500
    endowed: tuple[AccountId, ...] = ()
    store: KeyValueStore = field(default_factory=MemoryStore)
    clock: SteppedClock = field(default_factory=SteppedClock)
    backend: Backend = field(init=False)
    genesis: dict[bytes, bytes] = field(init=False)
    _keys: dict[bytes, KeyPair] = field(init=False)
    _taken: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.owners = [key_of(f"validator {index}") for index in range(self.validators)]
        self._keys = {key.public: key for key in self.owners}
        self.genesis = staked_genesis(self.owners, self.endowed)
        self.backend = Backend(self.store, StateStore(self.store))
        self.backend.open(self.genesis)
        verify = SignatureCache()
        self.slot_ms = preset_of(self.backend.state_at(self.backend.genesis)).slot_ms
        consensus = BabeConsensus(self.backend, self.clock, self.slot_ms)
        self._importer = Importer(self.backend, consensus, verify)
        self.pool = Pool(PoolConfig(), BestBlockValidator(self.backend, verify))
        self._author = self._make_author()

    @property
    def set_id(self) -> int:
        """Which set votes on what comes after the last final block."""
        return authorities_at(self.backend, self.backend.finalized.hash).set_id

    def grow(self, blocks: int) -> None:
        """Make so many blocks more; the last one is final."""
        end = self.backend.best.number + blocks
        while self.backend.best.number < end:
            number = self.backend.best.number + 1
            if self.changes_every and number % self.changes_every == 1:
                self._take_new_key()
            self.clock.ms += self.slot_ms
            made = self._author.on_time(self.clock.now_ms())
            if made is None:
                continue
            self._move_pool()
            block = BlockRef(made[0].hash, made[0].header.number)
            is_change = self.backend.first_change(block.hash) is not None
            if is_change or number % _FINAL_EVERY == 0 or number == end:
                finalize_proven(self.backend, block, self.prove(block))

    def take_over(self, other: LongChain) -> None:
        """Go on with the keys and the time of another chain of the same genesis."""
        self.clock.ms, self._taken = other.clock.ms, other._taken
        self._keys = dict(other._keys)
        self._author = self._make_author()

    def prove(self, block: BlockRef) -> bytes:
        """The proof of a block of which no change of voters below is still to become final."""
        voters = authorities_at(self.backend, self.backend.finalized.hash)
        vote = Precommit(block.hash, block.number)
        payload = vote_payload(vote, _ROUND, voters.set_id)
        target = PrecommitTarget(block.hash, block.number)
        votes = [
            SignedPrecommit(target, self._keys[key].sign(payload), key)
            for key, _ in voters.authorities
        ]
        commit = Commit(block.hash, block.number, votes)
        return JUSTIFICATION.encode(GrandpaJustification(_ROUND, commit, []))

    def submit(self, key: KeyPair, nonce: int, call: bytes) -> None:
        """A signed call into the pool. Raises PoolError."""
        self.pool.submit(
            sign_forever(key, nonce, call, self.backend.genesis),
            TransactionSource.LOCAL,
            best_number=self.backend.best.number,
            now_ms=self.clock.now_ms(),
        )

    def _take_new_key(self) -> None:
        """One validator after the other registers keys that act two sessions later."""
        owner = self.owners[self._taken % len(self.owners)]
        self._taken += 1
        fresh = key_of(f"key {self._taken}")
        self._keys[fresh.public] = fresh
        keys = SessionKeys(fresh.public, fresh.public)
        signature = fresh.sign(ownership_message(self.backend.genesis, owner.account, keys))
        state = self.backend.state_at(self.backend.best.hash)
        nonce = runtime_at(state).system.account_info(owner.account).nonce
        proof = SessionKeysProof(signature, signature)
        self.submit(owner, nonce, encode_call(Session.set_keys, keys, proof))
        self._author = self._make_author()

    def _make_author(self) -> SlotAuthor:
        keys = [
            AuthorKey(VrfKey(key.public, key.vrf_prove, key.vrf_evaluate), key.sign, is_new=True)
            for key in self._keys.values()
        ]
        return SlotAuthor(self.backend, self._importer, self.pool, keys, self.clock, self.slot_ms)

    def _move_pool(self) -> None:
        best = self.backend.best
        body = self.backend.blocks.body(best.hash) or []
        self.pool.on_block(best.hash, best.number, body, [], self.clock.now_ms())
