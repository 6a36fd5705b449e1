"""The overlay: rollback is exact, iteration is that of a plain dictionary."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from runtime.frame import externalities
from runtime.frame.externalities import DictState, Externalities

ITEMS = (b"i" * 32, b"j" * 32)  # whose keys are grouped
KEYS = st.binary(max_size=3) | st.builds(
    lambda item, rest: item + rest, st.sampled_from(ITEMS), st.binary(max_size=2)
)
VALUES = st.binary(max_size=2)


class Undo(Exception):
    """Leaves a transaction."""


class Overlay(RuleBasedStateMachine):
    """Puts, removes and nested transactions, side by side with copies of a dictionary."""

    @initialize(base=st.dictionaries(KEYS, VALUES, max_size=8))
    def begin(self, base: dict[bytes, bytes]) -> None:
        self.base = dict(base)
        self.ext = Externalities(DictState(base))
        self.model = dict(base)
        self.events: list[int] = []
        self.open: list[tuple[Any, dict[bytes, bytes], list[int]]] = []

    @rule(key=KEYS, value=st.none() | VALUES)
    def put(self, key: bytes, value: bytes | None) -> None:
        self.ext.put(key, value)
        if value is None:
            self.model.pop(key, None)
        else:
            self.model[key] = value

    @rule(key=KEYS, value=VALUES)
    def put_decoded(self, key: bytes, value: bytes) -> None:
        self.put(key, value)
        self.ext.keep_decoded(key, value)

    @rule(number=st.integers(0, 9))
    def event(self, number: int) -> None:
        self.ext.deposit_event(number)
        self.events.append(number)

    @rule()
    def enter(self) -> None:
        transaction = self.ext.transaction()
        transaction.__enter__()
        self.open.append((transaction, copy.copy(self.model), list(self.events)))

    @precondition(lambda self: not self.open)
    @rule()
    def go_on(self) -> None:
        """The next block begins, over the state that this one made."""
        self.base, self.events = dict(self.model), []
        self.ext.go_on(DictState(dict(self.model)))
        assert self.ext.changes() == {}

    @precondition(lambda self: self.open)
    @rule()
    def commit(self) -> None:
        self.open.pop()[0].__exit__(None, None, None)

    @precondition(lambda self: self.open)
    @rule()
    def roll_back(self) -> None:
        transaction, self.model, self.events = self.open.pop()
        assert not transaction.__exit__(Undo, Undo(), None), "the exception goes on"

    @invariant()
    def reads_agree(self) -> None:
        for key in [*self.model, *self.base, b"", b"\0"]:
            assert self.ext.get(key) == self.model.get(key)
            assert self.ext.get_decoded(key) in (None, self.model.get(key))
        assert [event for _, event in self.ext.events] == self.events

    @invariant()
    def iteration_agrees(self) -> None:
        for prefix in (b"", b"\0", b"\1\0", *ITEMS, ITEMS[0] + b"\0"):
            found = sorted(pair for pair in self.model.items() if pair[0].startswith(prefix))
            assert list(self.ext.pairs(prefix)) == found
            assert list(self.ext.keys(prefix)) == [key for key, _ in found]
            after = prefix + b"\0"
            assert list(self.ext.pairs(prefix, after)) == [p for p in found if p[0] > after]

    @invariant()
    def changes_lead_from_the_base_to_the_model(self) -> None:
        state: dict[bytes, bytes] = dict(self.base)
        for key, value in self.ext.changes().items():
            if value is None:
                state.pop(key, None)
            else:
                state[key] = value
        assert state == self.model


Overlay.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestOverlay = Overlay.TestCase


def test_a_rolled_back_key_is_no_change() -> None:
    ext = Externalities(DictState({b"a": b"1"}))

    def fail() -> None:
        with ext.transaction():
            ext.put(b"a", b"2")
            ext.put(b"b", b"3")
            raise Undo

    with pytest.raises(Undo):
        fail()
    assert ext.changes() == {}
    ext.put(b"a", None)
    assert ext.changes() == {b"a": None}


def test_a_key_may_be_removed_while_it_is_walked_over() -> None:
    ext = Externalities(DictState({b"a": b"1", b"c": b"1"}))
    ext.put(b"b", b"1")
    seen = []
    for key in ext.keys(b""):
        seen.append(key)
        ext.put(key, None)
    assert seen == [b"a", b"b", b"c"]
    assert list(ext.keys(b"")) == []


def test_events_carry_the_phase_of_their_time() -> None:
    ext = Externalities(DictState())
    ext.phase = "first"
    ext.deposit_event(1)
    ext.phase = "second"
    ext.deposit_event(2)
    assert ext.events == [("first", 1), ("second", 2)]


def test_pairs_of_a_dictionary_begin_above_the_last() -> None:
    state = DictState({b"a2": b"2", b"a1": b"1", b"a3": b"", b"b": b"", b"A": b""})
    assert list(state.pairs(b"a")) == [(b"a1", b"1"), (b"a2", b"2"), (b"a3", b"")]
    assert list(state.pairs(b"a", b"a1")) == [(b"a2", b"2"), (b"a3", b"")]
    assert list(state.pairs(b"a", b"A")) == [(b"a1", b"1"), (b"a2", b"2"), (b"a3", b"")]
    assert list(state.pairs(b"a", b"a3")) == []


def test_what_is_kept_for_the_next_block_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(externalities, "KEPT_VALUES_MAX", 3)
    monkeypatch.setattr(externalities, "KEPT_BYTES_MAX", 10)
    reads: list[bytes] = []

    class Watched(DictState):
        def get(self, key: bytes, /) -> bytes | None:
            reads.append(key)
            return super().get(key)

    ext = Externalities(Watched({b"a": b"1"}))

    def read_in_the_next_block(*keys: bytes) -> list[bytes]:
        ext.go_on(Watched({b"a": b"1"}))
        reads.clear()
        for key in keys:
            ext.get(key)
        return list(reads)

    assert read_in_the_next_block(b"a", b"b") == [b"a", b"b"]
    assert read_in_the_next_block(b"a", b"b", b"c") == [b"c"]
    assert read_in_the_next_block(b"a", b"b", b"c", b"d") == [b"d"]
    assert read_in_the_next_block(b"a") == [b"a"], "four values are too many"
    ext.put(b"a", b"longer than ten")
    assert read_in_the_next_block(b"a") == [b"a"], "and so are ten bytes"
