"""The one door for blocks: every reason to refuse one, in whole words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from flockchain.chain.errors import (
    AlreadyKnown,
    BelowFinality,
    EarlyBlock,
    FutureBlock,
    InvalidBlock,
    UnknownParent,
)
from flockchain.chain.importer import Importer
from flockchain.consensus.babe.lottery import VrfKey, claim_slot
from flockchain.consensus.babe.seal import seal_header
from flockchain.consensus.babe.verifier import epoch_after
from flockchain.storage.trie_build import ordered_root
from runtime.frame.errors import BadOrigin
from runtime.frame.extrinsic import assemble
from runtime.primitives.babe_digest import SlotKind, claim_log, instant_log
from runtime.primitives.header import Digest, Header, Other
from runtime.primitives.multi import MultiSignature
from runtime.primitives.types import ZERO_HASH, AccountId, Hash
from tests.flockchain.chain.chain_fixture import FIRST, KEYS, SLOT_MS, Place, resealed, signer
from tests.runtime.block_chain import ALICE, remark


def first(place: Place, *extrinsics: bytes) -> tuple[Header, list[bytes]]:
    return place.make(place.backend.genesis, FIRST, *extrinsics)


def sealer(place: Place) -> Callable[..., Header]:
    """Seals changed versions of the first block as their author."""
    _, key = place.built(place.backend.genesis, FIRST)
    return lambda header, **changes: resealed(header, key, **changes)


def assert_invalid(place: Place, header: Header, body: list[bytes], message: str) -> None:
    before = (place.backend.best, len(place.backend.tree))
    with pytest.raises(InvalidBlock) as caught:
        place.importer.import_block(header, body)
    assert str(caught.value) == message
    assert (place.backend.best, len(place.backend.tree)) == before
    assert not place.backend.blocks.has(header.hash())


def test_a_good_block_is_imported_and_told() -> None:
    place = Place()
    heard: list[Hash] = []
    place.backend.notifications.on_imported.append(lambda event: heard.append(event.hash))
    data = signer(place).sign(ALICE, remark())
    header, body = first(place, data)
    imported = place.importer.import_block(header, body)
    assert body[1:] == [data]
    assert (imported.hash, imported.is_new_best, imported.is_own) == (header.hash(), True, False)
    assert [node.hash for node in imported.route.enacted] == heard == [header.hash()]
    assert place.backend.best.hash == header.hash()
    place.check()


def test_an_own_block_takes_the_same_door() -> None:
    place = Place()
    built, key = place.built(place.backend.genesis, FIRST)
    header, delta = place.importer.prepare(built)
    sealed = seal_header(header, key.sign)
    with pytest.raises(InvalidBlock, match="ends without a seal"):
        place.importer.import_own(header, built.body, delta)
    imported = place.importer.import_own(sealed, built.body, delta)
    assert imported.is_own
    other = Place()
    assert other.importer.import_block(sealed, built.body).hash == imported.hash
    assert other.backend.state_at(imported.hash).root == place.backend.state_at(imported.hash).root
    place.check()


def test_known_blocks_and_unknown_parents() -> None:
    place = Place()
    header, body = first(place)
    place.importer.import_block(header, body)
    known = f"^block 1 0x{header.hash().hex()} is known$"
    with pytest.raises(AlreadyKnown, match=known):
        place.importer.import_block(header, body)
    orphan = replace(header, parent_hash=Hash(b"x" * 32))
    with pytest.raises(UnknownParent, match=f"^block 0x{(b'x' * 32).hex()} is not known$"):
        place.importer.import_block(orphan, body)
    stranger = replace(place.built(place.backend.genesis, FIRST + 1)[0], parent=Hash(b"x" * 32))
    with pytest.raises(UnknownParent, match=r"is not known$"):
        place.importer.prepare(stranger)


def test_below_the_finalized_block_nothing_is_taken() -> None:
    place = Place()
    fork, body = place.make(place.backend.genesis, FIRST + 5)
    (block,) = place.grow(1)
    place.backend.finalize(block)
    with pytest.raises(BelowFinality, match=r"^block 1 forks off below the finalized block$"):
        place.importer.import_block(fork, body)


def test_numbers_follow_the_parents() -> None:
    place = Place()
    header, body = first(place)
    false = sealer(place)(header, number=2)
    assert_invalid(place, false, body, "block 2 says that its parent is 0")


def test_roots_are_recomputed() -> None:
    place = Place()
    header, body = first(place)
    seal = sealer(place)
    right = header.extrinsics_root.hex()
    assert_invalid(
        place,
        seal(header, extrinsics_root=ZERO_HASH),
        body,
        f"extrinsics root 0x{right} != 0x{'00' * 32} in block 1",
    )
    assert_invalid(
        place,
        seal(header, state_root=ZERO_HASH),
        body,
        f"state root 0x{header.state_root.hex()} != 0x{'00' * 32} in block 1",
    )


def test_a_body_of_another_block_is_refused() -> None:
    place = Place()
    header, body = first(place)
    more = [*body, signer(place).sign(ALICE, remark())]
    found = ordered_root(more).hex()
    message = f"extrinsics root 0x{found} != 0x{header.extrinsics_root.hex()} in block 1"
    assert_invalid(place, header, more, message)


def test_extrinsics_that_cannot_be_included_make_the_block_invalid() -> None:
    place = Place()
    header, body = first(place)
    seal = sealer(place)
    for extrinsic, message in (
        (signer(place).sign(ALICE, remark(), nonce=4), "nonce 4, next is 0"),
        (assemble(remark(), None), "remark must be signed"),
        (b"\x04\xff", "extrinsic version 0xff, the chain takes 0x04 and 0x84"),
        (body[0], "an inherent behind transactions"),
    ):
        filler = [signer(place).sign(ALICE, remark())] if extrinsic == body[0] else []
        whole = [*body, *filler, extrinsic]
        false = seal(header, extrinsics_root=Hash(ordered_root(whole)))
        place_of = len(whole) - 1
        assert_invalid(place, false, whole, f"extrinsic {place_of} of block 1: {message}")


def test_the_time_is_set_and_lies_in_the_slot() -> None:
    place = Place()
    header, _ = first(place)
    seal = sealer(place)
    without = seal(header, extrinsics_root=Hash(ordered_root([])))
    assert_invalid(place, without, [], "block 1 does not set its time")
    late = [signer(place).time((FIRST + 1) * SLOT_MS)]
    false = seal(header, extrinsics_root=Hash(ordered_root(late)))
    message = f"time {(FIRST + 1) * SLOT_MS} ms lies in slot {FIRST + 1}, the block is of {FIRST}"
    assert_invalid(place, false, late, message)


def test_digests_are_what_execution_gives() -> None:
    place = Place()
    header, body = first(place)
    logs = header.without_seal().digest.logs
    seal = sealer(place)
    message = "digest of block 1 is not what execution gives"
    for false in ([*logs, Other(b"x")], logs[:1]):
        assert_invalid(place, seal(header, digest=Digest(false)), body, message)


def test_the_items_of_two_engines_do_not_pass() -> None:
    place = Place()
    header, body = first(place)
    logs = header.without_seal().digest.logs
    seal = sealer(place)
    for false in ([*logs, instant_log(0)], [instant_log(0), *logs]):
        assert_invalid(
            place,
            seal(header, digest=Digest(false)),
            body,
            "block 1 carries 2 engine items, one is allowed",
        )


def test_claims_and_seals() -> None:
    place = Place()
    header, body = first(place)
    claim, seal = header.digest.logs[0], sealer(place)
    assert_invalid(place, header.without_seal(), body, "block 1: header 1 ends without a seal")
    nothing = seal(header, digest=Digest([instant_log(0)]))
    assert_invalid(place, nothing, body, "block 1 claims no slot")
    twice = seal(header, digest=Digest([claim, claim]))
    assert_invalid(place, twice, body, "block 1: 2 slot claims in block 1")
    _, author = place.built(place.backend.genesis, FIRST)
    stranger = next(key for key in KEYS if key.public != author.public)
    forged = resealed(header, stranger)
    message = f"block 1: seal of header 1 is not of 0x{author.public.hex()}"
    assert_invalid(place, forged, body, message)


def test_slots_rise_and_lie_not_ahead() -> None:
    place = Place()
    (block,) = place.grow(1)
    header, body = place.make(block, FIRST + 1)
    false = claim_log_of(place, block, FIRST)
    replayed = replace(header, digest=Digest([false, *header.digest.logs[1:]]))
    message = f"block 2: slot {FIRST} is not above the parent's slot {FIRST}"
    assert_invalid(place, replayed, body, message)
    place.clock.ms = (FIRST - 1) * SLOT_MS
    with pytest.raises(EarlyBlock, match=f"^slot {FIRST + 1} lies ahead of {FIRST - 1}$"):
        place.importer.import_block(header, body)
    place.clock.ms = FIRST * SLOT_MS
    with pytest.raises(FutureBlock, match=f"^slot {FIRST + 1} lies ahead of {FIRST}$") as caught:
        place.importer.import_block(header, body)
    assert caught.value.slot == FIRST + 1
    place.clock.ms = (FIRST + 1) * SLOT_MS
    place.importer.import_block(header, body)


def claim_log_of(place: Place, parent: Hash, slot: int):  # type: ignore[no-untyped-def]
    keys = [VrfKey(key.public, key.vrf_prove, key.vrf_evaluate) for key in KEYS]
    claimed = claim_slot(slot, epoch_after(place.backend, parent, slot), keys)
    assert claimed is not None
    return claim_log(claimed[0])


def test_an_unknown_authority_is_refused() -> None:
    place = Place()
    header, body = first(place)
    keys = [VrfKey(key.public, key.vrf_prove, key.vrf_evaluate) for key in KEYS]
    epoch = epoch_after(place.backend, place.backend.genesis, FIRST)
    claimed = claim_slot(FIRST, epoch, keys)
    assert claimed is not None
    claim = replace(claimed[0], authority_index=3, kind=SlotKind.PRIMARY)
    false = sealer(place)(header, digest=Digest([claim_log(claim)]))
    assert_invalid(place, false, body, "block 1: authority 3, epoch 0 has 3")


def test_a_fault_of_the_runtime_is_a_verdict_and_no_crash() -> None:
    place = Place()
    header, body = first(place, signer(place).sign(ALICE, remark()))
    faults = (AssertionError("x"), ValueError("x"), KeyError("x"), RecursionError("x"), BadOrigin())
    for fault in faults:

        def broken(
            signature: MultiSignature, who: AccountId, message: bytes, fault: Exception = fault
        ) -> bool:
            raise fault

        place.importer = Importer(place.backend, place.consensus, broken)
        assert_invalid(place, header, body, f"block 1 cannot be executed: {fault!r}")
