"""How fast a fresh node catches up: executing every block, or beginning at a proven state.

The chain is made before, with changes of voters. Executing means the common door with slots, seals,
proofs of finality and a LevelDB on disk, whatever the blocks hold: nothing, or transfers whose
signatures nobody has seen. A warp is a whole node on a network in memory, with what serving costs
the other node included; the waits of its virtual clock take no time. Seconds are this process's CPU
time, the system's share for the disk included.

Source: performance targets for sync; WP II.A.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from random import Random
from typing import Any, Final

from flockchain.chain.backend import Backend
from flockchain.chain.block_file import FiledBlock
from flockchain.chain.importer import Importer
from flockchain.chain.signatures import SignatureCache
from flockchain.chain.validation import BestBlockValidator
from flockchain.clock import Clock
from flockchain.collector import quiet_collector
from flockchain.consensus.babe.verifier import BabeConsensus
from flockchain.consensus.grandpa.proof_import import finalize_by_proof
from flockchain.node import Node
from flockchain.pool.pool import Pool, PoolConfig
from flockchain.resting_chain import filed_blocks
from flockchain.simulation.cluster import VirtualClock
from flockchain.simulation.long_chain import LongChain
from flockchain.simulation.staked import key_of
from flockchain.storage.gathered import GatheredStore
from flockchain.storage.leveldb import LevelDbStore
from flockchain.storage.state import StateStore
from p2p.interface import PeerId
from p2p.memory import MemoryHub
from runtime.frame.pallet import encode_call
from runtime.pallets.balances import Balances
from runtime.primitives.multi import Id
from runtime.primitives.types import FML, Hash

_SENDERS: Final = 400  # as many transfers has a block


def bench_sync(blocks: int, changes: int, transfers: int) -> list[dict[str, Any]]:
    """Rows: making the chain, executing it, warping to its end; executing one with transfers."""
    with tempfile.TemporaryDirectory() as directory, quiet_collector():  # as in a node
        place = Path(directory)
        chain = LongChain(
            changes_every=max(blocks // (changes + 1), 1), store=LevelDbStore(place / "source")
        )
        start = time.process_time()
        chain.grow(blocks)
        rows = [_row("make the chain", chain, time.process_time() - start)]
        executed_s, root = _execute(chain, place / "full")
        rows.append(_row("execute it", chain, executed_s))
        warped_s, warped_root = _warp(chain, place / "warp")
        assert warped_root == root, "both ways lead to one state"
        rows.append(_row("warp to its end", chain, warped_s))
        rows[-1]["times_faster"] = round(executed_s / warped_s, 1)
        chain.store.close()
        if transfers:
            rows.append(_transfers_row(transfers, place / "transfers"))
    return rows


def _transfers_row(transfers: int, directory: Path) -> dict[str, Any]:
    """So many transfers in blocks of `_SENDERS`, each from an account of its own to another one."""
    senders = [key_of(f"sender {index}") for index in range(min(transfers, _SENDERS))]
    dests = [key_of(f"dest {index}").account for index in range(len(senders))]
    endowed = (*(key.account for key in senders), *dests)
    chain = LongChain(changes_every=0, endowed=endowed)
    for first in range(0, transfers, _SENDERS):
        for key, dest in zip(senders[: transfers - first], dests, strict=False):
            call = encode_call(Balances.transfer_keep_alive, Id(dest), FML)
            chain.submit(key, first // _SENDERS, call)
        chain.grow(1)
    count = sum(len(block.body) - 1 for block in _blocks(chain))  # the time comes first in each
    assert count == transfers, "every transfer found room"
    seconds, _ = _execute(chain, directory)
    row = _row("execute transfers", chain, seconds)
    return {**row, "transfers": count, "transfers_per_s": round(count / seconds)}


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
    listed = _blocks(chain)
    start = time.process_time()
    for block in listed:
        importer.import_block(block.header, block.body)
        if block.justification is not None:
            finalize_by_proof(backend, block.header, block.justification)
    store.flush()
    spent_s = time.process_time() - start
    header = backend.header(backend.finalized.hash)
    assert header is not None
    assert header.number == chain.backend.best.number, "all of it became final"
    store.close()
    return spent_s, header.state_root


def _blocks(chain: LongChain) -> list[FiledBlock]:
    return list(filed_blocks(chain.backend, 1, chain.backend.best.number))


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
    start = time.process_time()
    while node.is_warping:
        hub.deliver_until(hub.now_ms + 1)
        if node.next_wake_ms() <= clock.now_ms():
            node.on_time()
    spent_s = time.process_time() - start
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
