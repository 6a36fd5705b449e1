"""Rates by key."""

from __future__ import annotations

from flockchain.keyed_rate import KeyedRate


def test_a_burst_then_one_an_interval() -> None:
    rate = KeyedRate[str](interval_ms=100, burst=3, keys_max=10)
    assert [rate.take("a", 0) for _ in range(5)] == [True, True, True, False, False]
    assert rate.take("b", 0)
    assert [rate.take("a", 99), rate.take("a", 100), rate.take("a", 101)] == [False, True, False]
    assert [rate.take("a", 10_000) for _ in range(4)] == [True, True, True, False]


def test_refused_attempts_cost_nothing() -> None:
    rate = KeyedRate[str](interval_ms=100, burst=1, keys_max=10)
    assert rate.take("a", 0)
    assert not any(rate.take("a", now_ms) for now_ms in range(100))
    assert rate.take("a", 100)


def test_what_was_done_already_is_counted_beyond_the_burst() -> None:
    rate = KeyedRate[str](interval_ms=100, burst=3, keys_max=10)
    assert rate.may_act("a", 0)
    rate.charge("a", 0, 2)
    assert rate.may_act("a", 0)
    rate.charge("a", 0, 10)
    assert [rate.may_act("a", now_ms) for now_ms in (0, 999, 1_000)] == [False, False, True]
    assert rate.take("a", 1_000)
    assert not rate.take("a", 1_000)
    assert rate.may_act("b", 0)


def test_keys_are_bounded() -> None:
    rate = KeyedRate[int](interval_ms=100, burst=1, keys_max=2)
    for key in (1, 2, 3):
        assert rate.take(key, 0)
    assert len(rate) == 2
    assert rate.take(1, 0)  # forgotten, hence rested
    for key in (4, 5, 6):
        rate.charge(key, 0, 5)
    assert len(rate) == 2
