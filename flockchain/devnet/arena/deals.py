"""What people do by hand at the beginning: delegate, create a task of their own, pay a bounty.

Source: WP II.D.4 (delegation), WP V.A (task creation), WP III.B.1 (bounties).
"""

from __future__ import annotations

import asyncio
from typing import Final

from flockchain.devnet.arena.cast import (
    BOUNTY,
    BUDGET,
    DELEGATORS,
    OWN_TASK,
    PARTICIPANT,
    SPONSOR,
    VERIFIED_TASK,
    Delegator,
)
from flockchain.devnet.arena.players import Players
from flockchain.devnet.processes import DevnetError
from flockchain.sdk.client import Client
from flockchain.workers.publishing import TaskPackage
from genesis.devnet_task import START_DAY
from runtime.frame.pallet import encode_call
from runtime.pallets.delegation import Delegation
from runtime.pallets.tasks import TaskCreated, Tasks
from runtime.primitives.types import FML

CREATED_ON_DAY: Final = START_DAY - 1  # both tasks begin together: workers serve them in turn


class Deals:
    """Done once, beside the story. `run` raises DevnetError, SdkError."""

    def __init__(self, client: Client, players: Players, package: TaskPackage) -> None:
        self._client = client
        self._players = players
        self._package = package

    async def run(self) -> None:
        """All of them."""
        await asyncio.gather(
            self._create_task(), *(self._delegate(delegator) for delegator in DELEGATORS)
        )

    # -- a task of one's own

    async def _create_task(self) -> None:
        client, key, package = self._client, PARTICIPANT.key, self._package
        self._players.keep_data(PARTICIPANT, package.blobs, package.key)
        for blob in package.blobs:
            await client.put_blob(blob, key)
        await self._until_day(CREATED_ON_DAY)
        receipt = await client.submit(encode_call(Tasks.create_task, package.terms, BUDGET), key)
        created = receipt.find(TaskCreated)
        if created is None or created.task != OWN_TASK:
            raise DevnetError(f"the participant's task should be task {OWN_TASK}: {created}")
        self._players.start_creator(PARTICIPANT, OWN_TASK)
        await client.submit(encode_call(Tasks.add_bounty, OWN_TASK, BOUNTY), SPONSOR.key)

    # -- stake behind others

    async def _delegate(self, delegator: Delegator) -> None:
        client, role, operator = self._client, delegator.role, delegator.operator
        async for head in client.best_heads(latest_only=True):
            if client.preset.calendar.day_of(head.number + 1) >= START_DAY:
                raise DevnetError(f"{operator.name} did not register before day {START_DAY}")
            place = (VERIFIED_TASK, operator.account)
            if await client.at(head.hash).find(Delegation.operators, place) is not None:
                break
        call = encode_call(Delegation.delegate, VERIFIED_TASK, operator.account, role.stake * FML)
        await client.submit(call, role.key)

    async def _until_day(self, day: int) -> None:
        async for head in self._client.best_heads(latest_only=True):
            if self._client.preset.calendar.day_of(head.number + 1) >= day:
                return
