"""Blocks, headers, hashes and events, read from a node and checked against what was asked.

Source: Substrate `chain_*` JSON-RPC; `frame_system::EventRecord`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flockchain.sdk.errors import BadAnswer, Disconnected
from flockchain.sdk.hex import from_hex, hash_from_hex, to_hex
from flockchain.sdk.state_view import StateView
from flockchain.sdk.transport import Transport
from runtime.frame.events import EventRecord
from runtime.pallets.system import System
from runtime.primitives.header import DIGEST_ITEM, Digest, Header
from runtime.primitives.scale import DecodeError
from runtime.primitives.types import Hash

RETRY_PAUSE_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Head:
    """A block that became best, or final."""

    hash: Hash
    header: Header

    @property
    def number(self) -> int:
        """The block's number."""
        return self.header.number


@dataclass(frozen=True, slots=True)
class Block:
    """A block; `extrinsics` are bytes with their length prefix."""

    hash: Hash
    header: Header
    extrinsics: tuple[bytes, ...]


class ChainReader:
    """Questions about the chain."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def block_hash(self, number: int) -> Hash | None:
        """The best chain's block of this number. Raises SdkError."""
        answer = await self._transport.call("chain_getBlockHash", [number])
        return None if answer is None else hash_from_hex(answer)

    async def best(self) -> Head:
        """The best block. Raises SdkError."""
        return head_of(await self._transport.call("chain_getHeader"))

    async def finalized(self) -> Head:
        """The last final block. Raises SdkError."""
        block = await self._transport.call("chain_getFinalizedHead")
        return head_of(await self._transport.call("chain_getHeader", [block]))

    async def header(self, block: Hash) -> Header | None:
        """A header, or None if the node does not know the block. Raises SdkError."""
        answer = await self._transport.call("chain_getHeader", [to_hex(block)])
        return None if answer is None else _expect(head_of(answer), block).header

    async def block(self, block: Hash) -> Block | None:
        """A block, or None if the node does not have it. Raises SdkError."""
        answer = await self._transport.call("chain_getBlock", [to_hex(block)])
        if answer is None:
            return None
        try:
            found = answer["block"]
            head = _expect(head_of(found["header"]), block)
            return Block(block, head.header, tuple(from_hex(item) for item in found["extrinsics"]))
        except (LookupError, TypeError) as error:
            raise BadAnswer("chain_getBlock: not a block") from error

    async def events(self, block: Hash) -> list[EventRecord]:
        """What happened in a block. Raises SdkError."""
        return await StateView(self._transport, block).query(System.events)

    async def heads(
        self, *, is_final: bool, latest_only: bool = False
    ) -> AsyncGenerator[Head, None]:
        """Best (or final) blocks as they come, the present one first; survives reconnections.

        `latest_only` skips those that a slow reader missed. Raises WrongChain, RpcFailed.
        """
        kind = "Finalized" if is_final else "New"
        while True:
            try:
                async with self._transport.subscribe(
                    f"chain_subscribe{kind}Heads", [], f"chain_unsubscribe{kind}Heads"
                ) as subscription:
                    while True:
                        take = subscription.latest if latest_only else subscription.next
                        yield head_of(await take())
            except Disconnected:
                await asyncio.sleep(RETRY_PAUSE_S)  # then `subscribe` waits for the connection


def head_of(answer: Any) -> Head:
    """A header's JSON, with the hash that follows from it. Raises BadAnswer."""
    try:
        header = _header(answer)
    except (LookupError, TypeError, ValueError, DecodeError) as error:
        raise BadAnswer(f"not a header: {str(answer)[:80]}") from error
    return Head(header.hash(), header)


def _header(answer: Mapping[str, Any]) -> Header:
    logs = [DIGEST_ITEM.decode_all(from_hex(log)) for log in answer["digest"]["logs"]]
    return Header(
        hash_from_hex(answer["parentHash"]),
        int(answer["number"], 16),
        hash_from_hex(answer["stateRoot"]),
        hash_from_hex(answer["extrinsicsRoot"]),
        Digest(logs),
    )


def _expect(head: Head, block: Hash) -> Head:
    if head.hash != block:
        raise BadAnswer(f"asked for block {to_hex(block)}, got {to_hex(head.hash)}")
    return head
