"""The two queues: extrinsics that can be included now, and those that wait for a tag.

A tag is what an extrinsic provides and another requires: account and nonce for signed ones.
Invariant: a tag is provided by at most one ready extrinsic; whatever a ready extrinsic requires is
provided by an earlier ready one.

Source: Substrate `sc_transaction_pool::graph::{ready, future}`.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator

from flockchain.pool.entry import Entry
from runtime.primitives.types import Hash


class ReadyQueue:
    """Extrinsics whose requirements are met, by the chain or by one another."""

    def __init__(self) -> None:
        self.entries: dict[Hash, Entry] = {}
        self._by_sender: Counter[bytes] = Counter()
        self._providers: dict[bytes, Hash] = {}

    def count_of(self, sender: bytes) -> int:
        """How many extrinsics of a sender are ready."""
        return self._by_sender[sender]

    def provider(self, tag: bytes) -> Entry | None:
        """Who provides a tag."""
        found = self._providers.get(tag)
        return None if found is None else self.entries[found]

    def insert(self, entry: Entry) -> None:
        """Add an extrinsic whose requirements are met."""
        self.entries[entry.hash] = entry
        self._by_sender[entry.sender] += 1
        for tag in entry.provides:
            self._providers[tag] = entry.hash

    def remove(self, entry: Entry) -> None:
        """Take out one extrinsic, and nothing that depends on it."""
        if self.entries.pop(entry.hash, None) is None:
            return
        self._by_sender[entry.sender] -= 1
        if not self._by_sender[entry.sender]:
            del self._by_sender[entry.sender]
        for tag in entry.provides:
            if self._providers.get(tag) == entry.hash:
                del self._providers[tag]

    def dependents(self, entry: Entry) -> list[Entry]:
        """The extrinsics that need `entry`, directly or not, nearest first."""
        found: list[Entry] = []
        tags = set(entry.provides)
        by_tag: dict[bytes, list[Entry]] = {}
        for other in self.entries.values():
            for tag in other.requires:
                by_tag.setdefault(tag, []).append(other)
        waiting = sorted(tags)
        while waiting:
            for other in by_tag.get(waiting.pop(0), ()):
                if other not in found:
                    found.append(other)
                    waiting.extend(other.provides)
        return found

    def in_order(self) -> Iterator[Entry]:
        """Best first: by priority, then by arrival, dependencies always before dependents."""
        missing: dict[Hash, int] = {}
        unlocks: dict[bytes, list[Entry]] = {}
        heap: list[tuple[int, int, Hash]] = []
        for entry in self.entries.values():
            needed = [tag for tag in entry.requires if tag in self._providers]
            if not needed:
                heap.append((-entry.priority, entry.arrived, entry.hash))
                continue
            missing[entry.hash] = len(needed)
            for tag in needed:
                unlocks.setdefault(tag, []).append(entry)
        heapq.heapify(heap)
        while heap:
            entry = self.entries[heapq.heappop(heap)[2]]
            yield entry
            for tag in entry.provides:
                for other in unlocks.get(tag, ()):
                    missing[other.hash] -= 1
                    if missing[other.hash] == 0:
                        heapq.heappush(heap, (-other.priority, other.arrived, other.hash))


class FutureQueue:
    """Extrinsics that require a tag that nobody provides yet."""

    def __init__(self) -> None:
        self.entries: dict[Hash, Entry] = {}
        self._by_sender: dict[bytes, int] = {}
        self._waiting: dict[bytes, list[Hash]] = {}

    def count_of(self, sender: bytes) -> int:
        """How many extrinsics of a sender wait."""
        return self._by_sender.get(sender, 0)

    def find_providing(self, tag: bytes) -> Entry | None:
        """A waiting extrinsic that provides a tag: the same nonce of the same account."""
        return next((entry for entry in self.entries.values() if tag in entry.provides), None)

    def insert(self, entry: Entry) -> None:
        """Let an extrinsic wait."""
        self.entries[entry.hash] = entry
        self._by_sender[entry.sender] = self.count_of(entry.sender) + 1
        for tag in entry.requires:
            self._waiting.setdefault(tag, []).append(entry.hash)

    def remove(self, entry: Entry) -> None:
        """Take one out."""
        if self.entries.pop(entry.hash, None) is None:
            return
        left = self.count_of(entry.sender) - 1
        if left:
            self._by_sender[entry.sender] = left
        else:
            del self._by_sender[entry.sender]
        for tag in entry.requires:
            hashes = [item for item in self._waiting.get(tag, ()) if item != entry.hash]
            if hashes:
                self._waiting[tag] = hashes
            else:
                self._waiting.pop(tag, None)

    def waiting_for(self, tag: bytes) -> list[Entry]:
        """The extrinsics that require a tag."""
        return [self.entries[item] for item in self._waiting.get(tag, ())]
