"""What tests of whole networks share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flockchain.collector import quiet_collector
from flockchain.simulation.quiet import SELDOM, quiet


@pytest.fixture
def quietly() -> Iterator[None]:
    """Nothing is logged during the test."""
    with quiet():
        yield


@pytest.fixture(scope="module")
def seldom_collecting() -> Iterator[None]:
    """Cycles are looked for seldom, and not in what all tests of the process hold."""
    with quiet_collector(SELDOM):
        yield
