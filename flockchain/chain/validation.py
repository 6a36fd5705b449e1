"""Validation for the pool: on top of the best block, as it is at each call.

Source: Substrate `sc_transaction_pool::api::FullChainApi`.
"""

from __future__ import annotations

from flockchain.chain.backend import Backend
from runtime.api import validate_transaction
from runtime.frame.executive import Verifier
from runtime.frame.validity import TransactionSource, ValidTransaction


class BestBlockValidator:
    """What the pool calls to learn whether an extrinsic is valid."""

    def __init__(self, backend: Backend, verify: Verifier) -> None:
        self._backend = backend
        self._verify = verify

    def __call__(self, source: TransactionSource, data: bytes) -> ValidTransaction:
        """Raises TransactionValidityError."""
        best = self._backend.best
        state = self._backend.state_at(best.hash)
        return validate_transaction(state, best.hash, best.number, source, data, self._verify)
