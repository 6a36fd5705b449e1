"""The pool: extrinsics on their way into a block, bounded in number, bytes and per sender.

Sans-I/O: the runtime's validation and the time are handed in; listeners are told what becomes of
each extrinsic. What a better one replaces is usurped, what proves invalid is banned for a while.

Source: Substrate `sc_transaction_pool`; `consensus`: 8,192 extrinsics, 20 MB, 64 waiting a sender.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from flockchain.pool.entry import Entry, Status, StatusListener
from flockchain.pool.errors import (
    AlreadyImported,
    Banned,
    PoolError,
    PoolFull,
    Refused,
    TooLarge,
    TooLowPriority,
)
from flockchain.pool.queues import FutureQueue, ReadyQueue
from runtime.frame.errors import InvalidKind, InvalidTransaction, TransactionValidityError
from runtime.frame.extrinsic import extrinsic_hash
from runtime.frame.validity import FOREVER, TransactionSource, ValidTransaction
from runtime.primitives.types import Hash

Validate = Callable[[TransactionSource, bytes], ValidTransaction]


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """Limits. A replacement must offer `bump_percent` of the priority that it replaces."""

    count_max: int = 8_192
    size_bytes_max: int = 20 * 1024 * 1024
    future_count_max: int = 1_024
    future_per_sender_max: int = 64
    extrinsic_bytes_max: int = 3 * 1024 * 1024
    bump_percent: int = 110
    ban_ms: int = 30 * 60 * 1000
    banned_count_max: int = 16_384
    revalidated_per_block: int = 64


class Pool:
    """Ready and future extrinsics. All methods are for one thread."""

    def __init__(self, config: PoolConfig, validate: Validate) -> None:
        self.config = config
        self.ready = ReadyQueue()
        self.future = FutureQueue()
        self.listeners: list[StatusListener] = []
        self._validate = validate
        self._banned: OrderedDict[Hash, int] = OrderedDict()
        self._arrivals = 0
        self._size_bytes = 0
        self._revalidation: list[Hash] = []

    def __len__(self) -> int:
        return len(self.ready.entries) + len(self.future.entries)

    def __contains__(self, extrinsic: object) -> bool:
        return extrinsic in self.ready.entries or extrinsic in self.future.entries

    @property
    def size_bytes(self) -> int:
        """Bytes of all extrinsics in the pool."""
        return self._size_bytes

    def submit(
        self, data: bytes, source: TransactionSource, *, best_number: int, now_ms: int
    ) -> Entry:
        """Take in an extrinsic. Raises a PoolError that says why not."""
        extrinsic = extrinsic_hash(data)
        if extrinsic in self:
            raise AlreadyImported(f"0x{extrinsic.hex()} is in the pool")
        if self._is_banned(extrinsic, now_ms):
            raise Banned(f"0x{extrinsic.hex()} was found invalid less than 30 minutes ago")
        if len(data) > self.config.extrinsic_bytes_max:
            most = self.config.extrinsic_bytes_max
            raise TooLarge(f"extrinsic of {len(data)} bytes, the most is {most}")
        try:
            valid = self._validate(source, data)
        except TransactionValidityError as error:
            if _is_lasting(error):
                self._ban(extrinsic, now_ms)
            raise Refused(error) from error
        entry = self._entry(extrinsic, data, valid, best_number)
        self._insert(entry)
        return entry

    def best(self) -> Iterator[Entry]:
        """Ready extrinsics in the order in which an author should take them."""
        return self.ready.in_order()

    def get(self, extrinsic: Hash) -> Entry | None:
        """The entry of a hash."""
        return self.ready.entries.get(extrinsic) or self.future.entries.get(extrinsic)

    def next_nonce(self, sender: bytes, on_chain: int, tag_of: Callable[[int], bytes]) -> int:
        """The nonce behind the sender's ready extrinsics."""
        nonce = on_chain
        while self.ready.provider(tag_of(nonce)) is not None:
            nonce += 1
        return nonce

    def remove_invalid(self, extrinsic: Hash, now_ms: int) -> None:
        """An author found that an extrinsic cannot be included: drop and ban it."""
        entry = self.get(extrinsic)
        if entry is not None:
            self._drop(entry, Status.INVALID, None)
            self._ban(extrinsic, now_ms)

    def on_block(
        self,
        block: Hash,
        number: int,
        enacted: Sequence[bytes],
        retracted: Sequence[tuple[Hash, bytes]],
        now_ms: int,
    ) -> None:
        """The best chain gained `enacted` (bodies of new blocks) and lost `retracted` ones."""
        included = {extrinsic_hash(data) for data in enacted}
        for data in enacted:
            self._on_included(extrinsic_hash(data), data, block)
        for old_block, data in retracted:
            extrinsic = extrinsic_hash(data)
            if extrinsic in included:
                continue
            self._tell(extrinsic, Status.RETRACTED, old_block)
            self._resubmit(data, number, now_ms)
        self._revalidate(number, now_ms)

    def on_finalized(self, block: Hash, body: Sequence[bytes]) -> None:
        """Tell the watchers of a final block's extrinsics."""
        for data in body:
            self._tell(extrinsic_hash(data), Status.FINALIZED, block)

    # -- inserting

    def _entry(self, extrinsic: Hash, data: bytes, valid: ValidTransaction, number: int) -> Entry:
        self._arrivals += 1
        dies_at = FOREVER if valid.longevity == FOREVER else number + valid.longevity
        return Entry(
            extrinsic,
            data,
            valid.priority,
            tuple(valid.requires),
            tuple(valid.provides),
            dies_at,
            self._arrivals,
            valid.propagate,
        )

    def _insert(self, entry: Entry) -> None:
        if all(self.ready.provider(tag) is not None for tag in entry.requires):
            self._insert_ready(entry)
            self._promote(entry)
            return
        self._insert_future(entry)

    def _insert_ready(self, entry: Entry) -> None:
        replaced = [found for tag in entry.provides if (found := self.ready.provider(tag))]
        self._ensure_better(entry, replaced)
        if not replaced:
            self._make_room(entry)
        for old in replaced:
            self.ready.remove(old)
            self._size_bytes -= len(old.data)
            self._tell(old.hash, Status.USURPED, entry.hash)
        self.ready.insert(entry)
        self._size_bytes += len(entry.data)
        self._tell(entry.hash, Status.READY, None)

    def _insert_future(self, entry: Entry) -> None:
        config = self.config
        replaced = [found for tag in entry.provides if (found := self.future.find_providing(tag))]
        self._ensure_better(entry, replaced)
        if not replaced:
            if self.future.count_of(entry.sender) >= config.future_per_sender_max:
                raise PoolFull(f"{config.future_per_sender_max} extrinsics of the sender wait")
            if len(self.future.entries) >= config.future_count_max:
                raise PoolFull(f"{config.future_count_max} extrinsics wait for earlier ones")
            self._make_room(entry)
        for old in replaced:
            self.future.remove(old)
            self._size_bytes -= len(old.data)
            self._tell(old.hash, Status.USURPED, entry.hash)
        self.future.insert(entry)
        self._size_bytes += len(entry.data)
        self._tell(entry.hash, Status.FUTURE, None)

    def _ensure_better(self, entry: Entry, replaced: Sequence[Entry]) -> None:
        for old in replaced:
            needed = max(old.priority * self.config.bump_percent // 100, old.priority + 1)
            if entry.priority < needed:
                raise TooLowPriority(f"priority {entry.priority}, replacing takes {needed}")

    def _make_room(self, entry: Entry) -> None:
        """Drop what has less priority, waiting ones first. Raises PoolFull if that is nothing."""
        config = self.config
        while len(self) >= config.count_max or (
            self._size_bytes + len(entry.data) > config.size_bytes_max
        ):
            candidates = self.future.entries or self.ready.entries
            worst = min(candidates.values(), key=lambda item: (item.priority, -item.arrived))
            is_waiting = worst.hash in self.future.entries
            if worst.priority > entry.priority or (
                worst.priority == entry.priority and not is_waiting
            ):
                raise PoolFull(f"the pool holds {len(self)} extrinsics of no lower priority")
            self._drop(worst, Status.DROPPED, None)

    def _promote(self, entry: Entry) -> None:
        waiting = list(entry.provides)
        while waiting:
            for other in self.future.waiting_for(waiting.pop(0)):
                if all(self.ready.provider(tag) is not None for tag in other.requires):
                    self.future.remove(other)
                    self.ready.insert(other)
                    self._tell(other.hash, Status.READY, None)
                    waiting.extend(other.provides)

    # -- removing

    def _drop(self, entry: Entry, status: Status, block: Hash | None) -> None:
        """Remove an extrinsic; what depended on it waits again."""
        self._size_bytes -= len(entry.data)
        if entry.hash in self.future.entries:
            self.future.remove(entry)
        else:
            dependents = self.ready.dependents(entry)
            self.ready.remove(entry)
            for other in dependents:
                self.ready.remove(other)
                self.future.insert(other)
                self._tell(other.hash, Status.FUTURE, None)
        self._tell(entry.hash, status, block)

    def _on_included(self, extrinsic: Hash, data: bytes, block: Hash) -> None:
        entry = self.get(extrinsic)
        if entry is not None:
            self._size_bytes -= len(entry.data)
            if extrinsic in self.future.entries:
                self.future.remove(entry)
            else:
                self.ready.remove(entry)
            self._promote_satisfied(entry.provides)
        self._tell(extrinsic, Status.IN_BLOCK, block)

    def _promote_satisfied(self, tags: Sequence[bytes]) -> None:
        """The chain itself now provides these tags."""
        waiting = list(tags)
        while waiting:
            tag = waiting.pop(0)
            for other in self.future.waiting_for(tag):
                rest = [need for need in other.requires if need != tag]
                if all(self.ready.provider(need) is not None for need in rest):
                    self.future.remove(other)
                    self.ready.insert(other)
                    self._tell(other.hash, Status.READY, None)
                    self._promote(other)

    def _resubmit(self, data: bytes, number: int, now_ms: int) -> None:
        try:
            self.submit(data, TransactionSource.IN_BLOCK, best_number=number, now_ms=now_ms)
        except PoolError:
            return  # included elsewhere meanwhile, or an inherent: nobody is waiting for it

    def _revalidate(self, number: int, now_ms: int) -> None:
        """Drop what died of age; check a bounded number of others against the new head."""
        for entry in [item for item in self._all() if item.dies_at <= number]:
            if entry.hash in self:
                self._drop(entry, Status.INVALID, None)
        if not self._revalidation:
            self._revalidation = [entry.hash for entry in self._all()]
        for _ in range(min(self.config.revalidated_per_block, len(self._revalidation))):
            entry_or_none = self.get(self._revalidation.pop())
            if entry_or_none is None:
                continue
            try:
                self._validate(TransactionSource.EXTERNAL, entry_or_none.data)
            except TransactionValidityError as error:
                self._drop(entry_or_none, Status.INVALID, None)
                if _is_lasting(error):
                    self._ban(entry_or_none.hash, now_ms)

    def _all(self) -> list[Entry]:
        return [*self.ready.entries.values(), *self.future.entries.values()]

    # -- bans and listeners

    def _is_banned(self, extrinsic: Hash, now_ms: int) -> bool:
        until = self._banned.get(extrinsic)
        if until is not None and until <= now_ms:
            del self._banned[extrinsic]
            return False
        return until is not None

    def _ban(self, extrinsic: Hash, now_ms: int) -> None:
        self._banned[extrinsic] = now_ms + self.config.ban_ms
        while len(self._banned) > self.config.banned_count_max:
            self._banned.popitem(last=False)

    def _tell(self, extrinsic: Hash, status: Status, block: Hash | None) -> None:
        for listener in self.listeners:
            listener(extrinsic, status, block)


def _is_lasting(error: TransactionValidityError) -> bool:
    """Whether the same bytes can never become valid: only such are banned."""
    return isinstance(error, InvalidTransaction) and error.kind in (
        InvalidKind.BAD_PROOF,
        InvalidKind.CALL,
        InvalidKind.BAD_SIGNER,
        InvalidKind.STALE,
        InvalidKind.ANCIENT_BIRTH_BLOCK,
    )
