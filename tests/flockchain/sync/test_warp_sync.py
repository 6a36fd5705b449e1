"""A fresh node begins at a proven state: from honest peers, past lying ones, over restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from flockchain.chain.backend import Backend
from flockchain.node import Node
from flockchain.pool.errors import NoState
from flockchain.simulation.cluster import Cluster, Member
from flockchain.simulation.long_chain import LongChain
from flockchain.storage import trie_download
from flockchain.storage.errors import StateDiscarded
from flockchain.storage.kv import MemoryStore, WriteBatch
from flockchain.storage.state import StateStore
from flockchain.sync import warp_serve, warp_sync
from flockchain.sync.messages import (
    PROTOCOL_VERSION,
    BlockData,
    HistoryRequest,
    PeerStatus,
    decode_blocks,
    decode_request,
    encode_blocks,
)
from flockchain.sync.warp_messages import (
    WarpAnswer,
    decode_state_answer,
    decode_warp_answer,
    encode_state_answer,
)
from flockchain.sync.warp_store import WarpStore
from p2p.interface import Handlers, PeerError, PeerId, Verdict
from runtime.api import runtime_at
from runtime.primitives.header import Digest
from runtime.primitives.types import Hash

BLOCKS = 130
CHANGES = 25


@pytest.fixture(scope="module")
def grown() -> LongChain:
    """Blocks of which some are not final, since no vote is cast for them any more."""
    chain = LongChain(changes_every=CHANGES)
    chain.grow(BLOCKS)
    assert chain.set_id >= 4
    return chain


@dataclass
class World:
    """An honest node with the chain, a place for a liar, and a fresh node that warps."""

    cluster: Cluster
    honest: Member
    liar: Member
    fresh: Member
    chain: LongChain

    def source(self) -> Node:
        assert self.honest.node is not None
        return self.honest.node

    def node(self) -> Node:
        assert self.fresh.node is not None
        return self.fresh.node

    def restart(self) -> None:
        self.cluster.kill(self.fresh)
        self.cluster.start(self.fresh)

    def run_until(self, is_so: Callable[[], bool], seconds: int = 60) -> None:
        for _ in range(seconds * 20):
            if is_so():
                return
            self.cluster.run(50)
        raise AssertionError("it did not come to that")

    def has_warped(self) -> bool:
        return self.node().warp is not None and not self.node().is_warping


def world_of(chain: LongChain, *, is_warping: bool = True) -> World:
    cluster = Cluster(chain.genesis, [None, None, None], seed=5)
    for member in cluster.members:
        cluster.kill(member)
    cluster.hub.deliver_until(chain.clock.ms - cluster.clock.now_ms())
    honest, liar, fresh = cluster.members
    store = chain.store
    assert isinstance(store, MemoryStore)
    honest.store, fresh.wants_warp = store.clone(), is_warping
    world = World(cluster, honest, liar, fresh, chain)
    cluster.start(honest)
    cluster.start(fresh)
    return world


def ensure_complete(world: World) -> None:
    """The head, the voters and the state are those of the source."""
    node, source = world.node(), world.source()
    assert node.backend.best == source.backend.best
    assert node.backend.finalized == source.backend.finalized
    assert node.finality is not None
    assert node.finality.authorities.set_id == world.chain.set_id
    reader = node.backend.state_at(node.backend.best.hash)
    expected = source.backend.state_at(source.backend.best.hash)
    assert dict(reader.pairs()) == dict(expected.pairs())
    runtime_at(reader).try_state()


def test_a_fresh_node_begins_at_the_last_final_block(grown: LongChain) -> None:
    world = world_of(grown)
    world.run_until(world.has_warped)
    node = world.node()
    assert node.backend.finalized.number == BLOCKS
    ensure_complete(world)
    first = node.backend.blocks.hash_at(CHANGES * 2)
    assert first is None, "not executed, and its history is not here yet"
    early = world.source().backend.blocks.hash_at(3)
    assert early is not None
    header = world.source().backend.header(early)
    assert header is not None
    with pytest.raises(StateDiscarded):
        node.backend.state.reader(header.state_root)


def test_the_past_follows_down_to_genesis_and_is_served(grown: LongChain) -> None:
    world = world_of(grown)
    world.run_until(lambda: world.has_warped() and world.node().history.is_whole)
    blocks, expected = world.node().backend.blocks, world.source().backend.blocks
    for number in range(BLOCKS + 1):
        block = expected.hash_at(number)
        assert block is not None
        assert blocks.hash_at(number) == block
        assert blocks.body(block) == expected.body(block)
    # Another fresh node executes all of it, from the one that warped alone.
    world.cluster.kill(world.honest)
    full = world.cluster.start(world.liar)
    world.run_until(lambda: full.backend.best == world.node().backend.best)
    assert full.backend.finalized.number == BLOCKS


def test_who_warped_serves_a_warp_at_once(grown: LongChain) -> None:
    world = world_of(grown)
    world.run_until(world.has_warped)
    world.cluster.kill(world.honest)
    world.liar.wants_warp = True
    second = world.cluster.start(world.liar)
    world.run_until(lambda: second.backend.finalized.number == BLOCKS)
    assert second.backend.best == world.node().backend.best


def test_blocks_are_made_and_become_final_after_a_warp(grown: LongChain) -> None:
    """The node that warped holds all keys of the set; the others only watch."""
    world = world_of(grown)
    world.run_until(world.has_warped)
    store = world.fresh.store
    chain = replace_store(grown, store)
    chain.grow(2 * CHANGES)
    assert chain.backend.finalized.number == BLOCKS + 2 * CHANGES
    assert chain.set_id > grown.set_id


def replace_store(chain: LongChain, store: MemoryStore) -> LongChain:
    """The chain's keys over a copy of another node's disk, after that node was restarted."""
    clone = LongChain(changes_every=CHANGES, store=store.clone())
    clone.take_over(chain)
    return clone


def test_without_a_gain_the_past_is_executed() -> None:
    chain = LongChain(changes_every=0)
    chain.grow(10)
    world = world_of(chain)
    world.run_until(lambda: world.node().backend.best.number == 10)
    assert (
        world.node().backend.blocks.body(chain.backend.blocks.hash_at(3) or Hash(b"")) is not None
    )


def test_a_release_that_cannot_execute_the_past_warps_for_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chain = LongChain(changes_every=0)
    chain.grow(10)
    monkeypatch.setattr(warp_sync, "ends_release", lambda *_: True)
    world = world_of(chain)
    world.run_until(lambda: world.node().backend.best.number == 10)
    assert world.node().backend.blocks.body(chain.backend.blocks.hash_at(3) or Hash(b"")) is None


def test_a_node_with_a_chain_executes_what_is_new(grown: LongChain) -> None:
    world = world_of(grown, is_warping=False)
    world.run_until(lambda: world.node().backend.best.number >= 20)
    world.fresh.wants_warp = True
    world.restart()
    assert world.node().warp is None
    world.run_until(lambda: world.node().backend.best == world.source().backend.best)


@contextmanager
def small_answers() -> Iterator[None]:
    """Answers of a few fragments or nodes, so that there are many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warp_serve, "FRAGMENTS_MAX", 2)
        patch.setattr(warp_serve, "RESPONSE_BYTES_MAX", 8_000)
        yield


