"""What a worker does on the chain, once, and again if a fork undid it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from flockchain.keys import key_pair_from_uri
from flockchain.sdk import Client
from flockchain.workers.actions import Actions
from runtime.frame.pallet import encode_call
from runtime.pallets.balances import Balances
from runtime.pallets.tasks import Tasks
from runtime.primitives.multi import Id
from runtime.primitives.types import FML
from tests.flockchain.fast_chain import ENDOWMENT, FastChain, fast_chain

ALICE, BOB = key_pair_from_uri("//Alice", "sr25519"), key_pair_from_uri("//Bob", "ed25519")
PAY_BOB = encode_call(Balances.transfer_keep_alive, Id(BOB.account), FML)
WRONG = encode_call(Tasks.cancel_task, 7)


class Driver:
    """Acts, seals, and waits until the outcome is known."""

    def __init__(self, chain: FastChain, client: Client) -> None:
        self.chain = chain
        self.changed = asyncio.Event()
        self.actions = Actions(client, self.changed.set)

    async def act(self, number: int, call: bytes) -> bool:
        """Whether acting at best block `number` put an extrinsic into a block."""
        self.changed.clear()
        before = len(self.chain.pool.ready.entries)
        self.actions.act("pay", number, ALICE, call, "Alice pays")
        self.actions.act("pay", number, ALICE, call, "Alice pays")
        if not self.actions.is_in_flight("pay"):
            return False
        await self.changed.wait()
        assert len(self.chain.pool.ready.entries) == before + 1
        self.chain.seal()
        await self.actions.wait("pay")
        return True


def test_an_action_is_repeated_only_on_states_that_should_show_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            fast_chain(tmp_path, [ALICE, BOB]) as chain,
            await Client.connect(chain.url) as client,
        ):
            driver = Driver(chain, client)
            assert await driver.act(0, PAY_BOB)  # in block 1
            assert not await driver.act(0, PAY_BOB)
            assert chain.free(BOB) == ENDOWMENT + FML
            assert await driver.act(1, PAY_BOB)  # block 1 does not show it: a fork undid it
            assert chain.free(BOB) == ENDOWMENT + 2 * FML
            await driver.actions.close()

    asyncio.run(run())


def test_a_refused_action_pauses_longer_every_time(tmp_path: Path) -> None:
    async def run() -> list[int]:
        async with (
            fast_chain(tmp_path, [ALICE, BOB]) as chain,
            await Client.connect(chain.url) as client,
        ):
            driver = Driver(chain, client)
            tried = [number for number in range(20) if await driver.act(number, WRONG)]
            await driver.actions.close()
            return tried

    assert asyncio.run(run()) == [0, 1, 3, 7, 15]
