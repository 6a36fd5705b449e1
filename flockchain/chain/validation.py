"""Validation for the pool: on top of the best block, as it is at each call.

Owns one `Validation`, turned to another block when the best one changes. Invariant: verdicts depend
on the best block alone, not on what was validated before.

Source: Substrate `sc_transaction_pool::api::FullChainApi`.
"""

from __future__ import annotations

from typing import Final

from flockchain.chain.backend import Backend, Head
from runtime.api import Validation
from runtime.frame.executive import Verifier
from runtime.frame.validity import TransactionSource, ValidTransaction
from runtime.primitives.types import Hash

CALLS_MAX: Final = 4_096
"""Validations that share what they read, before it is forgotten: bounds memory on a quiet chain."""


class BestBlockValidator:
    """What the pool calls to learn whether an extrinsic is valid."""

    def __init__(self, backend: Backend, verify: Verifier) -> None:
        self._backend = backend
        self._verify = verify
        self._validation: Validation | None = None
        self._head: Hash | None = None
        self._calls_left = 0

    def __call__(self, source: TransactionSource, data: bytes) -> ValidTransaction:
        """Raises TransactionValidityError."""
        best = self._backend.best
        if self._validation is None or self._head != best.hash or not self._calls_left:
            self._validation = self._turn_to(best)
            self._head, self._calls_left = best.hash, CALLS_MAX
        self._calls_left -= 1
        return self._validation.validate(source, data)

    def _turn_to(self, best: Head) -> Validation:
        state = self._backend.state_at(best.hash)
        if self._validation is None:
            return Validation(state, best.hash, best.number, self._verify)
        self._head = None  # until it has turned wholly
        self._validation.turn_to(state, best.hash, best.number)
        return self._validation
