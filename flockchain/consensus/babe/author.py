"""Authoring: in a slot that is ours, build on the best block, seal, import by the common door.

Owns the record of the slots that were sealed. Invariant: a slot is on disk before its block is
sealed and is never sealed again, though the node was restarted and its clock set back meanwhile.
A key that becomes an authority's later, and never sealed here, may be another machine's as well:
its first slot is left to that one, whose block then stops us.
Source: WP II.A; Substrate `sc_consensus_slots`.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flockchain.chain.backend import Backend, Head
from flockchain.chain.builder import build_block
from flockchain.chain.importer import Importer
from flockchain.chain.notifications import Imported
from flockchain.clock import Clock
from flockchain.consensus.babe.lottery import VrfKey, claim_slot
from flockchain.consensus.babe.seal import seal_header
from flockchain.consensus.babe.verifier import epoch_after
from flockchain.pool.pool import Pool
from flockchain.storage.kv import WriteBatch
from runtime.api import disabled_authors, runtime_at
from runtime.primitives.babe_digest import claim_log, find_claim
from runtime.primitives.types import Hash

log = logging.getLogger(__name__)

_BUILD_PERCENT = 33  # of a slot that may be spent on building
_MADE_MAX = 1_000  # slots of our own blocks that are remembered
_MADE: Final = b"a/m"  # slot (big endian) → key


@dataclass(frozen=True, slots=True)
class AuthorKey:
    """An authoring key: it proves slots and signs headers."""

    vrf: VrfKey
    sign: Callable[[bytes], bytes]
    is_new: bool = False
    """Made by this node while it runs: nobody else has it."""


class SlotAuthor:
    """Makes this node's blocks."""

    def __init__(
        self,
        backend: Backend,
        importer: Importer,
        pool: Pool,
        keys: list[AuthorKey],
        clock: Clock,
        slot_ms: int,
    ) -> None:
        self._backend = backend
        self._importer = importer
        self._pool = pool
        self._clock = clock
        self._slot_ms = slot_ms
        self._last_slot = clock.now_ms() // slot_ms  # never author twice in a slot, also restarted
        self._keys: dict[bytes, AuthorKey] = {}
        self._first_slots: dict[bytes, int] = {}  # when a key came: earlier ones may be another's
        self._made: OrderedDict[int, bytes] = OrderedDict(
            (int.from_bytes(key[len(_MADE) :], "big"), public)
            for key, public in backend.store.iterate(_MADE)
        )
        self._doubtful: set[bytes] = set()  # keys that another machine may act with
        for key in keys:
            self.add_key(key)
        self.stopped_because: str | None = None

    def add_key(self, key: AuthorKey) -> None:
        """Make blocks with one more key, from the next slot on."""
        public = key.vrf.public
        self._keys[public] = key
        self._first_slots[public] = self._clock.now_ms() // self._slot_ms
        if not key.is_new and public not in self._made.values() and not self._is_acting(public):
            self._doubtful.add(public)

    def _is_acting(self, public: bytes) -> bool:
        """Whether the key is an authority's now: then a node that starts has listened for it."""
        runtime = runtime_at(self._backend.state_at(self._backend.best.hash))
        return any(each.key == public for each in runtime.babe.authorities.get())

    def next_slot_ms(self) -> int:
        """When the next slot begins."""
        return (self._last_slot + 1) * self._slot_ms

    def note_sealed(self, author: bytes, slot: int) -> None:
        """A block came from outside. One of a slot since our start, by our key, is a twin's."""
        is_ours = author in self._keys and slot > self._first_slots[author]
        if is_ours and slot not in self._made and slot > self._last_slot - _MADE_MAX:
            self.stopped_because = f"another node sealed a block in slot {slot} with this one's key"

    def on_time(self, now_ms: int) -> tuple[Imported, list[bytes]] | None:
        """Author if a new slot has begun and is ours; the block and its body."""
        slot = now_ms // self._slot_ms
        if slot <= self._last_slot:
            return None
        self._last_slot = slot
        if slot in self._made:
            return None
        parent = self._parent_for(slot)
        if parent is None:
            return None
        epoch = epoch_after(self._backend, parent.hash, slot)
        disabled = disabled_authors(self._backend.state_at(parent.hash), parent.number, slot)
        keys = [key.vrf for public, key in self._keys.items() if public not in disabled]
        claimed = claim_slot(slot, epoch, keys)
        if claimed is None:
            return None
        claim, vrf_key = claimed
        if vrf_key.public in self._doubtful:
            self._doubtful.remove(vrf_key.public)
            log.info(
                "slot %d is left to whoever else may have the key 0x%s", slot, vrf_key.public.hex()
            )
            return None
        deadline_ms = now_ms + self._slot_ms * _BUILD_PERCENT // 100
        state = self._backend.state_at(parent.hash)
        built = build_block(
            state,
            parent.hash,
            parent.number + 1,
            [claim_log(claim)],
            now_ms,
            (entry.data for entry in list(self._pool.best())),
            self._importer.verify,
            lambda: self._clock.now_ms() >= deadline_ms,
            lambda extrinsic: self._pool.remove_invalid(extrinsic, now_ms),
            self._importer.runtimes.take(Hash(state.root), state),
        )
        header, delta = self._importer.prepare(built)
        self._note_made(slot, vrf_key.public)
        sealed = seal_header(header, self._keys[vrf_key.public].sign)
        imported = self._importer.import_own(sealed, built.body, delta)
        log.info(
            "authored #%d (0x%s..) %d extrinsics in slot %d",
            sealed.number,
            imported.hash[:4].hex(),
            len(built.body),
            slot,
        )
        return imported, built.body

    def _note_made(self, slot: int, public: bytes) -> None:
        """Keep that the slot was used, synced on return."""
        batch = WriteBatch()
        self._made[slot] = public
        batch.put(_MADE + slot.to_bytes(8, "big"), public)
        if len(self._made) > _MADE_MAX:
            oldest, _ = self._made.popitem(last=False)
            batch.delete(_MADE + oldest.to_bytes(8, "big"))
        self._backend.store.write(batch, sync=True)

    def _parent_for(self, slot: int) -> Head | None:
        """The best block of an earlier slot: another author of `slot` may have been faster.

        None if the finalized block is not of an earlier slot.
        """
        parent = self._backend.best
        while True:
            header = self._backend.header(parent.hash)
            assert header is not None, "a block of the tree is stored"
            claim = find_claim(header)
            if claim is None or claim.slot < slot:
                return parent
            if parent.hash == self._backend.finalized.hash:
                return None
            parent = Head(header.parent_hash, header.number - 1)
