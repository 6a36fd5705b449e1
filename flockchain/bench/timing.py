"""How the benchmarks read a clock, and the unit that makes machines comparable.

Source: performance targets (the calibration unit).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from nacl.signing import SigningKey

from runtime.frame.executive import verify_signature
from runtime.primitives.multi import Ed25519
from runtime.primitives.types import AccountId


def microseconds(run: Callable[[], Any], rounds: int) -> float:
    """Of one call, over `rounds` of them."""
    start = time.perf_counter()
    for _ in range(rounds):
        run()
    return (time.perf_counter() - start) / rounds * 1e6


def calibration(rounds: int = 2_000) -> float:
    """Microseconds of one ed25519 check on this machine, now."""
    key, message = SigningKey(bytes(32)), b"x" * 120
    signature, who = Ed25519(key.sign(message).signature), AccountId(bytes(key.verify_key))
    return min(
        microseconds(lambda: verify_signature(signature, who, message), rounds) for _ in range(3)
    )
