"""The chain on disk: reorganization, finality, and a crash at every write."""

from __future__ import annotations

import pytest

from flockchain.chain.backend import Backend, WrongGenesis
from flockchain.chain.errors import BelowFinality, UnknownParent
from flockchain.chain.notifications import Finalized, Imported
from flockchain.consensus.babe.seal import seal_header
from flockchain.storage.errors import StorageError
from flockchain.storage.kv import MemoryStore
from flockchain.storage.state import StateStore
from runtime.primitives.babe_digest import SlotKind
from runtime.primitives.types import Hash
from tests.flockchain.chain.chain_fixture import FIRST, FailingStore, Place, genesis, signer
from tests.runtime.block_chain import ALICE, remark


def reopen(place: Place) -> Place:
    assert isinstance(place.store, MemoryStore)
    return Place(place.store.clone())


def test_a_new_chain_is_its_genesis() -> None:
    place = Place()
    backend = place.backend
    assert backend.best == backend.finalized
    assert (backend.best.hash, backend.best.number) == (backend.genesis, 0)
    assert backend.is_finalized(backend.genesis)
    assert backend.blocks.body(backend.genesis) == []
    place.check()
    assert reopen(place).backend.genesis == backend.genesis


def test_another_chains_database_is_refused() -> None:
    place = Place()
    other = Backend(place.store, StateStore(place.store))
    with pytest.raises(WrongGenesis) as caught:
        other.open(genesis(rich=10**20))
    fresh = MemoryStore()
    third = Backend(fresh, StateStore(fresh))
    third.open(genesis(rich=10**20))
    assert str(caught.value) == (
        f"the database holds the chain of genesis 0x{place.backend.genesis.hex()}, the chain spec "
        f"gives 0x{third.genesis.hex()}: use another --base-path, or purge-chain"
    )


def test_blocks_survive_a_restart() -> None:
    place = Place()
    blocks = place.grow(4)
    place.extend(blocks[0], FIRST + 9)
    place.backend.finalize(blocks[1], b"proof")
    again = reopen(place)
    assert again.backend.best == place.backend.best
    assert again.backend.finalized == place.backend.finalized
    assert again.backend.blocks.justification(blocks[1]) == b"proof"
    assert len(again.backend.tree) == len(place.backend.tree)
    again.check()
    again.grow(1, FIRST + 20)
    again.check()


def test_a_better_fork_moves_the_head_and_the_number_index() -> None:
    place = Place()
    heard: list[Imported] = []
    place.backend.notifications.on_imported.append(heard.append)
    secondary, primary = (
        place.slots_of(SlotKind.SECONDARY)[0],
        place.slots_of(SlotKind.PRIMARY)[-1],
    )
    weak = place.extend(place.backend.genesis, secondary).hash
    weaker = place.extend(weak, secondary + 1).hash
    assert place.backend.best.hash == weaker
    strong = place.extend(place.backend.genesis, primary)
    last = heard[-1]
    if last.is_new_best:
        assert [node.hash for node in last.route.retracted] == [weaker, weak]
        assert [node.hash for node in last.route.enacted] == [strong.hash]
    place.check()
    while not heard[-1].is_new_best:
        place.extend(heard[-1].hash, primary + len(heard))
    assert place.backend.blocks.hash_at(1) == strong.hash
    place.check()
    reopen(place).check()


def test_finality_drops_forks_from_memory_and_disk() -> None:
    place = Place()
    heard: list[Finalized] = []
    place.backend.notifications.on_finalized.append(heard.append)
    blocks = place.grow(3)
    fork = place.extend(blocks[0], FIRST + 9).hash
    low = place.extend(place.backend.genesis, FIRST + 8).hash
    place.backend.finalize(blocks[1])
    assert heard[0].finalized == tuple(blocks[:2])
    assert sorted(heard[0].lost) == sorted([fork, low])
    for gone in (fork, low):
        assert place.backend.header(gone) is None
        assert place.backend.blocks.body(gone) is None
        assert not place.backend.is_finalized(gone)
    assert [place.backend.is_finalized(block) for block in blocks] == [True, True, False]
    assert place.backend.finalize(blocks[1]) is None
    with pytest.raises(KeyError):
        place.backend.finalize(blocks[0])
    place.check()
    reopen(place).check()


