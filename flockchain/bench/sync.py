"""How fast a fresh node catches up: executing every block, or beginning at a proven state.

The chain is made before, with changes of voters. Executing means the common door with slots, seals,
proofs of finality and a LevelDB on disk. A warp is a whole node on a network in memory, with what
serving costs the other node included; the waits of its virtual clock take no time.

Source: performance targets for sync; WP II.A.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any

from flockchain.chain.backend import Backend
from flockchain.chain.importer import Importer
from flockchain.chain.signatures import SignatureCache
from flockchain.chain.validation import BestBlockValidator
from flockchain.clock import Clock
from flockchain.consensus.babe.verifier import BabeConsensus
from flockchain.consensus.grandpa.proof_import import finalize_by_proof
from flockchain.node import Node
from flockchain.pool.pool import Pool, PoolConfig
from flockchain.resting_chain import filed_blocks
from flockchain.simulation.cluster import VirtualClock
from flockchain.simulation.long_chain import LongChain
from flockchain.storage.gathered import GatheredStore
from flockchain.storage.leveldb import LevelDbStore
from flockchain.storage.state import StateStore
from p2p.interface import PeerId
from p2p.memory import MemoryHub
from runtime.primitives.types import Hash


def bench_sync(blocks: int, changes: int) -> list[dict[str, Any]]:
    """Rows: making the chain, executing it, warping to its end."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        chain = LongChain(
            changes_every=max(blocks // (changes + 1), 1), store=LevelDbStore(place / "source")
        )
        start = time.perf_counter()
        chain.grow(blocks)
        rows = [_row("make the chain", chain, time.perf_counter() - start)]
        executed_s, root = _execute(chain, place / "full")
        rows.append(_row("execute it", chain, executed_s))
        warped_s, warped_root = _warp(chain, place / "warp")
        assert warped_root == root, "both ways lead to one state"
        rows.append(_row("warp to its end", chain, warped_s))
        rows[-1]["times_faster"] = round(executed_s / warped_s, 1)
        chain.store.close()
    return rows


def _row(name: str, chain: LongChain, seconds: float) -> dict[str, Any]:
    return {
        "name": name,
        "blocks": chain.backend.best.number,
        "set_changes": chain.set_id,
        "seconds": round(seconds, 2),
        "blocks_per_s": round(chain.backend.best.number / seconds),
    }


def _execute(chain: LongChain, directory: Path) -> tuple[float, Hash]:
    """Seconds, and the last state's root."""
    store = GatheredStore(LevelDbStore(directory))
    backend = Backend(store, StateStore(store))
    backend.open(chain.genesis)
    importer = Importer(
        backend, BabeConsensus(backend, chain.clock, chain.slot_ms), SignatureCache()
    )
    listed = list(filed_blocks(chain.backend, 1, chain.backend.best.number))
    start = time.perf_counter()
    for block in listed:
        importer.import_block(block.header, block.body)
        if block.justification is not None:
            finalize_by_proof(backend, block.header, block.justification)
    spent_s = time.perf_counter() - start
    header = backend.header(backend.finalized.hash)
    assert header is not None
    assert header.number == chain.backend.best.number, "all of it became final"
    store.close()
    return spent_s, header.state_root


def _warp(chain: LongChain, directory: Path) -> tuple[float, Hash]:
    """Seconds from the first question to the adopted chain, and the state's root."""
    hub = MemoryHub(Random(1), lambda *_: 1)
    clock = VirtualClock(hub)
    hub.deliver_until(chain.clock.ms - clock.now_ms())
    source, target = PeerId("source"), PeerId("target")
    serving = _node(chain.backend, clock, chain.slot_ms)
    serving.connect(hub.join(source, serving), None)
    store = GatheredStore(LevelDbStore(directory))
    backend = Backend(store, StateStore(store))
    backend.open(chain.genesis)
    node = _node(backend, clock, chain.slot_ms, wants_warp=True)
    node.connect(hub.join(target, node), None)
    hub.connect(source, target)
    start = time.perf_counter()
    while node.is_warping:
        hub.deliver_until(hub.now_ms + 1)
        if node.next_wake_ms() <= clock.now_ms():
            node.on_time()
    spent_s = time.perf_counter() - start
    header = backend.header(backend.finalized.hash)
    assert header is not None
    assert header.number == chain.backend.finalized.number, "it began at the last final block"
    store.close()
    return spent_s, header.state_root


def _node(backend: Backend, clock: Clock, slot_ms: int, *, wants_warp: bool = False) -> Node:
    verify = SignatureCache()
    importer = Importer(backend, BabeConsensus(backend, clock, slot_ms), verify)
    pool = Pool(PoolConfig(), BestBlockValidator(backend, verify))
    return Node(backend, importer, pool, clock, wants_warp=wants_warp)
