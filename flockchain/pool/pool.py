"""The pool: extrinsics on their way into a block, bounded in number, bytes and per sender.

Sans-I/O: the runtime's validation and the time are handed in; listeners are told what becomes of
each extrinsic. What a better one replaces is usurped, what proves invalid is banned for a while.

Source: Substrate `sc_transaction_pool`; `consensus`: 8,192 extrinsics, 20 MB, 64 waiting a sender.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from flockchain.pool.bans import BanList, is_lasting
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
from flockchain.pool.tags import nonce_of, provided_by, tag_before
from runtime.frame.errors import InvalidKind, TransactionValidityError
from runtime.frame.extrinsic import extrinsic_hash
from runtime.frame.limits import NORMAL_PERCENT
from runtime.frame.validity import FOREVER, TransactionSource, ValidTransaction
from runtime.primitives.types import Hash
from runtime.runtime import BLOCK_BYTES_MAX

Validate = Callable[[TransactionSource, bytes], ValidTransaction]


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """Limits. A replacement must offer `bump_percent` of the priority that it replaces.

    `ready_per_sender_max` bounds what a sender holds, what waits included: that may become ready.
    `returned_per_block` bounds how much of retracted blocks is validated again at a time.
    """

    count_max: int = 8_192
    size_bytes_max: int = 20 * 1024 * 1024
    ready_per_sender_max: int = 512
    future_count_max: int = 1_024
    future_per_sender_max: int = 64
    extrinsic_bytes_max: int = BLOCK_BYTES_MAX * NORMAL_PERCENT // 100
    bump_percent: int = 110
    ban_ms: int = 30 * 60 * 1000
    banned_count_max: int = 16_384
    revalidated_per_block: int = 64
    returned_per_block: int = 512


class Pool:
    """Ready and future extrinsics. All methods are for one thread."""

    def __init__(self, config: PoolConfig, validate: Validate) -> None:
        self.config = config
        self.ready = ReadyQueue()
        self.future = FutureQueue()
        self.listeners: list[StatusListener] = []
        self._validate = validate
        self._bans = BanList(config.ban_ms, config.banned_count_max)
        self._arrivals = 0
        self._size_bytes = 0
        self._revalidation: list[Hash] = []
        self._returning: deque[bytes] = deque(maxlen=config.count_max)  # of retracted blocks

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
        if self._bans.is_banned(extrinsic, now_ms):
            raise Banned(f"0x{extrinsic.hex()} was found invalid less than 30 minutes ago")
        if len(data) > self.config.extrinsic_bytes_max:
            most = self.config.extrinsic_bytes_max
            raise TooLarge(f"extrinsic of {len(data)} bytes, the most is {most}")
        try:
            valid = self._validate(source, data)
        except TransactionValidityError as error:
            if is_lasting(error):
                self._bans.ban(extrinsic, now_ms)
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
            self._bans.ban(extrinsic, now_ms)

    def on_block(
        self,
        block: Hash,
        number: int,
        enacted: Sequence[bytes],
        retracted: Sequence[tuple[Hash, bytes]],
        now_ms: int,
    ) -> None:
        """The best chain gained `block` with the body `enacted`, and lost `retracted` ones."""
        included = {extrinsic_hash(data) for data in enacted}
        for data in enacted:
            self._on_included(extrinsic_hash(data), data, block)
        lost = [(old, data) for old, data in retracted if extrinsic_hash(data) not in included]
        for old_block, data in lost:
            self._tell(extrinsic_hash(data), Status.RETRACTED, old_block)
        if lost:
            self._let_return([data for _, data in lost])
        self._take_back(number, now_ms)
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
        replaced = self._same_tags(entry)
        self._ensure_better(entry, replaced)
        if not replaced:
            self._ensure_share(entry.sender)
        waits = not self._is_satisfied(entry)
        if waits and not any(old.hash in self.future.entries for old in replaced):
            self._ensure_may_wait(entry)
        self._make_room(entry, replaced)
        for old in replaced:
            self._take_out(old)
            self._tell(old.hash, Status.USURPED, entry.hash)
        self._size_bytes += len(entry.data)
        if self._is_satisfied(entry):  # asked again: what made room may have been required
            self._make_ready(entry)
        else:
            self._let_wait(entry)

    def _is_satisfied(self, entry: Entry) -> bool:
        return all(self.ready.provider(tag) is not None for tag in entry.requires)

    def _make_ready(self, entry: Entry) -> None:
        self.ready.insert(entry)
        self._tell(entry.hash, Status.READY, None)
        self._promote(entry)

    def _same_tags(self, entry: Entry) -> list[Entry]:
        """What provides the same: another extrinsic of that account and nonce."""
        queues = (self.ready.provider, self.future.find_providing)
        found = [other for tag in entry.provides for find in queues if (other := find(tag))]
        return list(dict.fromkeys(found))

    def _ensure_share(self, sender: bytes) -> None:
        """One account cannot fill the pool."""
        most = self.config.ready_per_sender_max
        held = self.ready.count_of(sender) + self.future.count_of(sender)
        if held >= most:
            raise PoolFull(f"the pool holds {held} extrinsics of the sender, the most is {most}")

    def _ensure_may_wait(self, entry: Entry) -> None:
        config = self.config
        if self.future.count_of(entry.sender) >= config.future_per_sender_max:
            raise PoolFull(f"{config.future_per_sender_max} extrinsics of the sender wait")
        if len(self.future.entries) >= config.future_count_max:
            crowding = self.future.latest_of_most()
            own = self.future.count_of(entry.sender) + 1
            if crowding is None or self.future.count_of(crowding.sender) <= own:
                raise PoolFull(f"{config.future_count_max} extrinsics wait for earlier ones")
            self._drop(crowding, Status.DROPPED, None)

    def _ensure_better(self, entry: Entry, replaced: Sequence[Entry]) -> None:
        for old in replaced:
            needed = max(-(-old.priority * self.config.bump_percent // 100), old.priority + 1)
            if entry.priority < needed:
                raise TooLowPriority(f"priority {entry.priority}, replacing takes {needed}")

    def _make_room(self, entry: Entry, replaced: Sequence[Entry]) -> None:
        """Drop what has less priority, waiting ones first. Raises PoolFull if that is nothing.

        Room that `replaced` leaves is counted, and they are left alone.
        """
        config, leaving = self.config, {old.hash for old in replaced}
        count_max = config.count_max + len(leaving)
        size_max = config.size_bytes_max + sum(len(old.data) for old in replaced) - len(entry.data)
        while len(self) >= count_max or self._size_bytes > size_max:
            worst = self.future.worst(leaving) or self.ready.worst(leaving)
            if worst is None:
                raise PoolFull(f"an extrinsic of {len(entry.data)} bytes is more than fits")
            is_waiting = worst.hash in self.future.entries
            if worst.priority > entry.priority or (
                worst.priority == entry.priority and not is_waiting
            ):
                raise PoolFull(f"the pool holds {len(self)} extrinsics of no lower priority")
            self._drop(worst, Status.DROPPED, None)

    def _promote(self, entry: Entry) -> None:
        """What waited for `entry` alone is ready, and so on."""
        waiting = list(entry.provides)
        while waiting:
            for other in self.future.waiting_for(waiting.pop(0)):
                if self._is_satisfied(other):
                    self.future.remove(other)
                    self.ready.insert(other)
                    self._tell(other.hash, Status.READY, None)
                    waiting.extend(other.provides)

    # -- removing

    def _drop(self, entry: Entry, status: Status, block: Hash | None) -> None:
        """Remove an extrinsic; what depended on it waits again, as far as it may."""
        self._size_bytes -= len(entry.data)
        if entry.hash in self.future.entries:
            self.future.remove(entry)
        else:
            dependents = self.ready.dependents(entry)
            self.ready.remove(entry)
            for other in dependents:
                self.ready.remove(other)
                self._let_wait(other)
        self._tell(entry.hash, status, block)

    def _let_wait(self, entry: Entry) -> None:
        """Put an extrinsic of the pool among the waiting ones, or drop it if too many wait."""
        try:
            self._ensure_may_wait(entry)
        except PoolFull:
            self._size_bytes -= len(entry.data)
            self._tell(entry.hash, Status.DROPPED, None)
            return
        self.future.insert(entry)
        self._tell(entry.hash, Status.FUTURE, None)

    def _take_out(self, entry: Entry) -> None:
        """Remove an extrinsic and nothing that depends on it."""
        self._size_bytes -= len(entry.data)
        if entry.hash in self.future.entries:
            self.future.remove(entry)
        else:
            self.ready.remove(entry)

    def _on_included(self, extrinsic: Hash, data: bytes, block: Hash) -> None:
        """The chain provides what the extrinsic did, whether it came through this pool or not."""
        entry = self.get(extrinsic)
        tags = entry.provides if entry is not None else provided_by(data)
        if entry is not None:
            self._take_out(entry)
        self._tell(extrinsic, Status.IN_BLOCK, block)
        for tag in tags:
            for rival in (self.ready.provider(tag), self.future.find_providing(tag)):
                if rival is not None:
                    self._take_out(rival)
                    self._tell(rival.hash, Status.USURPED, extrinsic)
        self._promote_satisfied(tags)

    def _promote_satisfied(self, tags: Sequence[bytes]) -> None:
        """The chain itself now provides these tags."""
        for tag in tags:
            for other in self.future.waiting_for(tag):
                rest = [need for need in other.requires if need != tag]
                if all(self.ready.provider(need) is not None for need in rest):
                    self.future.remove(other)
                    self._make_ready(other)

    def _let_return(self, lost: Sequence[bytes]) -> None:
        """Take these in again, bit by bit; as many bytes wait for it as the pool may have."""
        # Lower nonces first: what they unlock needs not wait, and what needs them goes first.
        self._returning.extend(sorted(lost, key=nonce_of))
        size_bytes = sum(map(len, self._returning))
        while size_bytes > self.config.size_bytes_max:
            size_bytes -= len(self._returning.pop())

    def _take_back(self, number: int, now_ms: int) -> None:
        """Take in what retracted blocks had, and link to it what was ready because of it."""
        senders: dict[bytes, None] = {}
        for _ in range(min(self.config.returned_per_block, len(self._returning))):
            data = self._returning.popleft()
            extrinsic = extrinsic_hash(data)
            self._bans.lift(extrinsic)  # it may have come again while it was in the block
            self._resubmit(data, number, now_ms)
            entry = self.get(extrinsic)
            if entry is not None:
                senders[entry.sender] = None
        for entry in [item for item in self.ready.entries.values() if item.sender in senders]:
            self._link(entry)

    def _resubmit(self, data: bytes, number: int, now_ms: int) -> None:
        try:
            self.submit(data, TransactionSource.IN_BLOCK, best_number=number, now_ms=now_ms)
        except PoolError:
            return  # included elsewhere meanwhile, or an inherent: nobody is waiting for it

    def _link(self, entry: Entry) -> None:
        """Let a ready extrinsic require again what a retracted block provided to it."""
        tag = tag_before(entry.provides)
        if tag is None or tag in entry.requires or self.ready.provider(tag) is None:
            return
        self.ready.remove(entry)
        self.ready.insert(replace(entry, requires=(*entry.requires, tag)))

    def _revalidate(self, number: int, now_ms: int) -> None:
        """Drop what died of age; check a bounded number of others against the new head."""
        for entry in [item for item in self._all() if item.dies_at <= number]:
            if entry.hash in self:
                self._drop(entry, Status.INVALID, None)
        if not self._revalidation:
            self._revalidation = [entry.hash for entry in self._all()]
        for _ in range(min(self.config.revalidated_per_block, len(self._revalidation))):
            known = self.get(self._revalidation.pop())
            if known is None:
                continue
            try:
                self._renew(known, self._validate(TransactionSource.EXTERNAL, known.data))
            except TransactionValidityError as error:
                self._drop(known, Status.INVALID, None)
                if error.kind is InvalidKind.STALE:  # the chain provides its tags already
                    self._promote_satisfied(known.provides)
                if is_lasting(error):
                    self._bans.ban(known.hash, now_ms)

    def _renew(self, entry: Entry, valid: ValidTransaction) -> None:
        """Let a ready extrinsic wait if the chain took back what it requires, with what follows."""
        is_ready = entry.hash in self.ready.entries
        if not is_ready or all(self.ready.provider(tag) is not None for tag in valid.requires):
            return
        dependents = self.ready.dependents(entry)
        for other in (entry, *dependents):
            self.ready.remove(other)
        for other in (replace(entry, requires=tuple(valid.requires)), *dependents):
            self._let_wait(other)

    def _all(self) -> list[Entry]:
        return [*self.ready.entries.values(), *self.future.entries.values()]

    def _tell(self, extrinsic: Hash, status: Status, block: Hash | None) -> None:
        for listener in self.listeners:
            listener(extrinsic, status, block)