def test_it_goes_on_after_a_restart_at_any_answer(grown: LongChain) -> None:
    with small_answers():
        world = world_of(grown)
        asked: list[tuple[str, bytes]] = []
        serve = world.source().on_request

        def note(peer: PeerId, protocol: str, data: bytes) -> bytes:
            asked.append((protocol, data))
            return serve(peer, protocol, data)

        world.source().on_request = note  # type: ignore[method-assign]
        while not world.has_warped():
            world.restart()
            asked.append(("restart", b""))
            world.run_until(lambda: asked[-1][0] != "restart" or world.has_warped())
            world.cluster.run(200)
        ensure_complete(world)
        for protocol in ("warp", "state"):
            found = [data for kind, data in asked if kind == protocol]
            assert len(found) > 2
            assert len(set(found)) >= len(found) - 1, "nothing was asked for twice"


def test_another_mode_after_a_restart_forgets_the_progress(grown: LongChain) -> None:
    with small_answers():
        world = world_of(grown)
        store = world.fresh.store
        world.run_until(lambda: WarpStore(store).download() is not None)
        nodes = len(store)
        world.cluster.kill(world.fresh)
        world.fresh.wants_warp = False
        world.cluster.start(world.fresh)
        assert len(store) < nodes
        assert WarpStore(store).target() is None
        assert not list(WarpStore(store).fragments())
        world.run_until(lambda: world.node().backend.best == world.source().backend.best)


