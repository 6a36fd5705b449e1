"""Simulations without their logs: liars fill them, and what is wrong is in the outcome.

Source: POSIX utility conventions (what a command says is its result).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SELDOM: Final = (50_000, 10, 3)
"""What brings the collector: no run waits for an answer, and little in it is cycles. But a network
that was played to its end is, so not many of those may wait to be found."""


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing is logged meanwhile; afterwards the process's logging is as it was."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        root.setLevel(level)
