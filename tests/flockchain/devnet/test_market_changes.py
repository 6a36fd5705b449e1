"""What a block did to an account, apart from the fees that the account paid."""

from __future__ import annotations

import asyncio
from pathlib import Path

from flockchain.devnet.market.changes import change_in
from flockchain.keys import key_pair_from_uri
from flockchain.sdk import Client
from runtime.frame.pallet import encode_call
from runtime.pallets.balances import Balances
from runtime.pallets.marketplace import Marketplace
from runtime.primitives.multi import Id
from runtime.primitives.types import FML
from tests.flockchain.fast_chain import fast_chain

ALICE, BOB = key_pair_from_uri("//Alice"), key_pair_from_uri("//Bob")


def test_changes_are_exact(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            fast_chain(tmp_path, [ALICE, BOB]) as chain,
            await Client.connect(chain.url) as client,
        ):
            chain.seal()
            chain.seal_when_asked()
            call = encode_call(Balances.transfer_keep_alive, Id(BOB.account), 3 * FML)
            sent = await client.submit(call, ALICE)
            held = await client.submit(encode_call(Marketplace.stake, 2 * FML), ALICE)
            assert sent.number is not None
            assert held.number is not None
            gave, got = [
                await change_in(client, sent.number, each.account) for each in (ALICE, BOB)
            ]
            staked = await change_in(client, held.number, ALICE.account)
            assert gave.fees > 0
            assert (gave.earned, gave.held) == (-3 * FML, 0)
            assert (got.free, got.fees, got.earned) == (3 * FML, 0, 3 * FML)
            assert (staked.earned, staked.held) == (-2 * FML, 2 * FML)

    asyncio.run(run())