def test_a_state_that_nobody_has_any_more_is_given_up(grown: LongChain) -> None:
    with small_answers():
        world = world_of(grown)
        serve, is_gone = world.source().on_request, False

        def forgetful(peer: PeerId, protocol: str, data: bytes) -> bytes:
            if protocol == "state" and is_gone:
                raise PeerError("the state of block 130 is not kept here")
            return serve(peer, protocol, data)

        world.source().on_request = forgetful  # type: ignore[method-assign]
        world.run_until(lambda: WarpStore(world.fresh.store).download() is not None)
        is_gone = True
        world.run_until(lambda: WarpStore(world.fresh.store).target() is None)
        is_gone = False
        world.run_until(world.has_warped)
        ensure_complete(world)


@pytest.mark.parametrize("is_warping", [True, False])
def test_a_state_half_given_up_at_a_crash_is_not_gone_on_with(
    grown: LongChain, monkeypatch: pytest.MonkeyPatch, is_warping: bool
) -> None:
    monkeypatch.setattr(trie_download, "NODES_DROPPED_AT_ONCE", 32)
    with small_answers():
        world = world_of(grown)
        store = world.fresh.store
        world.run_until(lambda: WarpStore(store).download() is not None)
        world.cluster.run(200)
        world.cluster.kill(world.fresh)
        crashes: list[MemoryStore] = []
        write = store.write

        def write_and_copy(batch: WriteBatch, sync: bool = True) -> None:
            write(batch, sync)
            crashes.append(store.clone())

        store.write = write_and_copy  # type: ignore[method-assign]
        WarpStore(store).drop_target(StateStore(store).take_stem(WriteBatch()))
    world.fresh.wants_warp = is_warping
    crashes = [crashes[0], crashes[1], crashes[-2]]
    sizes = {len(crashed) for crashed in crashes}
    assert len(sizes) == 3, "nodes go in several writes"
    for crashed in crashes:
        world.fresh.store = crashed
        world.cluster.start(world.fresh)
        if is_warping:
            world.run_until(world.has_warped)
            ensure_complete(world)
        else:
            assert WarpStore(crashed).download() is None
            assert len(crashed) < min(sizes)
        world.cluster.kill(world.fresh)


def test_an_operator_is_told_when_nobody_has_proofs(
    grown: LongChain, caplog: pytest.LogCaptureFixture
) -> None:
    world = world_of(grown)

    def refuse(peer: PeerId, protocol: str, data: bytes) -> bytes:
        raise PeerError("not now")

    world.source().on_request = refuse  # type: ignore[method-assign]
    text = "no peer gives proofs from genesis on: --sync full executes all blocks"
    world.run_until(lambda: text in caplog.messages)
    assert world.node().is_warping
    with pytest.raises(NoState, match="send it later"):
        world.node().submit(b"\x04")


def test_only_the_operator_has_the_past_executed(
    grown: LongChain, caplog: pytest.LogCaptureFixture
) -> None:
    """Three peers that tell of a forced change may be one person's."""
    world = world_of(grown)
    serve = world.source().on_request

    def end_early(peer: PeerId, protocol: str, data: bytes) -> bytes:
        if protocol != "warp":
            return serve(peer, protocol, data)
        found = decode_warp_answer(serve(peer, protocol, data)).fragments
        before = [one for one in found if one.header.number < 40]
        return WarpAnswer(before, is_last=False, is_forced=True).encode()

    def echo(protocol: str, data: bytes) -> bytes:
        return end_early(world.liar.peer, protocol, data)

    world.source().on_request = end_early  # type: ignore[method-assign]
    for peer in (world.liar.peer, PeerId("a third")):
        world.cluster.hub.connect(world.fresh.peer, peer)
        join_liar(world, echo, claimed=BLOCKS, peer=peer)
    world.run_until(lambda: "--sync full executes all blocks" in caplog.text)
    world.cluster.run(20_000)
    assert world.node().is_warping
    assert len(list(WarpStore(world.fresh.store).fragments())) == 2, "what is proven stays"
    assert caplog.text.count("--sync full") == 1
    world.fresh.wants_warp = False
    world.restart()
    world.run_until(lambda: world.node().backend.best == world.source().backend.best)
    assert world.node().backend.blocks.body(world.source().backend.blocks.hash_at(3) or Hash(b""))


