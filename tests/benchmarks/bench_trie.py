"""Microseconds per changed key of the state trie, root included.

Run: `python tests/benchmarks/bench_trie.py [keys]`. Prints best and median CPU time of rounds over
accounts as `System.Account` has them, beside one BLAKE2b-256 for calibration.
"""

import random
import statistics
import sys
import time
from hashlib import blake2b
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from flockchain.storage.errors import StorageError
from flockchain.storage.kv import MemoryStore, WriteBatch
from flockchain.storage.node_cache import NodeCache
from flockchain.storage.node_store import NodeStore
from flockchain.storage.trie_codec import StateVersion
from flockchain.storage.trie_update import EMPTY_TRIE, TrieUpdate
from flockchain.storage.trie_view import TrieView

ROUNDS = 7
ACCOUNT_BYTES = 80
PREFIX = bytes.fromhex("26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9")


def account_key(index: int) -> bytes:
    account = blake2b(index.to_bytes(4, "little"), digest_size=32).digest()
    return PREFIX + blake2b(account, digest_size=16).digest() + account


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rng = random.Random(1)
    keys = [account_key(index) for index in range(count)]
    store = MemoryStore()
    nodes = NodeStore(store, NodeCache(), lambda at: StorageError(at.hex()))
    begin = time.process_time()
    delta = TrieUpdate(nodes, StateVersion.V1, bytes(5)).apply(
        EMPTY_TRIE, {key: bytes(ACCOUNT_BYTES) for key in keys}
    )
    batch = WriteBatch()
    nodes.insert(delta, batch)
    store.write(batch)
    built = time.process_time() - begin
    print(f"build {count} keys: {built:.2f} s, {built / count * 1e6:.1f} us a key")
    root, stem = delta.root, 1
    for size in (1, 10, 100, 1_000, 2_000, 10_000):
        times = []
        for _ in range(ROUNDS):
            changes = {key: rng.randbytes(ACCOUNT_BYTES) for key in rng.sample(keys, size)}
            begin = time.process_time()
            delta = TrieUpdate(nodes, StateVersion.V1, stem.to_bytes(5, "big")).apply(root, changes)
            batch = WriteBatch()
            nodes.insert(delta, batch)
            times.append((time.process_time() - begin) / size * 1e6)
            store.write(batch)
            root, stem = delta.root, stem + 1
        print(
            f"update {size:6} keys: best {min(times):6.1f}, median {statistics.median(times):6.1f}"
            f" us a key, {len(delta.records)} nodes"
        )
    view = TrieView(nodes, root)
    for label, cache in (("warm", None), ("cold", NodeCache())):
        if cache is not None:
            view = TrieView(NodeStore(store, cache, lambda at: StorageError(at.hex())), root)
        chosen = rng.sample(keys, 5_000)
        begin = time.process_time()
        for key in chosen:
            view.get(key)
        print(f"get, {label}: {(time.process_time() - begin) / len(chosen) * 1e6:.2f} us")
    begin = time.process_time()
    listed = sum(1 for _ in view.pairs(PREFIX))
    print(f"walk {listed} keys: {(time.process_time() - begin) / listed * 1e6:.2f} us a key")
    begin = time.process_time()
    for _ in range(100_000):
        blake2b(b"x" * 100, digest_size=32).digest()
    print(f"calibration: blake2b-256 of 100 bytes {(time.process_time() - begin) * 10:.2f} us")


if __name__ == "__main__":
    main()
