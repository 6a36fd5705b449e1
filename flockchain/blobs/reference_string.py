"""The chain's own reference string as a blob of the node: workers and peers get it by content id.

Invariant: what is named is what this process checks proofs with.
Source: WP VI.H; docs/zk.md (profile B).
"""

from __future__ import annotations

from functools import lru_cache

from flockchain.blobs.store import BlobStore
from runtime.primitives.content_id import ContentId, content_id
from runtime.primitives.zk_profile import ChainSetup, setup_bytes, setup_of


def serve_setup(store: BlobStore, declared: ChainSetup) -> ContentId:
    """Keep a loaded string in the store, for good. Raises `SetupMissing`, `BlobLimitError`."""
    return store.put(setup_bytes(setup_of(declared)), pin=True)


@lru_cache(maxsize=2)
def name_of_setup(declared: ChainSetup) -> ContentId:
    """The content id of a loaded string: digests of megabytes, so taken once. Raises
    `SetupMissing`."""
    return content_id(setup_bytes(setup_of(declared)))
