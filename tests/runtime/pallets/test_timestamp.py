"""Timestamp: once a block, rising, by nobody but the author."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtime import frame
from runtime.frame.origin import signed
from runtime.pallets.timestamp import AlreadySet, Config, Timestamp, TooEarly
from runtime.primitives.types import AccountId

PERIOD = 500


def make(told: list[int] | None = None) -> Timestamp:
    listener: Callable[[int], None] = (told if told is not None else []).append
    return Timestamp(
        frame.Externalities(frame.DictState()), Config(PERIOD), on_timestamp_set=listener
    )


def test_the_time_is_set_and_told() -> None:
    told: list[int] = []
    pallet = make(told)
    pallet.set(frame.NONE, 10_000)
    assert (pallet.now_ms(), told) == (10_000, [10_000])
    pallet.on_finalize(1)
    pallet.set(frame.NONE, 10_000 + PERIOD)
    assert told == [10_000, 10_000 + PERIOD]


def test_once_a_block() -> None:
    pallet = make()
    pallet.set(frame.NONE, 10_000)
    with pytest.raises(AlreadySet):
        pallet.set(frame.NONE, 20_000)
    assert pallet.now_ms() == 10_000


def test_by_the_minimum_period_later() -> None:
    pallet = make()
    pallet.set(frame.NONE, 10_000)
    pallet.on_finalize(1)
    for early in (0, 9_999, 10_000, 10_000 + PERIOD - 1):
        with pytest.raises(TooEarly):
            pallet.set(frame.NONE, early)
    assert pallet.now_ms() == 10_000


@pytest.mark.parametrize("origin", [frame.ROOT, signed(AccountId(b"a" * 32))])
def test_by_nobody_else(origin: frame.Origin) -> None:
    with pytest.raises(frame.BadOrigin):
        make().set(origin, 1)


def test_a_block_without_time_is_invalid() -> None:
    with pytest.raises(frame.InvalidBlock, match=r"^block 7 does not set its time$"):
        make().on_finalize(7)
