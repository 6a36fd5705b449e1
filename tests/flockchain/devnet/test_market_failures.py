"""What fails beneath the market's chapter ends the devnet with words, not with a traceback."""

from __future__ import annotations

import asyncio

import pytest

from flockchain.devnet.market import services
from flockchain.devnet.market.caller import Caller
from flockchain.devnet.processes import DevnetError, free_port


@pytest.mark.parametrize("is_chat", [True, False])
def test_a_call_that_fails(is_chat: bool) -> None:
    async def run() -> None:
        async with Caller(f"http://127.0.0.1:{free_port()}/v1") as caller:
            await (caller.chat(3, "Who?") if is_chat else caller.predict(3, [[0.0]]))

    with pytest.raises(DevnetError, match=r"^a call of task 3's model failed: Connection error"):
        asyncio.run(run())


def test_a_command_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "COMMAND_S", 0.01)
    with pytest.raises(DevnetError, match=r"^`flockchain market offers` took more than 0.01 s$"):
        asyncio.run(services.command("market", "offers"))
