"""Pure checks done once for all nodes of a process: signatures, lottery proofs, executions.

Seven nodes would check each vote seven times and execute each block seven times, for the same
answer from the same bytes: nothing is shared but answers of pure functions, keyed by everything
that they depend on. What a node stores and what its state root is stays its own work, and the
checkers execute again without these caches.
Source: performance (what a simulated seed may cost); WP II.A.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from unittest.mock import patch

from runtime.api import Executed, execute_block
from runtime.frame.executive import Verifier
from runtime.frame.externalities import StateReader
from runtime.primitives.header import Header
from runtime.primitives.signatures import ed25519_verify
from runtime.primitives.types import Hash
from runtime.primitives.vrf import verify as verify_vrf
from runtime.runtime import Runtime

_KEPT = 32_768


class _Executions:
    """What blocks change, by header and body. Refusals are executed again."""

    def __init__(self) -> None:
        self._known: dict[tuple[Hash, tuple[bytes, ...]], Executed] = {}

    def __call__(
        self,
        state: StateReader,
        header: Header,
        body: list[bytes],
        verify: Verifier,
        runtime: Runtime,
    ) -> Executed:
        key = (header.hash(), tuple(body))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = execute_block(state, header, body, verify, runtime)
            if len(self._known) > _KEPT // 64:
                del self._known[next(iter(self._known))]
            return known
        for changed, value in known.changes.items():  # the runtime stands where it would
            runtime.ext.put(changed, value)
        return known


@contextmanager
def shared_checks() -> Iterator[None]:
    """Within it, the nodes of this process share the answers of pure checks."""
    ed25519 = lru_cache(_KEPT)(ed25519_verify)
    with (
        patch("runtime.primitives.grandpa_votes.ed25519_verify", ed25519),
        patch("runtime.primitives.slot_seal.ed25519_verify", ed25519),
        patch("flockchain.consensus.babe.lottery.verify", lru_cache(_KEPT)(verify_vrf)),
        patch("flockchain.chain.importer.execute_block", _Executions()),
    ):
        yield
