"""The two queues: extrinsics that can be included now, and those that wait for a tag.

A tag is what an extrinsic provides and another requires: account and nonce for signed ones.
Invariant: a tag is provided by at most one extrinsic of a queue; whatever a ready extrinsic
requires is provided by an earlier ready one. What is asked for each extrinsic that comes is found
by an index.

Source: Substrate `sc_transaction_pool::graph::{ready, future}`.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Container, Iterator

from flockchain.pool.entry import Entry
from runtime.primitives.types import Hash

_STALE_MAX = 64  # of a heap beyond what is alive, before it is made anew


class _Worst:
    """Entries of a queue by what is dropped first: the lowest priority, the latest arrival."""

    def __init__(self, entries: dict[Hash, Entry]) -> None:
        self._entries = entries
        self._heap: list[tuple[int, int, Hash]] = []

    def add(self, entry: Entry) -> None:
        """Know of an entry; those that leave the queue are forgotten later."""
        if len(self._heap) > 2 * len(self._entries) + _STALE_MAX:
            self._heap = [_badness(item) for item in self._entries.values()]
            heapq.heapify(self._heap)
        heapq.heappush(self._heap, _badness(entry))

    def find(self, spared: Container[Hash]) -> Entry | None:
        """The worst entry that is not spared."""
        passed = []
        found = None
        while self._heap:
            entry = self._entries.get(self._heap[0][2])
            if entry is not None and entry.hash not in spared:
                found = entry
                break
            top = heapq.heappop(self._heap)
            if entry is not None:
                passed.append(top)
        for top in passed:
            heapq.heappush(self._heap, top)
        return found


def _badness(entry: Entry) -> tuple[int, int, Hash]:
    return entry.priority, -entry.arrived, entry.hash


class ReadyQueue:
    """Extrinsics whose requirements are met, by the chain or by one another."""

    def __init__(self) -> None:
        self.entries: dict[Hash, Entry] = {}
        self._by_sender: Counter[bytes] = Counter()
        self._providers: dict[bytes, Hash] = {}
        self._requiring: dict[bytes, dict[Hash, None]] = {}
        self._worst = _Worst(self.entries)

    def worst(self, spared: Container[Hash]) -> Entry | None:
        """What is dropped first, but for those that are spared."""
        return self._worst.find(spared)

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
        for tag in entry.requires:
            self._requiring.setdefault(tag, {})[entry.hash] = None
        self._worst.add(entry)

    def remove(self, entry: Entry) -> None:
        """Take out one extrinsic, and nothing that depends on it."""
        kept = self.entries.pop(entry.hash, None)
        if kept is None:
            return
        self._by_sender[entry.sender] -= 1
        if not self._by_sender[entry.sender]:
            del self._by_sender[entry.sender]
        for tag in entry.provides:
            if self._providers.get(tag) == entry.hash:
                del self._providers[tag]
        for tag in kept.requires:
            requiring = self._requiring[tag]
            del requiring[kept.hash]
            if not requiring:
                del self._requiring[tag]

    def dependents(self, entry: Entry) -> list[Entry]:
        """The extrinsics that need `entry`, directly or not, nearest first."""
        found: dict[Hash, Entry] = {}
        waiting = deque(entry.provides)
        while waiting:
            for other in self._requiring.get(waiting.popleft(), ()):
                if other not in found:
                    found[other] = self.entries[other]
                    waiting.extend(self.entries[other].provides)
        return list(found.values())

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
        self._by_sender: dict[bytes, dict[Hash, None]] = {}  # in the order of their arrival
        self._providers: dict[bytes, Hash] = {}
        self._waiting: dict[bytes, list[Hash]] = {}
        self._worst = _Worst(self.entries)

    def worst(self, spared: Container[Hash]) -> Entry | None:
        """What is dropped first, but for those that are spared."""
        return self._worst.find(spared)

    def latest_of_most(self) -> Entry | None:
        """The latest extrinsic of the sender of whom most wait, if it has more than one."""
        most = max(self._by_sender.values(), key=len, default={})
        return self.entries[next(reversed(most))] if len(most) > 1 else None

    def count_of(self, sender: bytes) -> int:
        """How many extrinsics of a sender wait."""
        return len(self._by_sender.get(sender, ()))

    def find_providing(self, tag: bytes) -> Entry | None:
        """A waiting extrinsic that provides a tag: the same nonce of the same account."""
        found = self._providers.get(tag)
        return None if found is None else self.entries[found]

    def insert(self, entry: Entry) -> None:
        """Let an extrinsic wait."""
        self.entries[entry.hash] = entry
        self._by_sender.setdefault(entry.sender, {})[entry.hash] = None
        for tag in entry.provides:
            self._providers[tag] = entry.hash
        self._worst.add(entry)
        for tag in entry.requires:
            self._waiting.setdefault(tag, []).append(entry.hash)

    def remove(self, entry: Entry) -> None:
        """Take one out."""
        if self.entries.pop(entry.hash, None) is None:
            return
        left = self._by_sender[entry.sender]
        del left[entry.hash]
        if not left:
            del self._by_sender[entry.sender]
        for tag in entry.provides:
            if self._providers.get(tag) == entry.hash:
                del self._providers[tag]
        for tag in entry.requires:
            hashes = [item for item in self._waiting.get(tag, ()) if item != entry.hash]
            if hashes:
                self._waiting[tag] = hashes
            else:
                self._waiting.pop(tag, None)

    def waiting_for(self, tag: bytes) -> list[Entry]:
        """The extrinsics that require a tag."""
        return [self.entries[item] for item in self._waiting.get(tag, ())]
