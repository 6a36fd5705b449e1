"""What authoring and finality cost: whole nodes on a virtual clock, in one thread.

Each node checks every block, votes, and gossips with 10 to 60 ms a link; only CPU time is real.

Source: WP II.A; the simulation of `flockchain.simulation.cluster`.
"""

from __future__ import annotations

import time
from typing import Any

from flockchain.keys import KeyPair, key_pair_from_seed
from flockchain.simulation.cluster import Cluster
from runtime.genesis import GenesisConfig, build_genesis
from runtime.pallets.babe import EpochAuthority
from runtime.primitives.babe_digest import Authority
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import FML


def bench_consensus(authorities: int, slots: int) -> list[dict[str, Any]]:
    """One row: blocks, how far finality is behind, and the CPU time of a node for a block."""
    keys = [
        key_pair_from_seed(blake2b_256(f"authority {index}".encode()), "ed25519")
        for index in range(authorities)
    ]
    cluster = Cluster(_genesis(keys), list(keys), seed=1)
    start = time.process_time()
    cluster.run(slots * cluster.slot_ms + cluster.slot_ms // 2)
    spent_s = time.process_time() - start
    backends = [node.backend for node in cluster.nodes()]
    best = min(backend.best.number for backend in backends)
    final = min(backend.finalized.number for backend in backends)
    return [
        {
            "name": f"{authorities} authorities",
            "slots": slots,
            "blocks": best,
            "blocks_not_final": best - final,
            "cpu_ms_per_node_and_block": round(spent_s / authorities / max(best, 1) * 1e3, 2),
        }
    ]


def _genesis(keys: list[KeyPair]) -> dict[bytes, bytes]:
    accounts = [key.account for key in keys]
    return build_genesis(
        GenesisConfig(
            "devnet",
            dict.fromkeys(accounts, 1_000 * FML),
            [EpochAuthority(account, 1, account) for account in accounts],
            [Authority(account, 1) for account in accounts],
        )
    )
