"""`flockchain task bounty`: pay for a task's result on top of its reward.

Source: WP III.B.1 (bounties).
"""

from __future__ import annotations

from typing import Annotated

import typer

from flockchain.cli.amounts import TaskArgument, shown_all
from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    JsonFlag,
    KeyFileFlag,
    KeyFlag,
    RpcFlag,
    SchemeFlag,
    SchemeName,
    address,
    event_of,
    open_client,
    parse_planck,
    print_facts,
    read_key,
)
from runtime.frame.pallet import encode_call
from runtime.pallets.tasks import BountyAdded, Tasks


def pay_bounty(
    task: TaskArgument,
    amount: Annotated[str, typer.Argument(help='At least 1 FML, as "12.5 FML".')],
    rpc: RpcFlag = DEFAULT_RPC,
    key: KeyFlag = None,
    key_file: KeyFileFlag = None,
    scheme: SchemeFlag = SchemeName.SR25519,
    as_json: JsonFlag = False,
) -> None:
    """Pay for a task's result on top of its reward, until its final day's seats are drawn.

    At completion nodes and validators share it; what nobody can get, and all of it if the task
    fails or is cancelled, returns.
    """
    planck, pair = parse_planck(amount), read_key(key, key_file, scheme)
    with open_client(rpc) as client:
        receipt = client.submit(encode_call(Tasks.add_bounty, task, planck), pair)
    added = event_of(receipt, BountyAdded, "bounty")
    amounts = {"paid": added.amount, "bounty": added.total}
    print_facts(
        {
            "task": task,
            "payer": address(added.payer),
            **shown_all(amounts, as_json=as_json),
        },
        as_json=as_json,
    )
