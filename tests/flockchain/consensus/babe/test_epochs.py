"""Epochs by slot, and what happens when nobody announces the next one."""

import pytest

from flockchain.consensus.babe.epochs import (
    EpochData,
    EpochSchedule,
    EpochView,
    InvalidEpoch,
    compute_randomness,
)
from runtime.primitives.babe_digest import Authority, NextEpoch
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import Hash

SCHEDULE = EpochSchedule(genesis_slot=100, epoch_slots=10)
ALICE, BOB = Authority(b"a" * 32, 3), Authority(b"b" * 32, 4)
GENESIS = EpochData.of([ALICE], Hash(bytes(32)))


def announcement(label: int, *authorities: Authority) -> NextEpoch:
    return NextEpoch(list(authorities) or [ALICE, BOB], Hash(bytes([label]) * 32))


def test_epochs_are_counted_from_the_first_slot():
    assert [SCHEDULE.epoch_of(slot) for slot in (100, 109, 110, 125)] == [0, 0, 1, 2]
    assert SCHEDULE.first_slot(2) == 120
    with pytest.raises(InvalidEpoch, match=r"^slot 99 is before the first slot 100$"):
        SCHEDULE.epoch_of(99)


def test_an_epoch_runs_on_what_the_one_before_announced():
    view = EpochView.at_genesis(SCHEDULE, GENESIS).after(100, announcement(1), is_first=True)
    assert view.epoch_for(105).data == GENESIS
    epoch = view.epoch_for(110)
    assert (epoch.index, epoch.data.randomness, epoch.data.total_weight) == (1, b"\1" * 32, 7)
    view = view.after(105, None, is_first=False).after(112, announcement(2), is_first=False)
    assert view.epoch_for(113).data.randomness == b"\1" * 32
    assert view.epoch_for(121).data.randomness == b"\2" * 32


@pytest.mark.parametrize("empty_epochs", [1, 2, 10])
def test_after_empty_epochs_the_last_announced_data_serves(empty_epochs):
    view = EpochView.at_genesis(SCHEDULE, GENESIS).after(100, announcement(1), is_first=True)
    slot = 110 + 10 * empty_epochs
    epoch = view.epoch_for(slot)
    assert epoch.index == 1 + empty_epochs
    assert epoch.data.randomness == b"\1" * 32
    later = view.after(slot, announcement(2), is_first=False)
    assert later.epoch_for(slot + 10).data.randomness == b"\2" * 32


def test_forks_have_views_of_their_own():
    root = EpochView.at_genesis(SCHEDULE, GENESIS).after(100, announcement(1), is_first=True)
    left = root.after(110, announcement(2), is_first=False)
    right = root.after(111, announcement(3), is_first=False)
    assert left.epoch_for(120).data.randomness != right.epoch_for(120).data.randomness


def test_the_first_block_of_an_epoch_and_no_other_announces():
    view = EpochView.at_genesis(SCHEDULE, GENESIS)
    with pytest.raises(InvalidEpoch, match="slot 100 of epoch 0 announces no next epoch"):
        view.after(100, None, is_first=True)
    view = view.after(100, announcement(1), is_first=True)
    with pytest.raises(InvalidEpoch, match="slot 101 of epoch 0 announces an epoch again"):
        view.after(101, announcement(1), is_first=False)
    with pytest.raises(InvalidEpoch, match="slot 110 of epoch 1 announces no next epoch"):
        view.after(110, None, is_first=False)
    view = view.after(110, announcement(2), is_first=False)
    with pytest.raises(InvalidEpoch, match="slot 109 lies in epoch 0, before 1"):
        view.epoch_for(109)
    with pytest.raises(InvalidEpoch, match="1 authorities have no weight"):
        view.after(120, announcement(3, Authority(b"a" * 32, 0)), is_first=False)


def test_randomness_hashes_genesis_epoch_and_outputs_in_order():
    genesis, one, two = Hash(b"g" * 32), b"1" * 64, b"2" * 64
    seed = b"flock/rand" + genesis + b"\5" + bytes(7)
    assert compute_randomness(genesis, 5, [one, two]) == blake2b_256(seed + one + two)
    assert compute_randomness(genesis, 5, []) == blake2b_256(seed)
