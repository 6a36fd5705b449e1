"""Reports: what this node saw an authority sign twice goes on the chain, unsigned and by itself.

Owns the evidence that waits until the head's state can tell whose the key was. Invariant: what is
remembered is bounded; a report is made once and left to the pool, which refuses what is known.
Source: WP II.A; Substrate `sc_consensus_slots::check_equivocation`,
`report_equivocation`; WP II.A.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.chain.notifications import Evidence
from flockchain.clock import Clock
from flockchain.pool.errors import PoolError
from flockchain.storage.errors import StateDiscarded
from p2p.interface import PeerId
from runtime.api import runtime_at
from runtime.economy.authorities import prove_member
from runtime.frame.extrinsic import assemble
from runtime.frame.pallet import encode_call
from runtime.pallets.offences import Offences
from runtime.primitives.evidence import BlockEquivocation, VoteEquivocation
from runtime.runtime import Runtime

log = logging.getLogger(__name__)

WAITING_MAX: Final = 64
_RETRY_MS: Final = 1_000
_TRIES_MAX: Final = 60
_SESSIONS_BACK_MAX: Final = 16


@dataclass(slots=True)
class _Waiting:
    evidence: Evidence
    tries: int = 0


class _NotYet(Exception):
    """The head's state does not know the session or set yet."""


class OffenceReporter:
    """Makes reports of what the chain's listeners are told, and submits them."""

    def __init__(self, backend: Backend, clock: Clock, submit: Callable[[bytes], object]) -> None:
        self._backend, self._clock, self._submit = backend, clock, submit
        self._waiting: list[_Waiting] = []
        self._due_ms = 0
        backend.notifications.on_evidence.append(self.note)

    def note(self, evidence: Evidence) -> None:
        """Somebody signed twice. Told in the middle of an import, so nothing is done yet."""
        if len(self._waiting) < WAITING_MAX:
            self._waiting.append(_Waiting(evidence))
            self._due_ms = 0

    # -- Companion

    def on_time(self) -> None:
        """Report what can be reported."""
        now_ms = self._clock.now_ms()
        if not self._waiting or now_ms < self._due_ms:
            return
        self._due_ms = now_ms + _RETRY_MS
        self._waiting = [one for one in self._waiting if self._is_to_wait(one)]

    def next_wake_ms(self) -> int | None:
        """When `on_time` is due."""
        return self._due_ms if self._waiting else None

    def on_peer_connected(self, peer: PeerId) -> None:
        """Peers change nothing."""

    def on_peer_disconnected(self, peer: PeerId) -> None:
        """Peers change nothing."""

    # -- one report

    def _is_to_wait(self, one: _Waiting) -> bool:
        """Report it; whether it must wait."""
        one.tries += 1
        try:
            extrinsic = self._make(one.evidence)
        except _NotYet:
            return one.tries < _TRIES_MAX
        except StateDiscarded as error:
            log.warning("an offence is too old to be reported: %s", error)
            return False
        if extrinsic is None:
            return False
        try:
            self._submit(extrinsic)
            log.info("an authority that signed twice is reported")
        except PoolError as error:  # mostly: somebody was faster
            log.debug("report not taken: %s", error)
        return False

    def _make(self, evidence: Evidence) -> bytes | None:
        """The extrinsic; None if the key was nobody's, as where the spec fixes the authorities."""
        runtime = self._runtime_of(evidence)
        if runtime is None:
            return None
        is_block = isinstance(evidence, BlockEquivocation)
        key = evidence.authority if isinstance(evidence, BlockEquivocation) else evidence.first.id
        members = runtime.session.members.get()
        keys = [each.keys.babe if is_block else each.keys.grandpa for each in members]
        if key not in keys:
            return None
        proof = prove_member(runtime.session.current_index.get(), members, keys.index(key))
        if isinstance(evidence, BlockEquivocation):
            return assemble(encode_call(Offences.report_blocks_unsigned, evidence, proof), None)
        return assemble(encode_call(Offences.report_votes_unsigned, evidence, proof), None)

    def _runtime_of(self, evidence: Evidence) -> Runtime | None:
        """A state in the session of the offence, from the head downwards. Raises _NotYet."""
        block = self._backend.best.hash
        for _ in range(_SESSIONS_BACK_MAX):
            runtime = runtime_at(self._backend.state_at(block))
            if not runtime.session.members.get():
                return None
            place = _place_of(evidence, runtime)
            if place > 0:
                raise _NotYet
            if place == 0:
                return runtime
            before = self._backend.blocks.hash_at(runtime.babe.epoch_start.get() - 1)
            if before is None:
                return None
            block = before
        return None


def _place_of(evidence: Evidence, runtime: Runtime) -> int:
    """Whether the offence is of the state's session (0), an earlier (-1) or a later one (1)."""
    if isinstance(evidence, VoteEquivocation):
        current = runtime.grandpa.current_set_id.get()
        return (evidence.set_id > current) - (evidence.set_id < current)
    session = runtime.session.current_index.get()
    record, epoch = runtime.session.records.get(session), runtime.babe.epoch_of(evidence.slot)
    if epoch is None:
        return -1
    after = -1 if record.previous is None else record.previous
    return (epoch > session) - (epoch <= after)
