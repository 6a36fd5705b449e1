"""What tests of whole networks share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flockchain.simulation.quiet import quiet


@pytest.fixture
def quietly() -> Iterator[None]:
    """Nothing is logged during the test."""
    with quiet():
        yield
