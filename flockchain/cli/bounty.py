"""`flockchain task bounty`: pay for a task's result on top of its reward.

Source: WP III.B.1 (bounties).
"""

from __future__ import annotations

from typing import Annotated

import typer

from flockchain.cli.amounts import TaskArgument, shown_all
from flockchain.cli.chain_access import (
    address,
    parse_planck,
    print_facts,
)
from flockchain.cli.signing import Signer, with_signer
from runtime.frame.pallet import encode_call
from runtime.pallets.tasks import BountyAdded, Tasks


@with_signer
def pay_bounty(
    signer: Signer,
    task: TaskArgument,
    amount: Annotated[str, typer.Argument(help='At least 1 FML, as "12.5 FML".')],
) -> None:
    """Pay for a task's result on top of its reward, until its final day's seats are drawn.

    At completion nodes and validators share it; what nobody can get, and all of it if the task
    fails or is cancelled, returns.
    """
    planck = parse_planck(amount)
    added = signer.send(encode_call(Tasks.add_bounty, task, planck), BountyAdded, "bounty")
    amounts = {"paid": added.amount, "bounty": added.total}
    print_facts(
        {
            "task": task,
            "payer": address(added.payer),
            **shown_all(amounts, as_json=signer.as_json),
        },
        as_json=signer.as_json,
    )
