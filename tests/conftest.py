"""How Hypothesis draws examples: the same in every `make test`, new ones in `make test-long`.

Owns the two profiles. A test that states its own number of examples keeps it under both. Another
run of new examples: `pytest --hypothesis-profile long --hypothesis-seed 7 tests/properties`; what
fails prints the line that repeats it.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile(
    "fixed", derandomize=True, deadline=None, max_examples=100, print_blob=True
)
settings.register_profile("long", deadline=None, max_examples=1_000, print_blob=True)
settings.load_profile("fixed")
