"""Chains with a reference string of their own: workers get it of their node, and prove with it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flockchain.blobs.reference_string import name_of_setup
from flockchain.sdk.errors import BlobUnavailable
from flockchain.workers.alliance.chain_string import ChainString, StringFile
from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.stages import Outcome
from runtime.primitives.zk_profile import setup_bytes, setup_of
from runtime.primitives.zk_setup import ethereum_setup
from tests.flockchain.fast_chain import FastChain
from tests.flockchain.workers.alliance.alliance_chain import (
    TASK,
    alliance_chain,
    at_work,
    masked,
    own_string,
    participants,
    proven,
    until_round,
)
from tests.flockchain.workers.digits_world import events_of


@pytest.mark.parametrize("terms", [proven, pytest.param(masked, marks=pytest.mark.long)])
def test_a_round_under_a_string_of_the_chains_own(
    tmp_path: Path, terms: Callable[[], dict[str, object]]
) -> None:
    """A model of 1,210 numbers has three chunks of 508 under it, and one under that of Ethereum."""
    own = own_string()

    async def run() -> FastChain:
        async with alliance_chain(tmp_path, setup=own, rounds=1, **terms()) as (chain, client):
            async with at_work(client, participants(), tmp_path / "state") as worker:
                result = await until_round(chain, 0, worker)
            assert result.outcome is Outcome.ACCEPTED
            return chain

    chain = asyncio.run(run())
    alliance = chain.runtime().alliance
    assert len(events_of(chain, events.SumProved)) == 1
    assert not events_of(chain, events.Slashed)
    posted = [each.points for (key, _), each in alliance.commitments.items() if key.task == TASK]
    assert [len(points) for points in posted] == [3 * 48] * 4


def test_it_is_asked_for_once_and_checked_whoever_sends_it(tmp_path: Path) -> None:
    own = own_string()
    path = tmp_path / f"{own.digest.hex()}.srs"

    async def run() -> None:
        async with alliance_chain(tmp_path, setup=own, **proven()) as (chain, client):
            found = await ChainString(client, tmp_path).get()
            assert found.setup == setup_of(own)
            assert found.file == StringFile(own, path)
            assert path.read_bytes() == setup_bytes(setup_of(own))
            path.write_bytes(os.urandom(100))  # a disk that lost it
            assert await ChainString(client, tmp_path).get() == found
            chain.blobs.unpin(name_of_setup(own))
            chain.blobs.delete(name_of_setup(own))
            assert await ChainString(client, tmp_path).get() == found
            path.unlink()
            with pytest.raises(BlobUnavailable):
                await ChainString(client, tmp_path).get()

    asyncio.run(run())


def test_a_chain_without_one_uses_that_of_ethereum(tmp_path: Path) -> None:
    async def run() -> None:
        async with alliance_chain(tmp_path, **proven()) as (_, client):
            found = await ChainString(client, tmp_path).get()
            assert found.setup is ethereum_setup()
            assert found.file.open() is ethereum_setup()

    asyncio.run(run())