def test_who_left_and_who_has_proofs_keep_the_operator_from_being_told(
    grown: LongChain, caplog: pytest.LogCaptureFixture
) -> None:
    """One liar under one name after the other is one liar, and many do not outvote a proof."""
    world = world_of(grown)
    world.cluster.run(200)
    warp = world.node().warp
    assert warp is not None
    assert world.node().network.peers() == [world.honest.peer]
    for number in range(4):
        peer = PeerId(f"name {number}")
        warp.on_peer(peer, BLOCKS)
        warp._on_forced(peer)
        if number < 2:
            warp.on_peer_disconnected(peer)
            warp._on_forced(peer)
    assert "by force" not in caplog.text
    for peer in (PeerId("name 2"), world.honest.peer):
        warp._on_forced(peer)
    assert caplog.text.count("replaced by force after block") == 1
    assert world.node().is_warping


def test_one_peer_alone_cannot_make_a_node_execute_the_past(grown: LongChain) -> None:
    world = world_of(grown)
    lie = WarpAnswer([], is_last=False, is_forced=True).encode()

    def answer(protocol: str, data: bytes) -> bytes:
        return (
            lie
            if protocol == "warp"
            else world.source().on_request(world.liar.peer, protocol, data)
        )

    join_liar(world, answer)
    world.run_until(world.has_warped)
    assert world.node().backend.finalized.number == BLOCKS
    ensure_complete(world)


# -- liars

Answer = Callable[[str, bytes], bytes]


def join_liar(
    world: World, answer: Answer, claimed: int = 9_000, peer: PeerId | None = None
) -> list[str]:
    """A peer that says it has the most, and what the fresh node reports of it."""
    peer, genesis = peer or world.liar.peer, world.source().backend.genesis
    status = PeerStatus(genesis, PROTOCOL_VERSION, "full", claimed, Hash(b"\x08" * 32), claimed)
    handlers = Handlers(
        on_gossip=lambda *_: Verdict.IGNORE,
        on_request=lambda _peer, protocol, data: answer(protocol, data),
        on_peer_connected=lambda *_: None,
        on_peer_disconnected=lambda *_: None,
        status=status.encode,
        check_status=lambda *_: None,
    )
    world.cluster.hub.join(peer, handlers)
    reasons: list[str] = []
    report = world.node().network.report

    def note(reported: PeerId, change: int, reason: str) -> None:
        assert reported == peer, reason
        reasons.append(reason)
        report(reported, change, reason)

    world.node().network.report = note  # type: ignore[method-assign]
    return reasons


Lie = Callable[[WarpAnswer], WarpAnswer]


def of_fragment(place: int, **changes: object) -> Lie:
    def lie(answer: WarpAnswer) -> WarpAnswer:
        fragments = list(answer.fragments)
        fragments[place] = replace(fragments[place], **changes)  # type: ignore[arg-type]
        return replace(answer, fragments=fragments)

    return lie


def without_digest(answer: WarpAnswer) -> WarpAnswer:
    first = answer.fragments[0]
    header = replace(first.header, digest=Digest([]))
    return replace(answer, fragments=[replace(first, header=header), *answer.fragments[1:]])


PROOF_LIES: dict[str, tuple[Lie, str]] = {
    "a proof that is none": (of_fragment(0, justification=b"\x00" * 9), "false warp: #"),
    "another block's proof": (
        lambda one: of_fragment(1, justification=one.fragments[0].justification)(one),
        "justification for #",
    ),
    "a change left out": (
        lambda one: replace(one, fragments=one.fragments[1:]),
        "is not in set 0",
    ),
    "a header without its change": (without_digest, "justification for #"),
    "backwards": (
        lambda one: replace(one, fragments=[one.fragments[0], *one.fragments]),
        "is not above block",
    ),
    "cut off": (
        lambda one: replace(one, fragments=one.fragments[:2]),
        "9000 was said to be final",
    ),
    "nothing at all": (lambda one: WarpAnswer([], is_last=True), "9000 was said to be final"),
    "endless": (lambda one: WarpAnswer([], is_last=False), "no fragment, and more to come"),
    "the end in the middle": (
        lambda one: replace(one, is_last=False),
        "in the middle names no new voters",
    ),
}


