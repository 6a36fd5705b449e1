"""What all tests share: Hypothesis's examples, a quiet collector, nodes that share their checks.

Examples are the same in every `make test`, new ones in `make test-long`. Owns the two profiles. A
test that states its own number of examples keeps it under both. Another run of new examples:
`pytest --hypothesis-profile long --hypothesis-seed 7 tests/properties`; what fails prints the line
that repeats it. Neither profile judges by the clock: a busy machine is slow.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

_TIMED: Final = [HealthCheck.too_slow]

settings.register_profile(
    "fixed",
    derandomize=True,
    deadline=None,
    max_examples=100,
    print_blob=True,
    suppress_health_check=_TIMED,
)
settings.register_profile(
    "long", deadline=None, max_examples=1_000, print_blob=True, suppress_health_check=_TIMED
)
settings.load_profile("fixed")

# Thousands of tests lie in memory. With CPython's settings a third of the time to collect them goes
# into looking for cycles, and as much of the time to parse all sources.
gc.set_threshold(50_000, 10, 10)


@pytest.fixture
def sharing() -> Iterator[None]:
    """The nodes of the test's process check each signature and execute each block once."""
    from flockchain.simulation.network.shared_checks import shared_checks  # few tests need it

    with shared_checks():
        yield
