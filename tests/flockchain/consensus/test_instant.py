"""Instant sealing: when blocks are due, what they hold, and which are accepted."""

from __future__ import annotations

from itertools import pairwise

import pytest

from flockchain.chain.errors import InvalidBlock
from flockchain.consensus.instant import InstantConsensus, InstantSealer
from runtime.api import runtime_at
from runtime.primitives.babe_digest import instant_log
from runtime.primitives.header import Digest, DigestItem, Header, PreRuntime, Seal
from runtime.primitives.types import ZERO_HASH
from tests.flockchain.rpc.dev_node import START_MS, DevNode, build


def test_nothing_is_due_until_an_extrinsic_is_ready() -> None:
    node = build()
    assert node.sealer.on_time(2**61) is None
    node.node.submit(node.transfer(1))  # waits for nonce 0
    assert node.sealer.on_time(2**61) is None
    node.node.submit(node.transfer(0))
    assert node.sealer.next_slot_ms() == 0
    made = node.sealer.on_time(node.clock.ms)
    assert made is not None
    imported, body = made
    assert len(body) == 3
    assert node.backend.best.hash == node.backend.finalized.hash == imported.hash
    assert node.sealer.on_time(2**61) is None
    assert len(node.pool) == 0


def test_an_interval_makes_empty_blocks() -> None:
    node = build()
    parts = node.backend, node.node.importer, node.pool, node.clock
    sealer = InstantSealer(*parts, interval_ms=1_000)
    assert sealer.next_slot_ms() == START_MS + 1_000
    assert sealer.on_time(START_MS + 999) is None
    assert sealer.on_time(START_MS + 1_000) is not None
    assert sealer.next_slot_ms() == START_MS + 2_000
    assert node.backend.best.number == 1


def test_time_rises_however_fast_blocks_follow() -> None:
    node = build()
    times = []
    for _ in range(5):
        node.sealer.seal(START_MS)
        times.append(time_of(node))
    steps = {later - earlier for earlier, later in pairwise(times)}
    assert times[0] == START_MS
    assert steps == {500}  # the minimum period of the dev chain


def time_of(node: DevNode) -> int:
    """The time of the best block, in milliseconds."""
    return runtime_at(node.backend.state_at(node.backend.best.hash)).timestamp.now_ms()


def test_what_does_not_fit_goes_into_the_next_block() -> None:
    node = build()
    bytes_max = runtime_at(node.backend.state_at(node.backend.genesis)).length.max.normal
    size_bytes = bytes_max // 2 - 1_000  # two fit into a block
    for nonce in range(5):
        node.node.submit(node.remark(nonce, size_bytes))
    blocks = 0
    while node.sealer.next_slot_ms() == 0:
        node.clock.ms += 1_000
        node.sealer.on_time(node.clock.ms)
        blocks += 1
        assert blocks <= 3
    assert blocks == 3
    assert len(node.pool) == 0


def header(*logs: DigestItem) -> Header:
    return Header(ZERO_HASH, 1, ZERO_HASH, ZERO_HASH, Digest(list(logs)))


@pytest.mark.parametrize(
    ("logs", "message"),
    [
        ([], "block 1 was not sealed by instant sealing"),
        ([PreRuntime(b"FVRF", bytes(4))], "block 1 was not sealed by instant sealing"),
        ([PreRuntime(b"FINS", bytes(5))], "block 1 was not sealed by instant sealing"),
        ([instant_log(0), instant_log(0)], "block 1 was not sealed by instant sealing"),
        (
            [instant_log(0), Seal(b"FINS", bytes(64))],
            "block 1 carries a seal, instant sealing has none",
        ),
    ],
)
def test_blocks_of_other_engines_are_refused(logs: list[DigestItem], message: str) -> None:
    with pytest.raises(InvalidBlock, match=f"^{message}$"):
        InstantConsensus().verify(header(*logs), header())


def test_a_block_of_this_engine_is_accepted() -> None:
    InstantConsensus().verify(header(instant_log(3)), header())