@pytest.mark.parametrize("name", PROOF_LIES)
def test_false_proofs_cost_the_liar_and_not_the_sync(grown: LongChain, name: str) -> None:
    lie, message = PROOF_LIES[name]
    world = world_of(grown)

    def answer(protocol: str, data: bytes) -> bytes:
        if protocol != "warp":
            raise PeerError("nothing")
        honest = world.source().on_request(world.liar.peer, protocol, data)
        return lie(decode_warp_answer(honest)).encode()

    reasons = join_liar(world, answer)
    world.run_until(world.has_warped)
    assert any(message in reason for reason in reasons), reasons
    ensure_complete(world)


def last_bit(entries: list[bytes]) -> list[bytes]:
    return [*entries[:-1], entries[-1][:-1] + bytes([entries[-1][-1] ^ 1])]


STATE_LIES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "nothing": (lambda entries: [], "no node where some are missing"),
    "a bit turned": (last_bit, "does not hash to"),
    "a node left out": (lambda entries: entries[:1] + entries[2:], "does not hash to"),
    "another state": (lambda entries: entries[1:], "does not hash to"),
    "endless": (lambda entries: entries + entries[-1:], "goes on behind the last node"),
}


@pytest.mark.parametrize("name", STATE_LIES)
def test_false_states_cost_the_liar_and_not_the_sync(grown: LongChain, name: str) -> None:
    lie, message = STATE_LIES[name]
    world = world_of(grown)

    def answer(protocol: str, data: bytes) -> bytes:
        if protocol not in ("warp", "state"):
            raise PeerError("nothing")
        honest = world.source().on_request(world.liar.peer, protocol, data)
        if protocol == "warp":
            return honest
        return encode_state_answer(lie(decode_state_answer(honest)))

    reasons = join_liar(world, answer, claimed=BLOCKS)
    world.run_until(world.has_warped)
    assert any(message in reason for reason in reasons), reasons
    ensure_complete(world)


def test_a_peer_that_refuses_is_passed_over(grown: LongChain) -> None:
    world = world_of(grown)

    def refuse(protocol: str, data: bytes) -> bytes:
        raise PeerError("not now")

    reasons = join_liar(world, refuse)
    world.run_until(world.has_warped)
    assert not reasons
    ensure_complete(world)


HISTORY_LIES: dict[str, tuple[Callable[[BlockData], BlockData], str]] = {
    "another body": (lambda one: replace(one, body=[b"\x04more"]), "extrinsics root 0x"),
    "no body": (lambda one: replace(one, body=None), "came without its body"),
    "another block": (
        lambda one: replace(one, header=replace(one.header, digest=Digest([]))),
        "is not the one wanted",
    ),
}


@pytest.mark.parametrize("name", HISTORY_LIES)
def test_false_history_costs_the_liar(grown: LongChain, name: str) -> None:
    lie, message = HISTORY_LIES[name]
    world = world_of(grown)

    def answer(protocol: str, data: bytes) -> bytes:
        honest = world.source().on_request(world.liar.peer, protocol, data)
        if protocol != "sync" or not isinstance(decode_request(data), HistoryRequest):
            return honest
        first, *others = decode_blocks(honest)
        return encode_blocks([lie(first), *others])

    reasons = join_liar(world, answer, claimed=BLOCKS)
    world.run_until(lambda: world.has_warped() and world.node().history.is_whole)
    assert any(message in reason for reason in reasons), reasons


def test_a_database_without_the_list_of_changes_gets_one(grown: LongChain) -> None:
    store = grown.store
    assert isinstance(store, MemoryStore)
    clone = store.clone()
    backend = Backend(clone, StateStore(clone))
    backend.open(grown.genesis)
    expected = list(backend.blocks.changes(0))
    for key in [key for key, _ in clone.iterate(b"c")] + [b"m/changes"]:
        del clone._values[key]
    backend = Backend(clone, StateStore(clone))
    backend.open(grown.genesis)
    assert list(backend.blocks.changes(0)) == expected
    assert len(expected) == grown.set_id
