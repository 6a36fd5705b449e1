"""Answering who catches up by proofs: changes of voters, nodes of a state, blocks of the past.

A state that somebody downloads is pinned from question to question, so that the pruning of final
states does not take it away halfway. Invariant: at most `LEASES_MAX` states are held so, each no
longer than `LEASE_IDLE_MS` after the last question for it nor than `LEASE_MS_MAX` in all, and none
is taken hold of that lies deeper than `LEASE_DEPTH_MAX`: pruning lags by so much and no more.
Source: Substrate `sc_network_sync::{warp_request_handler, state_request_handler}`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from flockchain.chain.backend import Backend
from flockchain.clock import Clock
from flockchain.consensus.grandpa.warp_proof import Fragment
from flockchain.storage.errors import PinLimitReached, StateDiscarded
from flockchain.sync.messages import RESPONSE_BYTES_MAX, HistoryRequest
from flockchain.sync.serve import encode_whole
from flockchain.sync.warp_messages import (
    FRAGMENTS_MAX,
    STATE_ENTRIES_MAX,
    StateRequest,
    WarpAnswer,
    encode_state_answer,
)
from p2p.interface import PeerError
from runtime.primitives.header import Header
from runtime.primitives.types import Hash

LEASES_MAX: Final = 8
LEASE_IDLE_MS: Final = 60_000
LEASE_MS_MAX: Final = 3_600_000
LEASE_DEPTH_MAX: Final = 128
"""Blocks below the last final one. Older states are served while they last: a hold on the oldest
stops all pruning, so who could take hold of one after the other would stop it for good."""
_SPENT_MAX: Final = 256  # roots that were held long enough: they are not held again
_ENTRY_BYTES: Final = 5  # what the envelope adds at most


def serve_warp(backend: Backend, begin: Hash) -> bytes:
    """The changes above `begin` that fit, and behind the last of them our last final block.

    They end before voters that were replaced by force: those of before prove nothing of them.
    Raises PeerError.
    """
    header = backend.header(begin)
    if header is None or not backend.is_finalized(begin):
        raise PeerError(f"block 0x{begin.hex()} is not final here")
    fragments: list[Fragment] = []
    size = 0
    final = backend.finalized
    last = header.number
    for block in chain(backend.blocks.changes(header.number), [final.hash]):
        fragment = _fragment(backend, block)
        if fragment is None and block == final.hash:
            break  # genesis, or a block that became final with the one above it
        if fragment is None:
            return WarpAnswer(fragments, is_last=False, is_forced=True).encode()
        if fragment.header.number <= last:
            continue  # the last final block may be a change itself
        size += len(fragment.justification) + len(fragment.header.encode()) + 64
        if fragments and (size > RESPONSE_BYTES_MAX or len(fragments) == FRAGMENTS_MAX):
            return WarpAnswer(fragments, is_last=False).encode()
        fragments.append(fragment)
        last = fragment.header.number
    return WarpAnswer(fragments, is_last=True).encode()


def _fragment(backend: Backend, block: Hash) -> Fragment | None:
    header, proof = backend.header(block), backend.blocks.justification(block)
    return None if header is None or proof is None else Fragment(header, proof)


def serve_history(backend: Backend, request: HistoryRequest) -> bytes:
    """A final block and those before it, the newest first, as many as are here and fit.

    Raises PeerError if the first of them is pruned.
    """
    header = backend.header(request.head)
    if header is not None and backend.blocks.body(request.head) is None:
        raise PeerError(f"the extrinsics of block {header.number} are pruned here")
    past = islice(_from_here_down(backend, request.head), request.count)
    return encode_whole(backend, past, has_proofs=False)


def _from_here_down(backend: Backend, block: Hash) -> Iterator[Hash]:
    """A block and those before it, down to the first."""
    while (header := backend.header(block)) is not None and header.number > 0:
        yield block
        block = header.parent_hash


@dataclass(slots=True)
class _Lease:
    """Since when a state is held, and when it was last asked for, ms."""

    since_ms: int
    asked_ms: int


class StateServer:
    """Answers for states, and holds them while they are asked for."""

    def __init__(self, backend: Backend, clock: Clock) -> None:
        self._backend = backend
        self._clock = clock
        self._leases: OrderedDict[bytes, _Lease] = OrderedDict()
        """By state root, longest unasked first."""
        self._spent: OrderedDict[bytes, None] = OrderedDict()

    def serve(self, request: StateRequest) -> bytes:
        """The nodes after a path, as many as fit. Raises PeerError."""
        header = self._backend.header(request.block)
        if header is None:
            raise PeerError(f"block 0x{request.block.hex()} is not known here")
        root = header.state_root
        try:
            reader = self._backend.state.reader(root)
            self._hold(header)
        except (StateDiscarded, PinLimitReached) as error:
            raise PeerError(f"the state of block {header.number} is not kept here") from error
        entries: list[bytes] = []
        size = 0
        for encoded, value in reader.nodes(request.after):
            size += len(encoded) + len(value or b"") + 2 * _ENTRY_BYTES
            if entries and (size > RESPONSE_BYTES_MAX or len(entries) > STATE_ENTRIES_MAX - 2):
                break
            entries.append(encoded)
            if value is not None:
                entries.append(value)
        return encode_state_answer(entries)

    def on_time(self) -> None:
        """Let go of what nobody asks for any more, or asks for too long."""
        now_ms = self._clock.now_ms()
        for root, lease in list(self._leases.items()):
            if now_ms - lease.since_ms >= LEASE_MS_MAX:
                self._spent[root] = None
                if len(self._spent) > _SPENT_MAX:
                    self._spent.popitem(last=False)
                self._release(root)
            elif now_ms - lease.asked_ms >= LEASE_IDLE_MS:
                self._release(root)

    def _hold(self, header: Header) -> None:
        root = header.state_root
        if root in self._spent:
            return
        now_ms = self._clock.now_ms()
        lease = self._leases.get(root)
        if lease is None:
            if header.number < self._backend.finalized.number - LEASE_DEPTH_MAX:
                return
            if len(self._leases) >= LEASES_MAX:
                self._release(next(iter(self._leases)))
            self._backend.state.pin(root)
            lease = _Lease(now_ms, now_ms)
        lease.asked_ms = now_ms
        self._leases[root] = lease
        self._leases.move_to_end(root)

    def _release(self, root: bytes) -> None:
        del self._leases[root]
        self._backend.state.unpin(root)
