"""What commands that send any call tell of it: where it is, what it cost, what happened.

Source: WP II.B; Substrate `pallet_system` events.
"""

from __future__ import annotations

from collections.abc import Mapping

from flockchain.cli.amounts import shown
from flockchain.cli.chain_access import print_facts
from flockchain.cli.refusal import refuse
from flockchain.sdk import Receipt
from flockchain.sdk.errors import CallFailed
from runtime.frame.call import installed_pallets
from runtime.frame.dispatch_error import DispatchErrorValue
from runtime.frame.errors import pallet_index_of
from runtime.frame.result import Err
from runtime.pallets.transaction_payment import TransactionFeePaid


def print_sent(receipt: Receipt, more: Mapping[str, object], *, as_json: bool) -> None:
    """The block, the fee and the names of the events, behind what the command itself tells."""
    paid = receipt.find(TransactionFeePaid)
    facts = {
        **more,
        "fee": shown(0 if paid is None else paid.actual_fee, as_json=as_json),
        "block": f"0x{(receipt.block or b'').hex()}",
        "extrinsic": f"0x{receipt.extrinsic.hex()}",
        "events": [_event_name(event) for event in receipt.events],
    }
    print_facts(facts, as_json=as_json)


def ensure_made(result: object) -> None:
    """A call within a call was made; its error ends the command with status 1."""
    if isinstance(result, Err):
        refuse(f"the call was not made: {reason_of(result.error)}")


def reason_of(error: DispatchErrorValue) -> str:
    """An error's name and what it means."""
    return str(CallFailed(error))


def _event_name(event: object) -> str:
    index = pallet_index_of(type(event))
    pallet = next(each for each in installed_pallets() if each.pallet_index == index)
    return f"{pallet.__name__}.{type(event).__name__}"
