"""Babe: epochs by slot, their randomness by the formula, slots that must rise."""

from __future__ import annotations

import pytest

from runtime import frame
from runtime.api import epoch_of_slot
from runtime.economy.authorities import Member
from runtime.frame.externalities import DictState
from runtime.pallets import babe, system
from runtime.pallets.babe import Babe, EpochAuthority
from runtime.primitives.babe_digest import (
    ENGINE,
    INSTANT_ENGINE,
    SlotClaim,
    SlotKind,
    claim_log,
    find_next_epoch,
    instant_log,
)
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.header import Digest, Header, PreRuntime
from runtime.primitives.types import ZERO_HASH, AccountId, Hash
from runtime.version import CODE_KEY, code_stub

GENESIS = Hash(b"g" * 32)
DURATION, SLOT_MS = 10, 1_000  # as in the devnet
AUTHORITIES = [EpochAuthority(bytes([n]) * 32, n, AccountId(bytes([n + 10]) * 32)) for n in (1, 2)]


class SameAuthorities:
    """Sessions without members: the authorities stay."""

    def next_session(self, index: int, *, is_first: bool) -> list[Member]:
        return []

    def is_disabled(self, who: AccountId) -> bool:
        return False

    def next_session_weight(self) -> frame.Weight:
        return frame.ZERO_WEIGHT


class Slots:
    """Blocks in slots: only system and babe."""

    def __init__(self) -> None:
        self.state = DictState({CODE_KEY: code_stub("devnet")})
        self.ext = frame.Externalities(self.state)
        self.system = system.System(self.ext, system.Config())
        self.babe = Babe(
            self.ext, babe.Config(DURATION, SLOT_MS), block=self.system, sessions=SameAuthorities()
        )
        self.babe.genesis_build(AUTHORITIES)
        self.number = 0
        self.outputs: dict[int, list[bytes]] = {}

    def begin(self, *logs: PreRuntime) -> None:
        self.number += 1
        parent = GENESIS if self.number == 1 else Hash(bytes([self.number]) * 32)
        self.system.initialize(self.number, parent, Digest(list(logs)))
        self.babe.on_initialize(self.number)

    def block(self, slot: int, index: int = 0) -> None:
        """A block in `slot`; its VRF output is remembered by epoch."""
        output = blake2b_256(slot.to_bytes(8, "little")) * 2
        self.begin(claim_log(SlotClaim(SlotKind.PRIMARY, index, slot, output, bytes(80))))
        self.outputs.setdefault(self.babe.current_epoch.get(), []).append(output)

    def announced(self) -> Hash | None:
        """The randomness that the block announces."""
        digest = self.system.digest.get()
        found = find_next_epoch(Header(ZERO_HASH, self.number, ZERO_HASH, ZERO_HASH, digest))
        return None if found is None else found.randomness

    def randomness(self, epoch: int) -> Hash:
        """R(epoch) by the formula: the outputs of the epoch two before it."""
        seed = b"flock/rand" + GENESIS + epoch.to_bytes(8, "little")
        return blake2b_256(seed + b"".join(self.outputs.get(epoch - 2, [])))

    def epoch_at(self, slot: int) -> tuple[int, Hash]:
        """What a node asks the state: index and randomness of a child's epoch."""
        merged = {**self.state.top, **self.ext.changes()}
        state = DictState({key: value for key, value in merged.items() if value is not None})
        found = epoch_of_slot(state, self.number, slot)
        return found.index, found.randomness


def test_epochs_follow_the_slots_and_run_on_what_was_announced() -> None:
    chain = Slots()
    for slot in range(100, 150):
        index, randomness = (0, ZERO_HASH) if slot == 100 else chain.epoch_at(slot)
        chain.block(slot)
        epoch = (slot - 100) // DURATION
        assert chain.babe.epoch_index() == index == epoch
        assert chain.babe.epoch_randomness() == randomness
        if epoch:
            assert randomness == chain.randomness(epoch)
        is_first = slot % DURATION == 0
        assert chain.announced() == (chain.randomness(epoch + 1) if is_first else None)
    assert chain.babe.genesis_slot.get() == 100
    assert chain.babe.epoch_start.get() == 41


def test_the_authorities_are_announced() -> None:
    chain = Slots()
    chain.block(100)
    header = Header(ZERO_HASH, 1, ZERO_HASH, ZERO_HASH, chain.system.digest.get())
    announced = find_next_epoch(header)
    assert announced is not None
    assert [(item.key, item.weight) for item in announced.authorities] == [
        (item.key, item.weight) for item in AUTHORITIES
    ]