def test_finality_against_the_best_chain_moves_the_head_and_gives_back_its_extrinsics() -> None:
    place = Place()
    heard: list[Finalized] = []
    place.backend.notifications.on_finalized.append(heard.append)
    data = signer(place).sign(ALICE, remark())
    common = place.extend(place.backend.genesis, FIRST).hash
    rival = place.extend(common, FIRST + 1).hash
    tip = place.extend(common, FIRST + 2, data).hash
    number = 3
    while not (place.backend.best.hash == tip and place.backend.best.number >= 4):
        tip = place.extend(tip, FIRST + number).hash
        number += 1
    heights = range(2, place.backend.best.number + 1)
    lost = [place.backend.blocks.hash_at(height) for height in heights]
    place.backend.finalize(rival)
    (event,) = heard
    assert place.backend.best.hash == rival
    assert [node.hash for node in event.route.retracted] == list(reversed(lost))
    assert [node.hash for node in event.route.enacted] == [rival]
    assert (lost[0], data) in event.retracted
    place.check()
    reopen(place).check()


def test_the_newest_proof_is_kept_and_older_ones_if_so_said() -> None:
    place = Place()
    one, two, three = place.grow(3)
    place.backend.finalize(one, b"1", keep_proof=True)
    place.backend.finalize(two, b"2")
    assert [place.backend.blocks.justification(block) for block in (one, two)] == [b"1", b"2"]
    place.backend.finalize(three, b"3")
    found = [place.backend.blocks.justification(block) for block in (one, two, three)]
    assert found == [b"1", None, b"3"]


def test_what_is_not_known_has_no_state() -> None:
    with pytest.raises(UnknownParent, match=r"is not known$"):
        Place().backend.state_at(Hash(b"x" * 32))


def test_blocks_without_finality_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flockchain.chain.tree.BLOCKS_MAX", 3)
    place = Place()
    place.grow(3)
    with pytest.raises(BelowFinality, match=r"^4 blocks wait for finality, no more are taken$"):
        place.grow(1, FIRST + 5)
    place.check()


def script(place: Place) -> None:
    """Blocks, a fork, finality: each step is one write."""
    backend = place.backend
    blocks = place.grow(3)
    place.extend(blocks[0], FIRST + 7)
    backend.finalize(blocks[0], b"first")
    fork = place.extend(blocks[1], FIRST + 8).hash
    place.extend(fork, FIRST + 9)
    backend.finalize(blocks[1], b"second", keep_proof=True)


def story(place: Place) -> tuple[object, ...]:
    place.check()
    return place.backend.best, place.backend.finalized, len(place.backend.tree)


def test_a_crash_at_any_write_leaves_the_chain_before_or_after_the_step() -> None:
    steps: list[tuple[object, ...]] = []
    whole = Place()
    listen = whole.backend.notifications
    steps.append(story(whole))
    listen.on_imported.append(lambda _: steps.append(story(whole)))
    listen.on_finalized.append(lambda _: steps.append(story(whole)))
    script(whole)
    writes = len(steps)
    for fails_at in range(writes):
        disk = MemoryStore()
        with pytest.raises(StorageError, match="the disk is gone"):
            script(Place(FailingStore(disk, fails_at)))
        assert story(Place(disk)) == steps[max(fails_at - 1, 0)]
    script(Place(FailingStore(MemoryStore(), writes)))


def test_only_blocks_of_others_may_wait_for_the_disk() -> None:
    disk = FailingStore(MemoryStore(), 9)
    place = Place(disk)
    (block,) = place.grow(1)
    place.backend.finalize(block)
    built, key = place.built(block, FIRST + 1)
    header, delta = place.importer.prepare(built)
    place.importer.import_own(seal_header(header, key.sign), built.body, delta)
    assert disk.synced == [True, False, True, True], "genesis, a stranger's, finality, an own one"


def test_reverted_blocks_leave_nothing_behind() -> None:
    place = Place()
    blocks = place.grow(3)
    place.backend.finalize(blocks[0])
    before = dict(place.store.iterate(b""))
    place.extend(blocks[2], FIRST + 9)
    place.extend(blocks[1], FIRST + 8)
    assert place.backend.revert(1).hash == blocks[2]
    place.extend(blocks[2], FIRST + 11)
    assert place.backend.revert(2).hash == blocks[1]
    place.check()
    assert place.backend.revert(9).hash == blocks[0]
    place.check()
    reopen(place).check()
    left = dict(place.store.iterate(b""))
    assert len(left) < len(before)
    place.extend(blocks[0], FIRST + 1)
    place.extend(place.backend.best.hash, FIRST + 2)
    assert place.backend.best.hash == blocks[2]
    place.check()
    assert len(dict(place.store.iterate(b""))) == len(before)
