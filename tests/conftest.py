"""What all tests share: how Hypothesis draws examples, and nodes that share the work of checking.

Examples are the same in every `make test`, new ones in `make test-long`. Owns the two profiles. A
test that states its own number of examples keeps it under both. Another run of new examples:
`pytest --hypothesis-profile long --hypothesis-seed 7 tests/properties`; what fails prints the line
that repeats it. Neither profile judges by the clock: a busy machine is slow.
"""

from __future__ import annotations

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


@pytest.fixture
def sharing() -> Iterator[None]:
    """The nodes of the test's process check each signature and execute each block once."""
    from flockchain.simulation.network.shared_checks import shared_checks  # few tests need it

    with shared_checks():
        yield