def test_the_order_of_outputs_counts() -> None:
    chain = Slots()
    for slot in (100, 101, 110, 120):
        chain.block(slot)
    one, two = chain.outputs[0]
    assert one != two
    assert chain.babe.epoch_randomness() == chain.randomness(2)


@pytest.mark.parametrize("empty", [1, 2, 10])
def test_after_empty_epochs_the_last_announced_data_serve(empty: int) -> None:
    chain = Slots()
    for slot in (100, 105, 110):
        chain.block(slot)
    announced = chain.announced()
    assert announced == chain.randomness(2)
    slot = 120 + DURATION * empty
    assert chain.epoch_at(slot) == (2 + empty, announced)
    chain.block(slot)
    assert chain.babe.epoch_index() == 2 + empty
    assert chain.babe.epoch_randomness() == announced
    # What has been gathered since the last announcement goes into the next one.
    seed = b"flock/rand" + GENESIS + (3 + empty).to_bytes(8, "little")
    assert chain.announced() == blake2b_256(seed + chain.outputs[1][0])
    chain.block(slot + DURATION)
    assert chain.babe.epoch_index() == 3 + empty


def test_outputs_of_past_epochs_are_forgotten() -> None:
    chain = Slots()
    for slot in range(100, 121):
        chain.block(slot)
    assert chain.babe.vrf_count.get() == len(list(chain.babe.vrf_outputs.keys())) == 1


@pytest.mark.parametrize("slot", [0, 99, 100, 104, 105])
def test_a_slot_that_does_not_rise_is_refused(slot: int) -> None:
    chain = Slots()
    chain.block(105)
    with pytest.raises(frame.InvalidBlock, match=rf"^slot {slot} of block 2 is not above 105$"):
        chain.block(slot)


def test_a_block_must_claim_a_slot_and_only_one() -> None:
    claim = claim_log(SlotClaim(SlotKind.SECONDARY, 0, 100, bytes(64), bytes(80)))
    with pytest.raises(frame.InvalidBlock, match=r"^block 1 claims no slot$"):
        Slots().begin()
    with pytest.raises(frame.InvalidBlock, match=r"^block 1 claims no slot$"):
        Slots().begin(PreRuntime(b"BABE", b""))
    with pytest.raises(frame.InvalidBlock, match=r"^slot claim of block 1: end of data"):
        Slots().begin(PreRuntime(ENGINE, b"\1"))
    message = r"^block 1 carries 2 engine items, one is allowed$"
    for other in (claim, instant_log(0), PreRuntime(b"BABE", b"")):
        with pytest.raises(frame.InvalidBlock, match=message):
            Slots().begin(claim, other)
    with pytest.raises(frame.InvalidBlock, match=r"^instant seal of 5 bytes in block 1$"):
        Slots().begin(PreRuntime(INSTANT_ENGINE, bytes(5)))


def test_the_author_is_paid_at_its_account() -> None:
    chain = Slots()
    assert chain.babe.author() is None
    chain.block(100, index=1)
    assert chain.babe.author() == AUTHORITIES[1].account
    assert chain.babe.author_vrf_output() == chain.outputs[0][0]
    chain.block(101, index=2)
    assert chain.babe.author() is None


def test_instant_blocks_have_an_author_and_no_vrf() -> None:
    chain = Slots()
    chain.begin(instant_log(1))
    assert chain.babe.author() == AUTHORITIES[1].account
    assert chain.babe.author_vrf_output() is None
    assert chain.babe.current_slot.get() == 0
    chain.babe.on_timestamp_set(123_456)


def test_the_time_must_lie_in_the_slot() -> None:
    chain = Slots()
    chain.block(100)
    for now in (100_000, 100_999):
        chain.babe.on_timestamp_set(now)
    for now, slot in ((99_999, 99), (101_000, 101)):
        with pytest.raises(frame.InvalidBlock) as caught:
            chain.babe.on_timestamp_set(now)
        assert str(caught.value) == f"time {now} ms lies in slot {slot}, the block is of 100"


def test_genesis_needs_an_authority() -> None:
    with pytest.raises(ValueError, match=r"^babe: no authorities$"):
        Slots().babe.genesis_build([])
