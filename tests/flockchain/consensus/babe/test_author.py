"""Authoring in slots: what is ours is made, never twice, never on a block of the same slot."""

from __future__ import annotations

from flockchain.chain.validation import BestBlockValidator
from flockchain.consensus.babe.author import AuthorKey, SlotAuthor
from flockchain.consensus.babe.lottery import VrfKey
from flockchain.pool.pool import Pool, PoolConfig
from runtime.api import runtime_at
from runtime.frame.executive import verify_signature
from runtime.frame.validity import TransactionSource
from runtime.primitives.babe_digest import SlotKind, find_claim
from tests.flockchain.chain.chain_fixture import FIRST, KEYS, SLOT_MS, Place, signer
from tests.runtime.block_chain import ALICE, remark


def make(place: Place, slot: int = FIRST) -> SlotAuthor:
    """An author with all keys, so that every slot is its own; the clock is in `slot`."""
    place.clock.ms = slot * SLOT_MS
    pool = Pool(PoolConfig(), BestBlockValidator(place.backend, verify_signature))
    keys = [
        AuthorKey(VrfKey(key.public, key.vrf_prove, key.vrf_evaluate), key.sign) for key in KEYS
    ]
    return SlotAuthor(place.backend, place.importer, pool, keys, place.clock, SLOT_MS)


def tick(place: Place, author: SlotAuthor, slot: int) -> bool:
    """Whether a block is made at the beginning of `slot`."""
    place.clock.ms = slot * SLOT_MS
    made = author.on_time(place.clock.ms)
    place.check()
    return made is not None


def test_each_slot_gives_one_block() -> None:
    place = Place()
    author = make(place)
    assert author.next_slot_ms() == (FIRST + 1) * SLOT_MS
    assert [tick(place, author, FIRST + step) for step in (0, 1, 1, 2, 5, 4)] == [
        False,
        True,
        False,
        True,
        True,
        False,
    ]
    assert place.backend.best.number == 3
    assert author.next_slot_ms() == (FIRST + 6) * SLOT_MS


def test_a_restarted_node_does_not_author_in_the_slot_it_may_have_used() -> None:
    place = Place()
    assert not tick(place, make(place, FIRST + 3), FIRST + 3)


def test_a_slot_sealed_by_a_clock_that_ran_ahead_is_not_sealed_again() -> None:
    place = Place()
    assert tick(place, make(place), FIRST + 3)
    author = make(place, FIRST + 1)  # restarted with the clock set right
    assert author.next_slot_ms() == (FIRST + 2) * SLOT_MS
    assert not tick(place, author, FIRST + 3)
    author.note_sealed(KEYS[0].public, FIRST + 3)  # ours, come back
    assert author.stopped_because is None
    assert tick(place, author, FIRST + 4)


def test_a_block_follows_one_that_was_made_at_the_end_of_its_slot() -> None:
    place = Place()
    author = make(place)
    place.clock.ms = (FIRST + 2) * SLOT_MS - 1
    assert author.on_time(place.clock.ms) is not None
    assert tick(place, author, FIRST + 2)
    assert place.backend.best.number == 2
    runtime = runtime_at(place.backend.state_at(place.backend.best.hash))
    assert runtime.timestamp.now.get() == (FIRST + 2) * SLOT_MS - 1 + SLOT_MS // 2


def test_the_pool_fills_the_block() -> None:
    place = Place()
    author = make(place)
    data = signer(place).sign(ALICE, remark())
    author._pool.submit(data, TransactionSource.LOCAL, best_number=0, now_ms=0)
    place.clock.ms = (FIRST + 1) * SLOT_MS
    made = author.on_time(place.clock.ms)
    assert made is not None
    imported, body = made
    assert (imported.is_own, body[1:]) == (True, [data])


def test_a_node_without_the_slots_key_stays_quiet() -> None:
    place = Place()
    place.clock.ms = FIRST * SLOT_MS
    pool = Pool(PoolConfig(), BestBlockValidator(place.backend, verify_signature))
    author = SlotAuthor(place.backend, place.importer, pool, [], place.clock, SLOT_MS)
    assert not tick(place, author, FIRST + 1)


def test_a_faster_author_of_the_same_slot_is_built_beside_not_upon() -> None:
    place = Place()
    author = make(place)
    parent = place.extend(place.backend.genesis, FIRST).hash
    place.clock.ms = (FIRST + 1) * SLOT_MS
    faster = place.extend(parent, FIRST + 1).hash
    place.clock.ms += 1
    rival = signer(place).sign(ALICE, remark())
    author._pool.submit(rival, TransactionSource.LOCAL, best_number=2, now_ms=0)
    made = author.on_time(place.clock.ms)
    assert made is not None
    assert made[0].header.parent_hash == parent
    assert made[0].hash != faster
    place.check()


def test_nothing_is_built_beside_a_finalized_block_of_the_slot() -> None:
    place = Place()
    author = make(place)
    place.clock.ms = (FIRST + 1) * SLOT_MS
    place.backend.finalize(place.extend(place.backend.genesis, FIRST + 1).hash)
    assert not tick(place, author, FIRST + 1)


def test_the_claim_is_in_the_header() -> None:
    place = Place()
    author = make(place)
    assert tick(place, author, FIRST + 1)
    header = place.backend.header(place.backend.best.hash)
    assert header is not None
    claim = find_claim(header)
    assert claim is not None
    assert claim.slot == FIRST + 1
    assert claim.kind in SlotKind


def test_a_block_of_ours_that_we_did_not_make_is_a_twins() -> None:
    place = Place()
    author = make(place)
    assert tick(place, author, FIRST + 2)
    author.note_sealed(KEYS[0].public, FIRST)  # from before the start: made by an earlier run
    author.note_sealed(KEYS[0].public, FIRST + 2)  # ours, come back
    author.note_sealed(bytes(32), FIRST + 1)  # somebody else's
    assert author.stopped_because is None
    author.note_sealed(KEYS[0].public, FIRST + 1)
    assert author.stopped_because == (
        f"another node sealed a block in slot {FIRST + 1} with this one's key"
    )
