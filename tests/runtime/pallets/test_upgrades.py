"""Scheduled upgrades: who may schedule them, when they are due, and which release goes on."""

from __future__ import annotations

import pytest

from runtime import frame
from runtime.api import ensure_executable, executing_preset, preset_of, runtime_at
from runtime.economy.governance import Track
from runtime.frame.errors import BadOrigin
from runtime.frame.origin import signed
from runtime.pallets import upgrades
from runtime.pallets.system import System
from runtime.pallets.upgrades import Upgrade, Upgrades
from runtime.primitives.types import Hash
from runtime.track_calls import allows
from runtime.version import CODE_KEY, UnknownRuntime, code_stub
from tests.runtime.block_chain import ALICE, Chain, State, call_of, remark

RELEASE = Hash(b"r" * 32)
NOTICE = 20  # blocks of a day on the devnet


def scheduled(chain: Chain, last_block: int, spec_version: int = 2) -> None:
    """As if a proposal had passed."""
    item, made = Upgrades.scheduled, Upgrade(spec_version, RELEASE, last_block)
    chain.state = State({**chain.state.top, item.path(): item.value_codec.encode(made)})


def test_only_the_dao_schedules_a_newer_release_with_notice() -> None:
    pallet = Chain().runtime.upgrades
    with pytest.raises(BadOrigin):
        pallet.schedule(signed(ALICE.account), 2, RELEASE, NOTICE)
    with pytest.raises(upgrades.NotNewer):
        pallet.schedule(frame.ROOT, 1, RELEASE, NOTICE)
    with pytest.raises(upgrades.TooSoon):
        pallet.schedule(frame.ROOT, 2, RELEASE, NOTICE - 1)
    pallet.schedule(frame.ROOT, 2, RELEASE, NOTICE)
    pallet.schedule(frame.ROOT, 3, RELEASE, NOTICE + 1)
    assert pallet.scheduled.get() == Upgrade(3, RELEASE, NOTICE + 1)
    pallet.try_state()
    for call in (call_of(Upgrades.schedule, 2, RELEASE, NOTICE), call_of(Upgrades.cancel)):
        assert [track for track in Track if allows(track, call)] == [Track.UPGRADES]


def test_what_is_scheduled_can_be_taken_back() -> None:
    pallet = Chain().runtime.upgrades
    with pytest.raises(BadOrigin):
        pallet.cancel(signed(ALICE.account))
    with pytest.raises(upgrades.NothingScheduled):
        pallet.cancel(frame.ROOT)
    pallet.schedule(frame.ROOT, 2, RELEASE, NOTICE)
    pallet.cancel(frame.ROOT)
    assert pallet.scheduled.find() is None
    told = [type(event).__name__ for _, event in pallet.ext.events]
    assert told == ["UpgradeScheduled", "UpgradeCancelled"]


def test_the_last_block_of_a_release_is_a_block_like_any_other() -> None:
    chain = Chain()
    scheduled(chain, 2)
    assert chain.block() == []
    assert preset_of(chain.state).name == "devnet"
    execution = chain.begin()
    # Its transactions are signed for the old release: the name changes behind them.
    assert execution.apply(chain.sign(ALICE, remark(b"still here"))) is None
    executed = execution.finish()
    state = chain.state.after(executed)
    assert state.get(CODE_KEY) == code_stub("devnet", 2)
    assert state.get(Upgrades.scheduled.path()) is None
    assert preset_of(state).name == "devnet", "nothing is migrated yet: it can be read"
    with pytest.raises(UnknownRuntime) as caught:
        executing_preset(state)
    assert str(caught.value) == (
        "the chain runs spec version 2, this release has 1: install the release with hash "
        f"0x{RELEASE.hex()}, which goes on after block 2 (`flockchain release` prints a release's "
        "own)"
    )
    with pytest.raises(UnknownRuntime):
        ensure_executable(state)
    later = State({**state.top, System.number.path(): System.number.value_codec.encode(3)})
    with pytest.raises(UnknownRuntime):
        preset_of(later)


def test_the_new_release_goes_on_and_the_old_one_cannot_begin_earlier(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chain = Chain()
    scheduled(chain, 1)
    chain_before = chain.state
    execution = chain.begin()
    chain.state = chain.state.after(execution.finish())
    monkeypatch.setattr("runtime.api.SPEC_VERSION", 2)
    with pytest.raises(UnknownRuntime) as caught:
        executing_preset(chain_before)
    assert str(caught.value) == (
        "the chain runs spec version 1, this release has 2: the older release goes on until the "
        "upgrade that governance scheduled"
    )
    assert preset_of(chain_before).name == "devnet", "old blocks are still judged"
    assert executing_preset(chain.state).name == "devnet"
    assert runtime_at(chain.state).upgrades.latest.get() == Upgrade(2, RELEASE, 1)
