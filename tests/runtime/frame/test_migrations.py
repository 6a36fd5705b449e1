"""Migrations: old states are brought up once, in order; newer ones are refused untouched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtime.api import ensure_executable
from runtime.frame.migrations import UnknownStorage, migrate
from runtime.pallets.system import System
from runtime.pallets.treasury import Treasury
from runtime.pallets.upgrades import Upgrades
from runtime.runtime import Runtime
from runtime.version import CODE_KEY, UnknownRuntime, code_stub
from tests.runtime.block_chain import ALICE, AUTHOR, Chain, State, remark

STEPS: list[str] = []


def step(name: str) -> Callable[[object], None]:
    """A migration that says that it ran, and leaves a mark in the state."""

    def run(pallet: Treasury) -> None:
        STEPS.append(name)
        pallet.ext.put(b"migrated " + name.encode(), b"1")

    return run  # type: ignore[return-value]


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> Chain:
    """A chain of the first release, for one to go on with whose treasury has storage version 3."""
    STEPS.clear()
    chain = Chain()
    chain.state = State({**chain.state.top, CODE_KEY: code_stub("devnet", 2)})
    monkeypatch.setattr("runtime.api.SPEC_VERSION", 2)
    monkeypatch.setattr("tests.runtime.block_chain.SPEC_VERSION", 2)
    monkeypatch.setattr(Runtime, "spec_version", 2)
    monkeypatch.setattr(Treasury, "stored_version", 3)
    monkeypatch.setattr(Treasury, "migrations", {1: step("one"), 2: step("two")})
    return chain


def test_an_old_state_migrates_in_the_first_block_and_only_there(chain: Chain) -> None:
    assert chain.block(chain.sign(ALICE, remark(b"first"))) == [None]
    # Once by the author, once by who executes the block of a stranger.
    assert STEPS == ["one", "two"] * 2
    assert chain.runtime.system.version_of(Treasury.pallet_index) == 3
    assert chain.runtime.system.version_of(System.pallet_index) == 1
    assert chain.runtime.system.last_upgrade() == 2
    assert chain.state.get(b"migrated two") == b"1"
    chain.block(chain.sign(AUTHOR, remark(b"second")))
    assert STEPS == ["one", "two"] * 2


def test_a_crash_in_the_first_block_leaves_the_old_state(chain: Chain) -> None:
    chain.begin()  # and never finished
    assert chain.state.get(b"migrated one") is None
    chain.block()
    assert chain.state.get(b"migrated one") == b"1"


def test_a_state_half_way_is_brought_up_by_what_is_missing(chain: Chain) -> None:
    runtime = chain.runtime
    runtime.system.set_version(Treasury.pallet_index, 2)
    assert migrate(runtime.ordered, runtime.system) == 1
    assert STEPS == ["two"]


def test_a_state_that_is_too_old_is_refused(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Treasury, "migrations", {2: step("two")})
    runtime = chain.runtime
    with pytest.raises(UnknownStorage) as caught:
        migrate(runtime.ordered, runtime.system)
    assert str(caught.value) == (
        "the state of Treasury has storage version 1, and this release has no migration from 1: "
        "install the releases in between first"
    )
    assert STEPS == []


def test_a_newer_state_is_refused_before_anything_is_done() -> None:
    chain = Chain()
    path = System.storage_version.path(Upgrades.pallet_index)
    top = {**chain.state.top, path: System.storage_version.value_codec.encode(2)}
    with pytest.raises(UnknownRuntime) as caught:
        ensure_executable(State(top))
    assert str(caught.value) == (
        "the state of Upgrades has storage version 2, this release knows 1: install the release "
        "that the chain runs"
    )
