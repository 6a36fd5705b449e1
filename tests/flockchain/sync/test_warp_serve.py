"""What is answered to those who catch up by proofs, and how long a state is held for them."""

from __future__ import annotations

import pytest

from flockchain.chain.backend import Backend
from flockchain.simulation.long_chain import LongChain, SteppedClock
from flockchain.storage.kv import MemoryStore, WriteBatch
from flockchain.storage.state import StateStore
from flockchain.sync import warp_serve
from flockchain.sync.messages import HistoryRequest, decode_blocks
from flockchain.sync.warp_messages import (
    StateRequest,
    decode_state_answer,
    decode_state_request,
    decode_warp_answer,
    decode_warp_request,
)
from flockchain.sync.warp_serve import StateServer, serve_history, serve_warp
from p2p.envelope import encode
from p2p.interface import PeerError
from runtime.primitives.types import Hash

KEPT = 16


@pytest.fixture(scope="module")
def grown() -> LongChain:
    chain = LongChain(changes_every=0)
    chain.grow(20)
    return chain


@pytest.fixture
def pruned(grown: LongChain) -> LongChain:
    """The same chain, keeping few states, at a disk of its own."""
    assert isinstance(grown.store, MemoryStore)
    chain = LongChain(changes_every=0, store=grown.store.clone())
    chain.take_over(grown)
    backend = chain.backend
    backend.state = StateStore(chain.store, states_max=KEPT)
    return chain


def hash_at(backend: Backend, number: int) -> Hash:
    block = backend.blocks.hash_at(number)
    assert block is not None
    return block


def test_a_state_is_held_while_it_is_asked_for(pruned: LongChain) -> None:
    backend, clock = pruned.backend, SteppedClock(0)
    server, block = StateServer(backend, clock), hash_at(backend, 20)
    header = backend.header(block)
    assert header is not None
    entries = decode_state_answer(server.serve(StateRequest(block, None)))
    assert len(entries) > 100
    pruned.grow(KEPT + 8)
    assert backend.state.has_state(header.state_root)
    clock.ms = warp_serve.LEASE_IDLE_MS
    server.on_time()
    pruned.grow(KEPT + 8)
    assert not backend.state.has_state(header.state_root)
    with pytest.raises(PeerError, match="the state of block 20 is not kept here"):
        server.serve(StateRequest(block, None))


def test_a_state_is_not_held_for_ever(pruned: LongChain) -> None:
    backend, clock = pruned.backend, SteppedClock(0)
    server, block = StateServer(backend, clock), hash_at(backend, 20)
    header = backend.header(block)
    assert header is not None
    while clock.ms < warp_serve.LEASE_MS_MAX:
        server.serve(StateRequest(block, None))
        clock.ms += warp_serve.LEASE_IDLE_MS - 1
        server.on_time()
    server.serve(StateRequest(block, None))
    pruned.grow(KEPT + 16)
    assert not backend.state.has_state(header.state_root)


def test_few_states_are_held(grown: LongChain) -> None:
    server = StateServer(grown.backend, SteppedClock(0))
    for number in range(1, warp_serve.LEASES_MAX + 3):
        server.serve(StateRequest(hash_at(grown.backend, number), None))
    assert len(grown.backend.state._pins) == warp_serve.LEASES_MAX


def test_who_asks_for_the_oldest_state_again_and_again_does_not_stop_pruning(
    pruned: LongChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warp_serve, "LEASE_DEPTH_MAX", KEPT // 2)
    backend, clock = pruned.backend, SteppedClock(0)
    server, oldest = StateServer(backend, clock), 20
    pruned.grow(KEPT - 1)
    for _ in range(3):  # the oldest state is always held by the time it is due
        for number in (oldest, oldest + 1):
            assert server.serve(StateRequest(hash_at(backend, number), None))
        oldest += 1
        pruned.grow(1)
    header = backend.header(hash_at(backend, 20))
    assert header is not None
    assert not backend.state.has_state(header.state_root)


def test_what_is_not_here_is_refused(grown: LongChain) -> None:
    unknown = Hash(b"\x07" * 32)
    with pytest.raises(PeerError, match="is not known here"):
        StateServer(grown.backend, SteppedClock(0)).serve(StateRequest(unknown, None))
    with pytest.raises(PeerError, match="is not final here"):
        serve_warp(grown.backend, unknown)


def test_no_proof_leads_past_voters_that_were_replaced_by_force(pruned: LongChain) -> None:
    backend, batch = pruned.backend, WriteBatch()
    backend.blocks.put_change(batch, 3, hash_at(backend, 3))  # as it is kept, without votes
    backend.store.write(batch)
    answer = decode_warp_answer(serve_warp(backend, backend.genesis))
    assert (answer.is_forced, answer.is_last, answer.fragments) == (True, False, [])
    assert decode_warp_answer(serve_warp(backend, hash_at(backend, 5))).is_last


def test_history_goes_down_to_the_first_block(grown: LongChain) -> None:
    head = hash_at(grown.backend, 5)
    blocks = decode_blocks(serve_history(grown.backend, HistoryRequest(head, 64)))
    assert [block.header.number for block in blocks] == [5, 4, 3, 2, 1]
    blocks = decode_blocks(serve_history(grown.backend, HistoryRequest(head, 2)))
    assert [block.header.number for block in blocks] == [5, 4]


def test_at_the_last_final_block_there_is_nothing_more(grown: LongChain) -> None:
    answer = decode_warp_answer(serve_warp(grown.backend, grown.backend.finalized.hash))
    assert answer.is_last
    assert not answer.fragments


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (encode({"block": bytes(32), "after": "0x"}), "a path that is no nibbles"),
        (encode({"block": bytes(31), "after": None}), "block"),
        (encode({"block": bytes(32)}), "after"),
    ],
)
def test_false_questions_for_states_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(PeerError, match=message):
        decode_state_request(data)


def test_false_questions_and_answers_of_proofs_are_refused() -> None:
    with pytest.raises(PeerError, match="begin"):
        decode_warp_request(encode({"begin": b"short"}))
    with pytest.raises(PeerError, match="a header that does not decode"):
        decode_warp_answer(
            encode({"fragments": [{"header": b"\x01", "proof": b""}], "is_last": True})
        )
