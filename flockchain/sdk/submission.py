"""Submitting calls: nonce, signature, pool, block, and what the call did.

Owns the order of one account's extrinsics: the nonce is fetched, used and accepted by the pool
before the account's next one is fetched. Invariant: `submit` returns only for a call that
succeeded in a block; every other end is an exception that says which.

Source: Substrate `author_submitAndWatchExtrinsic`, `system_accountNextIndex`.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, TypeVar

from flockchain.keys import KeyPair
from flockchain.sdk.chain_reader import Block, ChainReader, Head
from flockchain.sdk.errors import (
    BadAnswer,
    CallFailed,
    Disconnected,
    ExtrinsicExpired,
    ExtrinsicRefused,
    RpcFailed,
    SdkError,
)
from flockchain.sdk.hex import hash_from_hex, to_hex
from flockchain.sdk.signing import Validity, sign_call
from flockchain.sdk.transport import Subscription, Transport
from runtime.frame.events import ApplyExtrinsic
from runtime.frame.extrinsic import assemble, extrinsic_hash
from runtime.pallets.system import ExtrinsicFailed
from runtime.primitives.era import IMMORTAL, mortal
from runtime.primitives.types import AccountId, Hash

ERA_BLOCKS: Final = 64
ATTEMPTS: Final = 3  # with a fresh nonce, when another program used the account at the same time
_INVALID: Final = 1010
_KNOWN: Final = 1013
_PRIORITY_TOO_LOW: Final = 1014
_STALE: Final = "Transaction is outdated"

E = TypeVar("E")


class Wait(enum.Enum):
    """When a submission counts as done."""

    POOL = "pool"
    IN_BLOCK = "in block"
    FINALIZED = "finalized"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where the extrinsic is and what it did; `block` is None while it is only in the pool."""

    extrinsic: Hash
    block: Hash | None = None
    number: int | None = None
    index: int | None = None
    events: tuple[object, ...] = ()

    def find(self, kind: type[E]) -> E | None:
        """The first event of a kind, or None."""
        return next((event for event in self.events if isinstance(event, kind)), None)


