"""The longest that a round of some terms may last."""

from __future__ import annotations

from dataclasses import replace

from runtime.pallets.fl_alliance.terms import AGGREGATORS_MAX, RoundWindows


def test_the_longest_round_counts_each_aggregators_time_twice() -> None:
    windows = RoundWindows(1, 1, 10, 100, 1_000, 1, 1)
    assert windows.total() == 114 + 2 * 1_000 + (AGGREGATORS_MAX - 1) * (112 + 2 * 1_000)
    assert replace(windows, aggregate=0).total() == 114
