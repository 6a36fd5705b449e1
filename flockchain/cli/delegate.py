"""`flockchain delegate`: put stake behind operators of tasks, take it back, see it, share rewards.

Source: WP II.D.4 (delegation), WP V.G (what delegators get).
"""

from __future__ import annotations

from typing import Annotated

import typer

from flockchain.cli.amounts import AmountArgument, TaskArgument, shown, shown_all
from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    JsonFlag,
    RpcFlag,
    address,
    open_client,
    parse_planck,
    print_facts,
    print_json,
    print_table,
    read_account,
)
from flockchain.cli.signing import Signer, with_signer
from flockchain.cli.suggest import suggest_operators
from runtime.frame.pallet import encode_call
from runtime.pallets.delegation import Delegation, Freed, Staked, UnbondingBegan
from runtime.pallets.delegation.records import ShareRatioScheduled
from runtime.pallets.tasks import Tasks
from runtime.primitives.rational import Rational, RationalError
from runtime.primitives.types import AccountId

app = typer.Typer(help="Delegate stake.", no_args_is_help=True, pretty_exceptions_show_locals=False)
app.command("suggest")(suggest_operators)

OperatorArgument = Annotated[
    str, typer.Argument(help="The node, validator or creator: SS58 address, 0x key, or //Name.")
]


@app.command()
@with_signer
def add(
    signer: Signer,
    task: TaskArgument,
    operator: OperatorArgument,
    amount: AmountArgument,
) -> None:
    """Put stake behind an operator; it counts from tomorrow and bears its slashes pro rata."""
    target, planck = read_account(operator), parse_planck(amount)
    pair = signer.pair
    staked = signer.send(encode_call(Delegation.delegate, task, target, planck), Staked, "stake")
    print_facts(
        {
            **_whom(task, target, pair.account),
            "role": staked.role.name.lower(),
            "delegated": shown(staked.amount, as_json=signer.as_json),
        },
        as_json=signer.as_json,
    )


@app.command()
@with_signer
def remove(
    signer: Signer,
    task: TaskArgument,
    operator: OperatorArgument,
    amount: AmountArgument,
) -> None:
    """Begin to take a delegation back; once it has counted, the least stays to the task's end."""
    target, planck = read_account(operator), parse_planck(amount)
    pair = signer.pair
    began = signer.send(
        encode_call(Delegation.undelegate, task, target, planck), UnbondingBegan, "unbonding"
    )
    print_facts(
        {
            **_whom(task, target, pair.account),
            "unbonding": shown(began.amount, as_json=signer.as_json),
            "free_day": began.free_day,
        },
        as_json=signer.as_json,
    )


@app.command()
@with_signer
def free(
    signer: Signer,
    task: TaskArgument,
    operator: OperatorArgument,
) -> None:
    """Get back what was taken from behind an operator and is free by now.

    When a task ends, all of its stakes become free by themselves.
    """
    target, pair = read_account(operator), signer.pair
    freed = signer.send(encode_call(Delegation.free_unbonded, task, target), Freed, "freed stake")
    print_facts(
        {
            **_whom(task, target, pair.account),
            "freed": shown(freed.amount, as_json=signer.as_json),
        },
        as_json=signer.as_json,
    )


@app.command("list")
def list_delegations(
    account: Annotated[str, typer.Argument(help="SS58 address, 0x key, or //Name (sr25519).")],
    rpc: RpcFlag = DEFAULT_RPC,
    as_json: JsonFlag = False,
) -> None:
    """List what an account has behind operators, and what is on its way out of there."""
    who = read_account(account)
    rows: list[dict[str, object]] = []
    with open_client(rpc) as client:
        backed = [
            (place, position.amount)
            for (place, delegator), position in client.query_map(Delegation.delegations)
            if delegator == who
        ]
        for place, amount in sorted(backed, key=lambda each: (each[0].task, each[0].operator)):
            operator = client.find(Delegation.operators, (place.task, place.operator))
            leaving = client.query(Delegation.unbonding, (place, who))
            if operator is None:
                continue  # its task ended between two questions
            amounts = {"delegated": amount, "unbonding": sum(chunk.amount for chunk in leaving)}
            rows.append(
                {
                    "task": place.task,
                    "operator": address(place.operator),
                    "role": operator.role.name.lower(),
                    "share_ratio": str(operator.ratio.entries[-1].ratio),
                    **shown_all(amounts, as_json=as_json),
                    "free_days": [chunk.free_day for chunk in leaving],
                }
            )
    if as_json:
        print_json({"account": address(who), "delegations": rows})
        return
    print_table(
        f"Delegations of {address(who)}",
        ["task", "operator", "role", "share ratio", "delegated", "unbonding", "free on days"],
        [(*list(row.values())[:-1], _days(row["free_days"])) for row in rows],
    )


@app.command()
@with_signer
def share(
    signer: Signer,
    task: TaskArgument,
    ratio: Annotated[str, typer.Argument(help="Of the pro-rata part, as 3/5 or 0.6.")],
) -> None:
    """Set what one's own delegators get: a rise acts tomorrow, a cut after its notice."""
    try:
        wanted = Rational.parse(ratio)
    except RationalError as error:
        raise typer.BadParameter(str(error), param_hint="RATIO") from None
    pair = signer.pair
    scheduled = signer.send(
        encode_call(Tasks.set_share_ratio, task, wanted), ShareRatioScheduled, "ratio"
    )
    print_facts(
        {
            "task": task,
            "operator": address(pair.account),
            "share_ratio": str(scheduled.ratio),
            "from_day": scheduled.from_day,
        },
        as_json=signer.as_json,
    )


def _whom(task: int, operator: AccountId, delegator: AccountId) -> dict[str, object]:
    return {"task": task, "operator": address(operator), "delegator": address(delegator)}


def _days(days: object) -> str:
    return ", ".join(map(str, days)) if isinstance(days, list) else ""
