"""The collector: quiet within, as before after it, and cycles are still found."""

from __future__ import annotations

import gc
import weakref

from flockchain.collector import THRESHOLDS, quiet_collector


class Ring:
    """Refers to itself."""

    def __init__(self) -> None:
        self.itself = self


def test_it_is_quiet_within_and_as_before_after() -> None:
    before = gc.get_threshold()
    with quiet_collector():
        assert gc.get_threshold() == THRESHOLDS
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_it_comes_as_seldom_as_was_asked_for() -> None:
    with quiet_collector((50_000, 10, 3)):
        assert gc.get_threshold() == (50_000, 10, 3)


def test_cycles_are_still_found() -> None:
    with quiet_collector():
        found = weakref.ref(Ring())
        kept = [[number] for number in range(THRESHOLDS[0] + 1_000)]
    assert found() is None
    assert len(kept) > THRESHOLDS[0]
