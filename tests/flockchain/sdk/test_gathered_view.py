"""Many reads of a block as one question, to a real node."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from flockchain.keys import key_pair_from_uri
from flockchain.sdk import Client, SdkError
from runtime.pallets.system import System
from runtime.pallets.tasks import Tasks
from runtime.primitives.types import Hash
from tests.flockchain.fast_chain import ENDOWMENT, fast_chain

KEYS = [key_pair_from_uri(f"//Key{n}", "ed25519") for n in range(4)]


def count_calls(client: Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The methods that the client calls from now on."""
    called: list[str] = []
    call = client.transport.call

    async def counted(method: str, params: Sequence[object] = ()) -> object:
        called.append(method)
        return await call(method, params)

    monkeypatch.setattr(client.transport, "call", counted)
    return called


def test_readers_share_a_question_and_get_their_own_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with (
            fast_chain(tmp_path, KEYS) as chain,
            await Client.connect(chain.url) as client,
        ):
            called = count_calls(client, monkeypatch)
            view = client.gathered_at(chain.backend.best.hash)
            *accounts, live, several = await asyncio.gather(
                *(view.query(System.account, key.account) for key in KEYS),
                view.query(Tasks.live),
                view.query_many(System.account, [KEYS[1].account, bytes(32), KEYS[1].account]),
            )
            assert [account.data.free for account in accounts] == [ENDOWMENT] * len(KEYS)
            assert live == []
            assert several == [accounts[1], None, accounts[1]]
            assert called == ["state_queryStorageAt"]
            await view.query(Tasks.live)
            assert len(called) == 2

    asyncio.run(run())


def test_a_failed_question_fails_every_reader_and_none_that_gave_up(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            fast_chain(tmp_path, KEYS) as chain,
            await Client.connect(chain.url) as client,
        ):
            view = client.gathered_at(Hash(b"\7" * 32))
            impatient = asyncio.create_task(view.query(Tasks.live))
            await asyncio.sleep(0)
            impatient.cancel()
            answers = await asyncio.gather(
                *(view.find(System.account, key.account) for key in KEYS), return_exceptions=True
            )
            assert [isinstance(answer, SdkError) for answer in answers] == [True] * len(KEYS)
            assert impatient.cancelled()

    asyncio.run(run())
