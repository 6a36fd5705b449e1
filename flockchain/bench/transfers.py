"""How many transfers a second one process imports, and where the time goes.

A block goes the whole way: decode, signature, dispatch, state root, one synced LevelDB batch.

Source: performance targets T1 (signatures checked), T2 (with the pool's signature cache), T12.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flockchain.bench.timing import microseconds
from flockchain.bench.workload import Workload, make_workload, open_chain
from flockchain.chain.signatures import SignatureCache
from flockchain.chain.validation import BestBlockValidator
from flockchain.storage.kv import MemoryStore
from flockchain.storage.leveldb import LevelDbStore
from runtime.frame.call import RUNTIME_CALL
from runtime.frame.executive import Verifier, verify_signature
from runtime.frame.extrinsic import assemble, decode_extrinsic
from runtime.frame.validity import TransactionSource


@dataclass
class Stopwatch:
    """Seconds by stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    def wrap(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, its time counted."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                spent = time.perf_counter() - start
                self.seconds[stage] = self.seconds.get(stage, 0.0) + spent

        return timed


def _import_all(workload: Workload, verify: Verifier) -> tuple[float, Stopwatch]:
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as directory:
        store = LevelDbStore(Path(directory) / "db")
        backend, importer = open_chain(workload.genesis, store, watch.wrap("signatures", verify))
        state: Any = backend.state
        state.compute_root = watch.wrap("trie", state.compute_root)
        stored: Any = store
        stored.write = watch.wrap("leveldb", store.write)
        start = time.perf_counter()
        for header, body in workload.blocks:
            importer.import_block(header, body)
        total = time.perf_counter() - start
        store.close()
    return total, watch


def _row(name: str, workload: Workload, total: float, watch: Stopwatch) -> dict[str, Any]:
    per_transfer = 1e6 / workload.transfers
    parts = {stage: round(spent * per_transfer, 1) for stage, spent in watch.seconds.items()}
    rest = total - sum(watch.seconds.values())
    return {
        "name": name,
        "tx_per_s": round(workload.transfers / total),
        "us_per_tx": round(total * per_transfer, 1),
        "us_signatures": parts.get("signatures", 0.0),
        "us_trie": parts.get("trie", 0.0),
        "us_leveldb": parts.get("leveldb", 0.0),
        "us_dispatch": round(rest * per_transfer, 1),
    }


def bench_import(blocks: int, transfers: int, accounts: int) -> list[dict[str, Any]]:
    """Rows: signatures checked; signatures known from the pool."""
    workload = make_workload(blocks, transfers, accounts)
    rows = []
    total, watch = _import_all(workload, verify_signature)
    rows.append(_row("import, signatures checked", workload, total, watch))
    cache = SignatureCache(count_max=workload.transfers)
    _import_all(workload, cache)
    total, watch = _import_all(workload, cache)
    rows.append(_row("import, signatures cached", workload, total, watch))
    return rows


def bench_codec(rounds: int = 20_000) -> list[dict[str, Any]]:
    """Rows: one signed transfer from bytes and back."""
    data = make_workload(1, 1, 2).blocks[0][1][1]
    extrinsic = decode_extrinsic(data)
    rows = []
    for name, run in (
        ("decode a signed transfer", lambda: decode_extrinsic(data)),
        (
            "encode a signed transfer",
            lambda: assemble(RUNTIME_CALL.encode(extrinsic.call), extrinsic.preamble),
        ),
    ):
        best = min(microseconds(run, rounds) for _ in range(5))
        rows.append({"name": name, "tx_per_s": round(1e6 / best), "us_per_tx": round(best, 2)})
    return rows


def bench_validation(transfers: int, accounts: int) -> list[dict[str, Any]]:
    """Rows: what the pool asks of the runtime for an extrinsic, signature included and not."""
    workload = make_workload(1, transfers, accounts)
    rows = []
    for name, verify in (("checked", verify_signature), ("known", lambda *_: True)):
        backend, _ = open_chain(workload.genesis, MemoryStore(), verify_signature)
        validator = BestBlockValidator(backend, verify)
        start = time.perf_counter()
        for data in workload.blocks[0][1][1:]:
            validator(TransactionSource.EXTERNAL, data)
        total = time.perf_counter() - start
        per_second, us = round(transfers / total), round(total / transfers * 1e6, 1)
        rows.append({"name": f"pool, signatures {name}", "tx_per_s": per_second, "us_per_tx": us})
    return rows
