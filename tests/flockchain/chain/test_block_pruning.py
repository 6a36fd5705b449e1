"""Bodies go as blocks become final: the newest stay, pinned ones hold up those above them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from flockchain.chain import block_pruning
from flockchain.chain.block_pruning import BlockPruner
from flockchain.chain.past_blocks import PastBlocks
from flockchain.resting_chain import BlockLacking, filed_blocks
from flockchain.storage.kv import MemoryStore, WriteBatch
from flockchain.sync.history_sync import HistorySync
from flockchain.sync.messages import BlocksRequest, HistoryRequest, decode_blocks
from flockchain.sync.serve import serve_blocks
from flockchain.sync.warp_serve import serve_history
from p2p.interface import Handlers, PeerError, PeerId, Verdict
from p2p.memory import MemoryHub, MemoryNetwork
from runtime.primitives.types import Hash
from tests.flockchain.chain.chain_fixture import Place

KEPT = 4


def reopen(place: Place) -> Place:
    assert isinstance(place.store, MemoryStore)
    return Place(place.store.clone())


def with_bodies(place: Place) -> list[int]:
    """Numbers of the blocks above genesis whose bodies are here."""
    blocks, found = place.backend.blocks, []
    for number in range(1, place.backend.best.number + 1):
        block = blocks.hash_at(number)
        assert block is not None
        assert place.backend.header(block) is not None
        if blocks.body(block) is not None:
            found.append(number)
    return found


def grown(count: int = 12) -> tuple[Place, list[Hash]]:
    place = Place()
    return place, place.grow(count)


def test_the_newest_final_blocks_keep_their_bodies() -> None:
    place, blocks = grown()
    pruner = BlockPruner(place.backend, KEPT)
    for final, expected in ((2, 1), (3, 1), (4, 2), (9, 7)):
        place.backend.finalize(blocks[final])  # the block of number final + 1
        assert with_bodies(place) == list(range(expected, 13))
        assert pruner.pruned_to == expected - 1
    assert place.backend.blocks.body(place.backend.genesis) == []


def test_what_was_pruned_stays_so_after_a_restart() -> None:
    place, blocks = grown()
    BlockPruner(place.backend, KEPT)
    place.backend.finalize(blocks[9])
    again = reopen(place)
    assert BlockPruner(again.backend, KEPT).pruned_to == 6
    assert with_bodies(again) == list(range(7, 13))
    late = reopen(again)  # an operator who keeps fewer
    assert BlockPruner(late.backend, 2).pruned_to == 8
    assert with_bodies(late) == list(range(9, 13))


def test_a_pinned_block_is_kept_until_it_is_let_go() -> None:
    place, blocks = grown()
    header = place.backend.header(blocks[2])
    assert header is not None
    place.backend.state.pin(header.state_root)
    pruner = BlockPruner(place.backend, KEPT)
    place.backend.finalize(blocks[9])
    assert with_bodies(place) == list(range(3, 13))
    place.backend.state.unpin(header.state_root)
    pruner.prune()
    assert with_bodies(place) == list(range(7, 13))


def test_a_long_past_goes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_pruning, "STEP_MAX", 3)
    place, blocks = grown()
    place.backend.finalize(blocks[10])
    pruner = BlockPruner(place.backend, KEPT)
    assert pruner.pruned_to == 3
    place.backend.finalize(blocks[11])
    assert pruner.pruned_to == 6
    pruner.prune()
    assert pruner.pruned_to == 8


def test_who_asks_for_them_is_told_nothing_false() -> None:
    place, blocks = grown()
    BlockPruner(place.backend, KEPT)
    place.backend.finalize(blocks[9])
    served = decode_blocks(serve_blocks(place.backend, BlocksRequest(7, 2)))
    assert [block.header.number for block in served] == [7, 8]
    with pytest.raises(PeerError, match=r"^the extrinsics of block 1 are pruned here$"):
        serve_blocks(place.backend, BlocksRequest(1, 2))
    with pytest.raises(PeerError, match=r"^the extrinsics of block 2 are pruned here$"):
        serve_history(place.backend, HistoryRequest(blocks[1], 2))
    with pytest.raises(BlockLacking, match=r"block 6 is not here: .*\(--blocks-pruning\)"):
        list(filed_blocks(place.backend, 6, 8))


def test_a_past_that_became_too_old_is_wanted_no_more() -> None:
    place, blocks = grown()
    backend = place.backend
    past = PastBlocks(backend)
    past.next_wanted = blocks[2]
    past.settle()
    assert past.next_wanted == blocks[2], "a node that keeps all blocks wants them"
    backend.finalize(blocks[9])
    BlockPruner(backend, KEPT)
    batch = WriteBatch()
    backend.blocks.put_meta(batch, "history", blocks[2])
    lowest = backend.blocks.hash_at(backend.bodies_from)
    assert lowest is not None
    body = backend.blocks.body(lowest)
    assert body is not None
    backend.blocks.remove_body(batch, lowest)
    backend.store.write(batch)
    past.settle()
    assert past.next_wanted == blocks[2], "one that is kept is missing"
    header = backend.header(lowest)
    assert header is not None
    batch = WriteBatch()
    backend.blocks.put_block(batch, lowest, header, body)
    backend.store.write(batch)
    past.settle()
    assert past.next_wanted is None
    assert PastBlocks(backend).next_wanted is None


def test_history_ends_where_it_would_be_pruned() -> None:
    place, blocks = grown()
    backend = place.backend
    backend.finalize(blocks[9])
    past = PastBlocks(backend)
    past.next_wanted = blocks[7]
    backend.bodies_from = 7
    whole = []
    for block in blocks[7::-1]:
        header, body = backend.header(block), backend.blocks.body(block)
        assert header is not None
        assert body is not None
        whole.append((header, body))
    assert past.put(whole[:1]) == 1
    assert past.next_wanted == blocks[6]
    assert past.put(whole[1:]) == 2  # number 7, which is kept, and 6, which is not
    assert past.next_wanted is None
    assert backend.blocks.meta("history") is None


def linked_to(serve: Callable[[bytes], bytes]) -> tuple[MemoryHub, MemoryNetwork]:
    """A network with one peer, who answers."""
    hub = MemoryHub(Random(1), lambda *_: 10)

    def handlers(serve: Callable[[bytes], bytes]) -> Handlers:
        return Handlers(
            on_gossip=lambda *_: Verdict.IGNORE,
            on_request=lambda _peer, _protocol, data: serve(data),
            on_peer_connected=lambda *_: None,
            on_peer_disconnected=lambda *_: None,
            status=lambda: b"",
            check_status=lambda *_: None,
        )

    network = hub.join(PeerId("asking"), handlers(serve))
    hub.join(PeerId("serving"), handlers(serve))
    hub.connect(PeerId("asking"), PeerId("serving"))
    hub.deliver_until(1_000)
    return hub, network


def test_an_honest_answer_stays_wanted_though_finality_rose_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place, blocks = grown()
    backend = place.backend
    backend.finalize(blocks[9])
    answer = serve_history(backend, HistoryRequest(blocks[7], 1))
    pruner = BlockPruner(backend, KEPT)
    hub, network = linked_to(lambda _: answer)
    reported: list[str] = []
    monkeypatch.setattr(network, "report", lambda *args: reported.append(args[2]))
    batch = WriteBatch()
    backend.blocks.put_meta(batch, "history", blocks[7])
    backend.blocks.remove_body(batch, blocks[6])  # number 7, the lowest that is kept
    backend.store.write(batch)
    history = HistorySync(backend, network, place.clock)
    history.poke()
    backend.finalize(blocks[11])
    assert pruner.pruned_to == 8, "what was asked for is too old"
    history.poke()
    assert not history.is_whole
    hub.deliver_until(2_000)
    assert history.is_whole
    assert reported == []
