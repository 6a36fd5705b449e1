"""The collector of reference cycles, kept out of the way of blocks.

A node keeps some hundred thousand trie nodes at hand, and a block makes records by the ten
thousand; reference counts free nearly all of them. With CPython's settings a settlement's blocks
trigger collections of all that is not frozen, 90 ms each; a larger young generation would move the
pause there.

Source: CPython `gc`; the measurement is `flockchain bench arena`.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

THRESHOLDS: Final = (2_000, 10, 100)
"""New objects between two collections of the youngest, and how many of those make an older one."""


@contextmanager
def quiet_collector(thresholds: tuple[int, int, int] = THRESHOLDS) -> Iterator[None]:
    """Leave out what is loaded now, and come seldom, until the context ends.

    Where nobody waits for an answer, more new objects between two collections cost less.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*thresholds)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
