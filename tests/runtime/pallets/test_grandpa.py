"""Grandpa: the voters of genesis, and changes that are announced as Substrate announces them."""

from __future__ import annotations

import pytest

from runtime import frame
from runtime.pallets.grandpa import SETS_KEPT_MAX, Config, Grandpa
from runtime.pallets.system import Config as SystemConfig
from runtime.pallets.system import System
from runtime.primitives.babe_digest import Authority
from runtime.primitives.header import Consensus, Digest
from runtime.primitives.types import ZERO_HASH

ONE, TWO = Authority(b"k" * 32, 5), Authority(b"l" * 32, 6)


def new_grandpa() -> tuple[Grandpa, System]:
    ext = frame.Externalities(frame.DictState())
    system = System(ext, SystemConfig())
    system.initialize(1, ZERO_HASH, Digest([]))
    return Grandpa(ext, Config(), block=system), system


def test_genesis_sets_the_first_voters() -> None:
    pallet, _ = new_grandpa()
    with pytest.raises(ValueError, match=r"^grandpa: no authorities$"):
        pallet.genesis_build([])
    pallet.genesis_build([ONE])
    assert pallet.authorities.get() == [ONE]
    assert pallet.current_set_id.get() == 0
    assert pallet.sessions_of_set(0) == (0, None)
    assert pallet.sessions_of_set(1) is None


def test_a_change_is_announced_and_counts_one_set_more() -> None:
    pallet, system = new_grandpa()
    pallet.genesis_build([ONE])
    pallet.set_authorities([ONE], 3)
    assert system.digest.get().logs == []
    pallet.set_authorities([ONE, TWO], 4)
    assert (pallet.authorities.get(), pallet.current_set_id.get()) == ([ONE, TWO], 1)
    assert pallet.sessions_of_set(0) == (0, 4)
    assert pallet.sessions_of_set(1) == (4, None)
    # ScheduledChange: case 1, two authorities with u64 weights, no delay.
    two = ONE.key + (5).to_bytes(8, "little") + TWO.key + (6).to_bytes(8, "little")
    assert system.digest.get().logs == [Consensus(b"FRNK", b"\1\x08" + two + bytes(4))]


def test_only_so_many_sets_are_remembered() -> None:
    pallet, _ = new_grandpa()
    pallet.genesis_build([ONE])
    pallet.current_set_id.put(SETS_KEPT_MAX - 1)
    pallet.set_authorities([TWO], 9)
    assert pallet.sessions_of_set(0) is None
    assert pallet.sessions_of_set(SETS_KEPT_MAX) == (9, None)