class Submitter:
    """Submits for any number of accounts over one connection."""

    def __init__(self, transport: Transport, chain: ChainReader, genesis: Hash) -> None:
        self._transport = transport
        self._chain = chain
        self._genesis = genesis
        self._turns: dict[AccountId, asyncio.Lock] = {}

    async def submit(
        self,
        call: bytes,
        key: KeyPair,
        *,
        tip: int = 0,
        era_blocks: int | None = ERA_BLOCKS,
        wait: Wait = Wait.IN_BLOCK,
        on_pool: Callable[[], None] | None = None,
    ) -> Receipt:
        """Sign and submit a call; `tip` in planck, `era_blocks` None signs for ever.

        `on_pool` is called once the extrinsic is in the node's pool.

        Raises CallFailed, ExtrinsicRefused, ExtrinsicExpired, SdkError.
        """
        turn = self._turns.setdefault(key.account, asyncio.Lock())
        async with AsyncExitStack() as stack:
            async with turn:
                start, data, watched = await self._enter_pool(stack, call, key, tip, era_blocks)
            if on_pool is not None:
                on_pool()
            identity = extrinsic_hash(data)
            if wait is Wait.POOL:
                return Receipt(identity)
            try:
                block = await _watch(watched, wait)
            except Disconnected:
                block = await self._search(identity, start, era_blocks, wait)
            return await self._receipt(identity, block)

    async def submit_unsigned(self, call: bytes) -> Hash:
        """Hand in a call that nobody signs; its hash once it is, or was before, in the pool.

        Raises ExtrinsicRefused, SdkError.
        """
        data = assemble(call, None)
        try:
            await self._transport.call("author_submitExtrinsic", [to_hex(data)])
        except RpcFailed as error:
            if error.code not in (_KNOWN, _PRIORITY_TOO_LOW):
                raise _refusal(error) from error
        return extrinsic_hash(data)

    async def _enter_pool(
        self, stack: AsyncExitStack, call: bytes, key: KeyPair, tip: int, era_blocks: int | None
    ) -> tuple[int, bytes, Subscription]:
        """The last final block before, the extrinsic, and the subscription to its fate.

        Raises ExtrinsicRefused, SdkError.
        """
        for attempt in range(1, ATTEMPTS + 1):
            final, best, nonce = await asyncio.gather(  # at once: windows are short
                self._chain.finalized(), self._chain.best(), self._nonce(key)
            )
            validity = await self._validity(era_blocks, final, best)
            data = sign_call(
                call, key, nonce=nonce, tip=tip, validity=validity, genesis=self._genesis
            )
            watching = self._transport.subscribe(
                "author_submitAndWatchExtrinsic", [to_hex(data)], "author_unwatchExtrinsic"
            )
            try:
                return final.number, data, await stack.enter_async_context(watching)
            except RpcFailed as error:
                if attempt == ATTEMPTS or not _is_nonce_taken(error):
                    raise _refusal(error) from error
        raise AssertionError("the loop returns or raises")

    async def _nonce(self, key: KeyPair) -> int:
        nonce = await self._transport.call("system_accountNextIndex", [to_hex(key.account)])
        if not isinstance(nonce, int):
            raise BadAnswer("system_accountNextIndex: no number")
        return nonce

    async def _validity(self, era_blocks: int | None, final: Head, best: Head) -> Validity:
        """An era that begins at the last final block, which no fork can take away."""
        if era_blocks is None:
            return Validity(IMMORTAL, self._genesis)
        head = final
        if best.number - head.number > era_blocks // 2:
            head = best  # finality lags: an older birth would soon be too old
        era = mortal(era_blocks, head.number)
        birth = era.birth(head.number)
        block = head.hash if birth == head.number else await self._chain.block_hash(birth)
        if block is None:
            raise BadAnswer(f"the node does not know block {birth} of its own chain")
        return Validity(era, block)

    async def _search(self, identity: Hash, start: int, era_blocks: int | None, wait: Wait) -> Hash:
        """Look for the extrinsic in blocks: the connection that watched it was lost."""
        last = start + 2 * (era_blocks or ERA_BLOCKS)
        looked_at = start
        async for head in self._chain.heads(is_final=wait is Wait.FINALIZED):
            for number in range(looked_at + 1, min(head.number, last) + 1):
                block = await self._chain.block_hash(number)
                found = None if block is None else await self._chain.block(block)
                if found is not None and _index_in(identity, found) is not None:
                    return found.hash
            looked_at = max(start, head.number - 8)  # forks: the newest blocks are looked at again
            if head.number >= last:
                break
        raise ExtrinsicExpired(f"extrinsic {to_hex(identity)} is in no block up to {last}")

    async def _receipt(self, identity: Hash, block: Hash) -> Receipt:
        found = await self._chain.block(block)
        index = None if found is None else _index_in(identity, found)
        if found is None or index is None:
            raise BadAnswer(f"block {to_hex(block)} does not hold extrinsic {to_hex(identity)}")
        phase = ApplyExtrinsic(index)
        records = await self._chain.events(block)
        events = tuple(record.event for record in records if record.phase == phase)
        for event in events:
            if isinstance(event, ExtrinsicFailed):
                raise CallFailed(event.dispatch_error)
        return Receipt(identity, block, found.header.number, index, events)


def _index_in(identity: Hash, block: Block) -> int | None:
    """The extrinsic's place in a block, or None."""
    hashes = (extrinsic_hash(data) for data in block.extrinsics)
    return next((index for index, found in enumerate(hashes) if found == identity), None)


async def _watch(updates: Subscription, wait: Wait) -> Hash:
    """The block in which the extrinsic is. Raises ExtrinsicRefused, ExtrinsicExpired."""
    wanted = ("inBlock", "finalized") if wait is Wait.IN_BLOCK else ("finalized",)
    while True:
        update = await updates.next()
        if update in ("invalid", "dropped"):
            raise ExtrinsicRefused(f"the pool gave the extrinsic up: {update}")
        if not isinstance(update, dict):
            continue
        if "usurped" in update:
            raise ExtrinsicRefused("another extrinsic with its nonce took its place")
        if "finalityTimeout" in update:
            raise ExtrinsicRefused("finality did not come in time")
        block = next((update[name] for name in wanted if name in update), None)
        if block is not None:
            return hash_from_hex(block)


def _is_nonce_taken(error: RpcFailed) -> bool:
    return error.code in (_KNOWN, _PRIORITY_TOO_LOW) or (
        error.code == _INVALID and error.data == _STALE
    )


def _refusal(error: RpcFailed) -> SdkError:
    """The pool's refusal in words, other failures as they are."""
    if 1000 <= error.code < 1100:
        return ExtrinsicRefused(f"{error.message}: {error.data}" if error.data else error.message)
    return error
