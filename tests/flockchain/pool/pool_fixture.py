"""A pool over a chain of nonces: real extrinsics, a validator that knows only nonces and tips."""

from __future__ import annotations

from dataclasses import dataclass, field

from flockchain.pool.entry import Entry, Status
from flockchain.pool.pool import Pool, PoolConfig
from runtime.frame.errors import InvalidKind, InvalidTransaction
from runtime.frame.extrinsic import (
    Extra,
    MetadataHashMode,
    Preamble,
    assemble,
    decode_extrinsic,
    extrinsic_hash,
)
from runtime.frame.pallet import encode_call
from runtime.frame.validity import FOREVER, TransactionSource, ValidTransaction, account_tag
from runtime.pallets.system import System
from runtime.primitives.era import IMMORTAL
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import Ed25519, Id
from runtime.primitives.types import AccountId, Hash

BLOCK, OTHER = Hash(b"b" * 32), Hash(b"o" * 32)


def account(name: str) -> AccountId:
    return AccountId(blake2b_256(name.encode()))


def extrinsic(who: str, nonce: int, tip: int = 0, size: int = 0) -> bytes:
    """An extrinsic of `who`; its signature is not looked at, its remark has `size` bytes."""
    extra = Extra(IMMORTAL, nonce, tip, MetadataHashMode.DISABLED)
    preamble = Preamble(Id(account(who)), Ed25519(bytes(64)), extra)
    return assemble(encode_call(System.remark, bytes(size)), preamble)


@dataclass
class World:
    """The chain's nonces, the pool, and what its listeners heard."""

    config: PoolConfig = field(default_factory=PoolConfig)
    nonces: dict[AccountId, int] = field(default_factory=dict)
    refusals: dict[Hash, InvalidKind] = field(default_factory=dict)
    longevity: dict[Hash, int] = field(default_factory=dict)
    heard: list[tuple[Hash, Status, Hash | None]] = field(default_factory=list)
    now_ms: int = 0
    number: int = 0
    checks: int = 0

    def __post_init__(self) -> None:
        self.pool = Pool(self.config, self.validate)
        self.pool.listeners.append(lambda *told: self.heard.append(told))

    def validate(self, source: TransactionSource, data: bytes) -> ValidTransaction:
        """The rules of the chain that the pool depends on."""
        self.checks += 1
        preamble = decode_extrinsic(data).preamble
        found = extrinsic_hash(data)
        if found in self.refusals:
            raise InvalidTransaction(self.refusals[found])
        if preamble is None or not isinstance(preamble.address, Id):
            raise InvalidTransaction(InvalidKind.BAD_SIGNER)
        who, nonce = preamble.address.account, preamble.extra.nonce
        expected = self.nonces.get(who, 0)
        if nonce < expected:
            raise InvalidTransaction(InvalidKind.STALE)
        requires = [account_tag(who, nonce - 1)] if nonce > expected else []
        longevity = self.longevity.get(found, FOREVER)
        provides = [account_tag(who, nonce)]
        return ValidTransaction(preamble.extra.tip, requires, provides, longevity, True)

    def submit(self, data: bytes) -> Entry:
        return self.pool.submit(
            data, TransactionSource.EXTERNAL, best_number=self.number, now_ms=self.now_ms
        )

    def block(
        self, *body: bytes, block: Hash = BLOCK, retracted: list[tuple[Hash, bytes]] | None = None
    ) -> None:
        """The head moves: nonces first, as the pool is told afterwards."""
        self.number += 1
        for _, data in retracted or []:
            self._move(data, -1)
        for data in body:
            self._move(data, 1)
        self.pool.on_block(block, self.number, body, retracted or [], self.now_ms)

    def _move(self, data: bytes, by: int) -> None:
        preamble = decode_extrinsic(data).preamble
        assert preamble is not None
        assert isinstance(preamble.address, Id)
        who = preamble.address.account
        self.nonces[who] = self.nonces.get(who, 0) + by

    def statuses(self, data: bytes) -> list[Status]:
        """What was told of an extrinsic."""
        return [status for found, status, _ in self.heard if found == extrinsic_hash(data)]

    def best(self) -> list[bytes]:
        return [entry.data for entry in self.pool.best()]

    def waiting(self) -> list[bytes]:
        return [entry.data for entry in self.pool.future.entries.values()]

    def check(self) -> None:
        """The pool's invariants."""
        pool = self.pool
        ready, future = pool.ready.entries, pool.future.entries
        assert not ready.keys() & future.keys()
        entries = [*ready.values(), *future.values()]
        assert pool.size_bytes == sum(len(entry.data) for entry in entries)
        assert pool.size_bytes <= self.config.size_bytes_max
        assert len(pool) <= self.config.count_max
        assert len(future) <= self.config.future_count_max
        for entry in entries:
            of_sender = [other for other in ready.values() if other.sender == entry.sender]
            assert pool.ready.count_of(entry.sender) == len(of_sender)
            assert len(of_sender) <= self.config.ready_per_sender_max
        tags = [tag for entry in ready.values() for tag in entry.provides]
        assert len(tags) == len(set(tags)), "a tag has one provider"
        assert sorted(entry.hash for entry in pool.best()) == sorted(ready)
