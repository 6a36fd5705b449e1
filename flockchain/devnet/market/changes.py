"""How a block changed an account, to the planck, and what the account paid in fees meanwhile.

Source: WP III.B (payment); Substrate `frame_system::Account`.
"""

from __future__ import annotations

from dataclasses import dataclass

from flockchain.devnet.blocks import events_of
from flockchain.sdk.client import Client
from runtime.pallets.emission import HostPaid
from runtime.pallets.system import System
from runtime.pallets.transaction_payment import TransactionFeePaid
from runtime.primitives.types import AccountId


@dataclass(frozen=True)
class Change:
    """Differences of what is free and of what is held; fees and emission that explain a part of
    the first. Planck."""

    free: int
    held: int
    fees: int = 0
    emission: int = 0

    @property
    def earned(self) -> int:
        """What came in beside fees and emission."""
        return self.free + self.fees - self.emission


async def change_in(client: Client, number: int, who: AccountId) -> Change:
    """What final block `number` changed. Raises DevnetError, SdkError."""
    before, _ = await events_of(client, number - 1)
    block, records = await events_of(client, number)
    old, new = [(await client.query(System.account, who, at=at)).data for at in (before, block)]
    fees = emission = 0
    for record in records:
        event = record.event
        if isinstance(event, TransactionFeePaid) and event.who == who:
            fees += event.actual_fee
        elif isinstance(event, HostPaid) and event.host == who:
            emission += event.amount
    return Change(new.free - old.free, new.reserved - old.reserved, fees, emission)
