"""Connections of aliases: one each, to the right chain, to a node that keeps up."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from flockchain.keys import key_pair_from_uri
from flockchain.sdk.errors import Disconnected, WrongChain
from flockchain.workers import alias_lines
from flockchain.workers.alias_lines import AliasLines
from runtime.primitives.types import Hash
from tests.flockchain.fast_chain import fast_chain

KEY = key_pair_from_uri("//A")
ONE, TWO = b"1" * 32, b"2" * 32


def test_each_alias_has_one_client_until_it_is_done(tmp_path: Path) -> None:
    async def run() -> None:
        async with fast_chain(tmp_path, [KEY]) as chain:
            lines = AliasLines(chain.url, chain.backend.genesis)
            first, again = await asyncio.gather(lines.client(ONE), lines.client(ONE))
            assert first is again
            assert await lines.client(TWO) is not first
            chain.seal(3)
            assert (await lines.caught_up(ONE, 3)).number == 3
            await lines.end(ONE)
            with pytest.raises(Disconnected):
                await first.rpc("system_chain")
            assert await lines.client(ONE) is not first
            await lines.close()

    asyncio.run(run())


def test_another_chain_is_refused_and_a_node_that_was_down_is_tried_again(tmp_path: Path) -> None:
    async def run() -> None:
        async with fast_chain(tmp_path, [KEY]) as chain:
            wrong = AliasLines(chain.url, Hash(bytes(32)))
            with pytest.raises(WrongChain, match="is on chain"):
                await wrong.client(ONE)
            await wrong.close()
            lines = AliasLines(chain.url, chain.backend.genesis)
            await chain.stop()
            with pytest.raises(Disconnected):
                await lines.client(ONE)
            await chain.start()
            assert (await lines.client(ONE)).genesis == chain.backend.genesis
            await lines.close()

    asyncio.run(run())


def test_a_node_that_is_behind_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alias_lines, "CATCH_UP_S", 0.05)

    async def run() -> None:
        async with fast_chain(tmp_path, [KEY]) as chain:
            lines = AliasLines(chain.url, chain.backend.genesis)
            with pytest.raises(Disconnected, match="is behind block 9"):
                await lines.caught_up(ONE, 9)
            await lines.close()

    asyncio.run(run())
