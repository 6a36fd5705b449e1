"""`flockchain arena`: take a role in a task, see submissions, rankings and payments.

Source: WP V (FLock consensus in AI Arena), WP V.E to V.H (rewards).
"""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from flockchain.cli.amounts import TaskArgument, shown, shown_all
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
from flockchain.cli.refusal import refuse
from flockchain.cli.signing import Signer, with_signer
from flockchain.sdk import BlockingClient
from runtime.economy.parameters import SCORE_MAX
from runtime.economy.tasks import Hardware, HardwareClass, Role, Task
from runtime.frame.pallet import encode_call
from runtime.pallets.arena import Arena
from runtime.pallets.arena.records import DayKey, DayResult
from runtime.pallets.tasks import Tasks
from runtime.primitives.content_id import cid_text
from runtime.primitives.rational import Rational

app = typer.Typer(
    help="Take part in tasks, see rankings and rewards.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)

DayFlag = Annotated[
    int | None, typer.Option("--day", min=0, help="By default the last settled day.")
]


class RoleName(enum.StrEnum):
    """The roles that one registers for."""

    NODE = "node"
    VALIDATOR = "validator"


@app.command()
@with_signer
def register(
    signer: Signer,
    task: TaskArgument,
    role: Annotated[RoleName, typer.Argument(help="Training node or task validator.")],
    stake: Annotated[
        str | None, typer.Option(help='As "10 FML"; by default the least that is allowed.')
    ] = None,
    share: Annotated[
        str, typer.Option(help="What delegators get of their pro-rata part, as 3/5.")
    ] = "0/1",
    memory_gib: Annotated[int, typer.Option(min=1, max=65_535, help="A validator's memory.")] = 1,
    has_gpu: Annotated[bool, typer.Option("--gpu", help="The validator has a GPU.")] = False,
) -> None:
    """Take a role in a task with a stake; costs the registration fee, counts from tomorrow."""
    ratio = _read_ratio(share)
    amount = None if stake is None else parse_planck(stake)
    pair = signer.pair
    kind = Role.TRAINING_NODE if role is RoleName.NODE else Role.TASK_VALIDATOR
    hardware = Hardware(HardwareClass.GPU if has_gpu else HardwareClass.CPU, memory_gib)
    with signer.open() as client:
        if amount is None:
            preset = client.client.preset
            amount = preset.node_stake if role is RoleName.NODE else preset.validator_stake
        call = encode_call(Tasks.register, task, kind, amount, ratio, hardware)
        client.submit(call, pair)
    print_facts(
        {
            "account": address(pair.account),
            "task": task,
            "role": role.value,
            "stake": shown(amount, as_json=signer.as_json),
        },
        as_json=signer.as_json,
    )


@app.command()
def submissions(task: TaskArgument, rpc: RpcFlag = DEFAULT_RPC, as_json: JsonFlag = False) -> None:
    """List the revealed submissions of a task; a node's last one stands."""
    with open_client(rpc) as client:
        _task(client, task)
        made = sorted(client.query_map(Arena.submissions, task))
        standing = dict(client.query_map(Arena.standing, task))
    rows = [
        {
            "submission": number,
            "owner": None if found.owner is None else address(found.owner),
            "content": cid_text(found.content),
            "size_bytes": found.size_bytes,
            "committed_at": found.committed_at,
            "revealed_at": found.revealed_at,
            "stands": found.owner is not None and standing.get(found.owner) == number,
        }
        for number, found in made
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(
            f"Submissions of task {task}",
            ["submission", "owner", "model", "bytes", "committed", "revealed", "stands"],
            [tuple(row.values()) for row in rows],
        )


@app.command()
def leaderboard(
    task: TaskArgument, rpc: RpcFlag = DEFAULT_RPC, day: DayFlag = None, as_json: JsonFlag = False
) -> None:
    """Show a settled day's ranking of training nodes."""
    with open_client(rpc) as client:
        day, result = _day_result(client, task, day)
    rows = [
        {
            "rank": place,
            "node": address(node.owner),
            "submission": node.submission,
            "score": _score(node.numerator, node.denominator),
            "stake": shown(node.stake, as_json=as_json),
            "share": f"{(node.share * 10**6 >> 128) / 10**4:.4f} %",
        }
        for place, node in enumerate(result.ranking, start=1)
    ]
    if as_json:
        print_json({"task": task, "day": day, "ranking": rows})
    else:
        print_table(
            f"Task {task}, day {day}",
            ["rank", "node", "submission", "score", "stake", "share of the nodes' reward"],
            [tuple(row.values()) for row in rows],
        )


@app.command("day")
def day_results(
    task: TaskArgument, rpc: RpcFlag = DEFAULT_RPC, day: DayFlag = None, as_json: JsonFlag = False
) -> None:
    """Show what a settled day paid, and every submission's consensus score."""
    with open_client(rpc) as client:
        day, result = _day_result(client, task, day)
        scored = sorted(client.query_map(Arena.results, DayKey(task, day)))
        compared = sorted(client.query_map(Arena.behaviours, DayKey(task, day)))
    amounts = {
        "reward": result.reward,
        "node_stake": result.node_stake,
        "validator_stake": result.validator_stake,
        "for_creator": result.for_creator,
        "for_nodes": result.for_nodes,
        "vested": result.vested,
        "for_validators": result.for_validators,
        "slashed": result.slashed,
    }
    facts: dict[str, object] = {"task": task, "day": day}
    facts |= shown_all(amounts, as_json=as_json)
    scores = {str(number): _score(found.numerator, found.denominator) for number, found in scored}
    copies = {str(number): each.copy_of for number, each in compared if each.copy_of is not None}
    if as_json:
        print_json({**facts, "scores": scores, "copies": copies})
        return
    print_facts(facts, as_json=False)
    print_table(
        "Consensus scores",
        ["submission", "score", *(["copy of"] if copies else [])],
        [
            (number, score, *([copies.get(number, "")] if copies else []))
            for number, score in scores.items()
        ],
    )


@app.command()
def payouts(
    task: TaskArgument,
    rpc: RpcFlag = DEFAULT_RPC,
    day: DayFlag = None,
    account: Annotated[
        str | None, typer.Option(help="Only of this operator: address, 0x key, or //Name.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show a settled day's payments, operator by operator; delegators share them."""
    only = None if account is None else read_account(account)
    with open_client(rpc) as client:
        day, _ = _day_result(client, task, day)
        payments = client.query(Arena.payments, DayKey(task, day))
    rows = [
        {
            "operator": address(payment.operator),
            "role": payment.role.name.lower(),
            "kind": payment.kind.name.lower(),
            "amount": shown(payment.amount, as_json=as_json),
        }
        for payment in payments
        if only is None or payment.operator == only
    ]
    if as_json:
        print_json({"task": task, "day": day, "payments": rows})
    else:
        print_table(
            f"Payments of task {task}, day {day}",
            ["operator", "role", "for", "amount"],
            [tuple(row.values()) for row in rows],
        )


def _task(client: BlockingClient, task: int) -> Task:
    found = client.find(Tasks.tasks, task)
    if found is None:
        refuse(f"there is no task {task}: `flockchain task list --all` shows those there are")
    return found


def _day_result(client: BlockingClient, task: int, day: int | None) -> tuple[int, DayResult]:
    """A settled day, the last one unless told; ends the command if there is none."""
    found = _task(client, task)
    days = [day] if day is not None else range(found.final_day(), found.start_day - 1, -1)
    for candidate in days:
        result = client.find(Arena.day_results, DayKey(task, candidate))
        if result is not None and (day is not None or result.ranked_on is not None):
            return candidate, result
    which = "no day" if day is None else f"not day {day}"
    refuse(
        f"{which} of task {task} is settled; it runs on days {found.start_day} to "
        f"{found.final_day()}, of {client.client.preset.calendar.day_blocks} blocks each"
    )


def _score(numerator: int, denominator: int) -> float | None:
    """A consensus score as a fraction of full scale, for people to read."""
    return round(numerator / (denominator * SCORE_MAX), 9) if denominator else None


def _read_ratio(text: str) -> Rational:
    numerator, _, denominator = text.partition("/")
    try:
        return Rational.reduced(int(numerator), int(denominator or "1"))
    except (ValueError, ZeroDivisionError):
        raise typer.BadParameter(
            f"{text!r} is no ratio such as 3/5", param_hint="--share"
        ) from None
