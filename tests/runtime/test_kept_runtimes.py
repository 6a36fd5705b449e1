"""A runtime that went on from block to block answers as a new one; every chain of the tests of
pallets executes with both (`Chain.block`)."""

from __future__ import annotations

import pytest

from runtime import kept_runtimes
from runtime.api import runtime_at
from runtime.constants import PRESETS
from runtime.frame.externalities import DictState
from runtime.frame.storage import StorageItem
from runtime.kept_runtimes import KeptRuntimes
from runtime.pallets.babe import EpochAuthority
from runtime.primitives.types import Hash
from runtime.runtime import Runtime
from runtime.version import CODE_KEY, UnknownRuntime, code_stub
from tests.runtime.block_chain import ALICE, AUTHOR, BOB, Chain, remark

ROOT, OTHER = Hash(b"\1" * 32), Hash(b"\2" * 32)


def test_a_runtime_is_had_once() -> None:
    state, kept = Chain().state, KeptRuntimes()
    first = kept.take(ROOT, state)
    kept.put(ROOT, first)
    assert kept.take(ROOT, state) is first
    assert kept.take(ROOT, state) is not first


def test_no_more_are_kept_than_heads_compete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_runtimes, "RUNTIMES_MAX", 1)
    state, kept = Chain().state, KeptRuntimes()
    first, second = runtime_at(state), runtime_at(state)
    kept.put(ROOT, first)
    kept.put(OTHER, second)
    assert len(kept) == 1
    assert kept.take(OTHER, state) is second


def test_who_goes_is_emptied_as_cycles_keep_it_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_runtimes, "RUNTIMES_MAX", 1)
    state, kept = Chain().state, KeptRuntimes()
    first, second, third = (runtime_at(state) for _ in range(3))
    for runtime in (first, second, third):
        runtime.ext.put(b"key", b"value", "decoded")
        runtime.ext.deposit_event("event")
    for root, runtime in ((ROOT, first), (OTHER, second), (OTHER, third)):
        kept.put(root, runtime)
    for gone in (first, second):
        assert not gone.ext.changes()
        assert not gone.ext.decoded
        assert not gone.ext.events
        assert gone.ext.get(b"key") is None
    kept.put(OTHER, third)
    assert third.ext.get(b"key") == b"value", "it is put again, not replaced"


def test_who_went_begins_anew_where_none_has_been(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_runtimes, "RUNTIMES_MAX", 1)
    chain, kept = Chain(), KeptRuntimes()
    first, second = runtime_at(chain.state), runtime_at(chain.state)
    first.ext.put(b"key", b"value", "decoded")
    kept.put(ROOT, first)
    kept.put(OTHER, second)
    again = kept.take(ROOT, DictState({**chain.state.top, b"key": b"other"}))
    assert again is first
    assert again.ext.get(b"key") == b"other"
    assert not again.ext.changes()
    assert kept.take(ROOT, chain.state) is not first, "it is had once"


def test_a_change_of_preset_takes_a_new_runtime() -> None:
    state, kept = Chain().state, KeptRuntimes()
    before = kept.take(ROOT, state)
    kept.put(ROOT, before)
    other = next(name for name in PRESETS if PRESETS[name] is not before.preset)
    after = kept.take(ROOT, DictState({CODE_KEY: code_stub(other)}))
    assert after is not before
    assert after.preset is PRESETS[other]
    kept.put(ROOT, before)
    with pytest.raises(UnknownRuntime):
        kept.take(ROOT, DictState({}))


def own_state(runtime: Runtime) -> dict[str, object]:
    """What pallets hold besides their storage and what is wired to them."""
    return {
        f"{type(pallet).__name__}.{name}": value
        for pallet in runtime.ordered
        for name, value in vars(pallet).items()
        if isinstance(value, int | str | bytes | list | dict | tuple | set)
        and not isinstance(value, StorageItem)
    }


def test_pallets_remember_nothing_by_themselves() -> None:
    chain = Chain()
    chain.block()
    used = chain.kept.take(chain.head, chain.state)
    before = own_state(used)
    chain.kept.put(chain.head, used)
    for nonce in range(3):
        chain.block(chain.sign(ALICE, remark()), *([chain.sign(BOB, remark())] if nonce else []))
    used = chain.kept.take(chain.head, chain.state)
    after = own_state(used)
    assert {name: after[name] for name in before} == before
    assert set(after) == set(before)


def test_lists_that_are_read_are_the_readers_own() -> None:
    babe = runtime_at(Chain().state).babe
    for _ in range(2):
        listed = babe.authorities.get()
        assert listed == [EpochAuthority(AUTHOR.account, 1, AUTHOR.account)]
        listed.clear()
    written = [EpochAuthority(ALICE.account, 2, ALICE.account)]
    babe.authorities.put(written)
    written.clear()
    assert babe.authorities.get() == [EpochAuthority(ALICE.account, 2, ALICE.account)]
    assert babe.authorities.find() == babe.authorities.get()


def test_a_list_by_default_is_the_readers_own_too() -> None:
    for _ in range(2):
        disabled = runtime_at(Chain().state).session.disabled.get()
        assert disabled == []
        disabled.append(b"key")
