"""A node's chain with the keys of all its authorities: it can make any block, also false ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from flockchain.chain.backend import Backend
from flockchain.chain.builder import Built, build_block
from flockchain.chain.importer import Importer
from flockchain.chain.notifications import Imported
from flockchain.consensus.babe.lottery import VrfKey, claim_slot
from flockchain.consensus.babe.seal import seal_header
from flockchain.consensus.babe.verifier import BabeConsensus, epoch_after
from flockchain.keys import KeyPair
from flockchain.storage.errors import StorageError
from flockchain.storage.kv import KeyValueStore, MemoryStore, WriteBatch
from flockchain.storage.state import StateStore
from runtime.frame.executive import verify_signature
from runtime.genesis import GenesisConfig, build_genesis
from runtime.pallets.babe import EpochAuthority
from runtime.primitives.babe_digest import Authority, SlotKind, claim_log
from runtime.primitives.header import Header, PreRuntime
from runtime.primitives.types import Hash
from tests.runtime.block_chain import ALICE, AUTHOR, BOB, RICH, Chain

SLOT_MS = 1_000
FIRST = 1_700_000_000  # the slot that the clock is in at first
KEYS = [AUTHOR, ALICE, BOB]


def genesis(rich: int = RICH) -> dict[bytes, bytes]:
    return build_genesis(
        GenesisConfig(
            "devnet",
            {key.account: rich for key in KEYS},
            [EpochAuthority(key.account, 1, key.account) for key in KEYS],
            [Authority(key.account, 1) for key in KEYS],
        )
    )


GENESIS = genesis()


class StepClock:
    """Stands in a slot until it is told otherwise."""

    def __init__(self, slot: int = FIRST) -> None:
        self.ms = slot * SLOT_MS

    def now_ms(self) -> int:
        return self.ms


class FailingStore:
    """A store whose disk fails at the `fails_at`-th write: nothing of that write is kept."""

    def __init__(self, store: MemoryStore, fails_at: int) -> None:
        self._store = store
        self._left = fails_at
        self.synced: list[bool] = []
        """Of each write, whether it was to be on disk at once."""

    def get(self, key: bytes) -> bytes | None:
        return self._store.get(key)

    def write(self, batch: WriteBatch, sync: bool = True) -> None:
        if self._left == 0:
            raise StorageError("the disk is gone")
        self._left -= 1
        self.synced.append(sync)
        self._store.write(batch, sync)

    def iterate(
        self, prefix: bytes, start: bytes | None = None, reverse: bool = False
    ) -> Iterator[tuple[bytes, bytes]]:
        return self._store.iterate(prefix, start, reverse)

    def close(self) -> None:
        self._store.close()


class Place:
    """Backend, importer and clock over a store."""

    def __init__(self, store: KeyValueStore | None = None) -> None:
        self.store = MemoryStore() if store is None else store
        self.clock = StepClock(FIRST + 1_000)
        self.backend = Backend(self.store, StateStore(self.store))
        self.backend.open(GENESIS)
        self.consensus = BabeConsensus(self.backend, self.clock, SLOT_MS)
        self.importer = Importer(self.backend, self.consensus, verify_signature)

    def built(
        self, parent: Hash, slot: int, *extrinsics: bytes, extra: list[PreRuntime] | None = None
    ) -> tuple[Built, KeyPair]:
        """A block on any known parent, and the key that may seal it."""
        header = self.backend.header(parent)
        assert header is not None
        by_key = {key.public: key for key in KEYS}
        keys = [VrfKey(key.public, key.vrf_prove, key.vrf_evaluate) for key in KEYS]
        claimed = claim_slot(slot, epoch_after(self.backend, parent, slot), keys)
        assert claimed is not None, "all the keys together have every slot"
        claim, vrf = claimed
        built = build_block(
            self.backend.state_at(parent),
            parent,
            header.number + 1,
            [claim_log(claim), *(extra or [])],
            slot * SLOT_MS,
            extrinsics,
            verify_signature,
            lambda: False,
            lambda _: None,
        )
        return built, by_key[vrf.public]

    def make(self, parent: Hash, slot: int, *extrinsics: bytes) -> tuple[Header, list[bytes]]:
        """A sealed block."""
        built, key = self.built(parent, slot, *extrinsics)
        header, _ = self.importer.prepare(built)
        return seal_header(header, key.sign), built.body

    def extend(self, parent: Hash, slot: int, *extrinsics: bytes) -> Imported:
        """Make a block and import it as a stranger's."""
        return self.importer.import_block(*self.make(parent, slot, *extrinsics))

    def grow(self, count: int, first: int = FIRST) -> list[Hash]:
        """So many blocks on the best one, a slot each."""
        return [self.extend(self.backend.best.hash, first + place).hash for place in range(count)]

    def slots_of(self, kind: SlotKind) -> list[int]:
        """Slots of epoch 0 that a first block can claim only so."""
        keys = [VrfKey(key.public, key.vrf_prove, key.vrf_evaluate) for key in KEYS]
        found = []
        for slot in range(FIRST, FIRST + 60):
            epoch = epoch_after(self.backend, self.backend.genesis, slot)
            claimed = claim_slot(slot, epoch, keys)
            if claimed is not None and claimed[0].kind is kind:
                found.append(slot)
        return found

    def check(self) -> None:
        """Memory and disk tell the same story."""
        backend, blocks = self.backend, self.backend.blocks
        assert blocks.meta("best") == backend.best.hash == backend.tree.best().hash
        assert blocks.meta("finalized") == backend.finalized.hash
        stored = {block for _, block in blocks.unfinalized()}
        assert len(stored) == len(backend.tree) - 1
        assert all(block in backend.tree for block in stored)
        block, number = backend.best.hash, backend.best.number
        assert blocks.hash_at(number + 1) is None
        while True:
            header = backend.header(block)
            assert header is not None
            assert header.number == number
            assert blocks.hash_at(number) == block
            assert blocks.body(block) is not None
            assert backend.state.has_state(header.state_root)
            if number == 0:
                break
            block, number = header.parent_hash, number - 1


def signer(place: Place) -> Chain:
    """Signs extrinsics for this chain, whose genesis hash is not the test chain's."""
    chain = Chain()
    chain.hashes = [place.backend.genesis]
    return chain


def resealed(header: Header, key: KeyPair, **changes: object) -> Header:
    """The header with other contents, sealed anew."""
    unsealed = replace(header.without_seal(), **changes)  # type: ignore[arg-type]
    return seal_header(unsealed, key.sign)
