"""What the state trie takes for each changed key, root included, and for each read.

Source: performance target T11 (100,000 keys, batches of 1,000 and more).
"""

from __future__ import annotations

import random
import statistics
import time
from hashlib import blake2b
from typing import Any, Final

from flockchain.storage.kv import MemoryStore, WriteBatch
from flockchain.storage.state import StateStore
from flockchain.storage.trie_codec import EMPTY_ROOT
from runtime.pallets.system import System
from runtime.primitives.types import ZERO_HASH, AccountId

_ACCOUNT_BYTES: Final = 80
_ROUNDS: Final = 5


def bench_state(
    keys: int, batches: tuple[int, ...] = (1, 100, 1_000, 2_000)
) -> list[dict[str, Any]]:
    """Rows: a batch of so many changed accounts, in CPU time; reads of as many."""
    rng = random.Random(1)
    paths = [System.account.path(AccountId(_hash(index))) for index in range(keys)]
    store = MemoryStore()
    state, batch, block = StateStore(store), WriteBatch(), _hash(0)
    accounts = {path: bytes(_ACCOUNT_BYTES) for path in paths}
    root = state.commit(EMPTY_ROOT, accounts, block, ZERO_HASH, 0, batch)
    state.canonicalize(block, batch)
    store.write(batch)
    rows = []
    for size in (count for count in batches if count <= keys):
        changed, read = [], []
        for _ in range(_ROUNDS):
            chosen = rng.sample(paths, size)
            changes = {path: rng.randbytes(_ACCOUNT_BYTES) for path in chosen}
            start = time.process_time()
            state.compute_root(root, changes)
            middle = time.process_time()
            reader = state.reader(root)
            for path in chosen:
                reader.get(path)
            changed.append((middle - start) / size * 1e6)
            read.append((time.process_time() - middle) / size * 1e6)
        rows.append(
            {
                "name": f"{size} of {keys} accounts",
                "us_per_changed_key": round(statistics.median(changed), 1),
                "us_per_read": round(statistics.median(read), 1),
            }
        )
    return rows


def _hash(index: int) -> bytes:
    return blake2b(index.to_bytes(4, "little"), digest_size=32).digest()
