"""`flockchain delegate suggest`: which operators an amount would earn most behind.

Owns the questions to the node, all about one block, and the drawing of the ranking with what it
assumes and warns of.
Source: WP II.D.4 (delegation), WP V.E to V.H.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from flockchain.cli.chain_access import (
    DEFAULT_RPC,
    JsonFlag,
    RpcFlag,
    address,
    open_client,
    parse_planck,
    print_json,
    print_table,
    read_account,
)
from flockchain.cli.refusal import refuse
from flockchain.economics.suggestion import (
    ASSUMPTIONS,
    Delegator,
    Ranking,
    Suggestion,
    TaskOutlook,
    suggest,
)
from flockchain.sdk import BlockingClient, format_amount
from flockchain.sdk.hex import from_hex, to_hex
from runtime.economy.parameters import ArenaParameters
from runtime.pallets.delegation import Delegation, OperatorKey
from runtime.pallets.tasks import Tasks
from runtime.primitives.scale import codec_of
from runtime.primitives.types import FML, U16, U32, AccountId, Hash
from runtime.yields import TaskYields
from runtime.yields_api import DAYS_MAX

TOP: Final = 20
_SHOWN_DECIMALS: Final = 6
_PERCENT_PARTS: Final = 100  # a rate is shown in hundredths of a percent
_COLUMNS: Final = (
    *("task", "operator", "role", "share"),
    *("a day", "paid", "expected", "a year", "rate", "warnings"),
)
_QUESTION: Final = codec_of(tuple[U32, U16])
_ANSWER: Final = codec_of(TaskYields | None)


def suggest_operators(
    rpc: RpcFlag = DEFAULT_RPC,
    task: Annotated[
        int | None, typer.Option(min=0, max=2**32 - 1, help="One task; by default all that live.")
    ] = None,
    amount: Annotated[str, typer.Option(help='As "100 FML" or "1000 planck".')] = "100 FML",
    days: Annotated[
        int, typer.Option(min=1, max=DAYS_MAX, help="Settled days to look back at.")
    ] = DAYS_MAX,
    account: Annotated[
        str | None,
        typer.Option(
            "--key",
            "--account",
            help="Who would delegate, as SS58 address, 0x key or //Name: those that its own roles "
            "forbid are left out. No secret is needed.",
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many to show.")] = TOP,
    as_json: JsonFlag = False,
) -> None:
    """Rank the operators that one may back by what the amount would earn behind each."""
    planck = parse_planck(amount)
    who = None if account is None else read_account(account)
    with open_client(rpc) as client:
        least = client.client.constants(Delegation).delegation_min
        if planck < least:
            refuse(f"{amount} is too little: the least delegation is {format_amount(least)}")
        block = client.run(client.client.at_best()).block
        outlooks = _outlooks(client, block, task, days)
        delegator = None if who is None else _delegator(client, block, who, outlooks)
    if task is not None and not outlooks:
        refuse(f"there is no live task {task}; `flockchain task list` shows those that live")
    ranking = suggest(outlooks, planck, delegator)
    shown = ranking.suggestions[:top]
    if as_json:
        print_json(_document(block, planck, days, ranking, shown))
    else:
        _print(ranking, shown, planck)


# -- the questions


def _outlooks(
    client: BlockingClient, block: Hash, task: int | None, days: int
) -> list[TaskOutlook]:
    numbers = client.query(Tasks.live, at=block) if task is None else [task]
    rules = _rules_of_tomorrow(client, block)
    outlooks = []
    for number in numbers:
        yields = _yields(client, block, number, days)
        record = client.find(Tasks.tasks, number, at=block)
        if yields is not None and record is not None:
            outlooks.append(TaskOutlook(yields, record, rules))
    return outlooks


def _yields(client: BlockingClient, block: Hash, task: int, days: int) -> TaskYields | None:
    data = to_hex(_QUESTION.encode((task, days)))
    question = client.client.rpc("state_call", ["YieldApi_task_yields", data, to_hex(block)])
    raw: Any = client.run(question)
    answer: TaskYields | None = _ANSWER.decode_all(from_hex(raw))
    return answer


def _rules_of_tomorrow(client: BlockingClient, block: Hash) -> ArenaParameters:
    scheduled = client.find(Tasks.scheduled_parameters, at=block)
    if scheduled is None:
        return client.query(Tasks.parameters, at=block)
    return scheduled.parameters  # a change acts from the day after it was made


def _delegator(
    client: BlockingClient, block: Hash, who: AccountId, outlooks: list[TaskOutlook]
) -> Delegator:
    roles, backed = {}, []
    for outlook in outlooks:
        number = outlook.yields.task
        own = client.find(Delegation.operators, (number, who), at=block)
        if own is not None:
            roles[number] = own.role
        for row in outlook.yields.operators:
            place = (OperatorKey(number, row.operator), who)
            if row.slots_left:
                continue
            if client.find(Delegation.delegations, place, at=block) is not None:
                backed.append((number, row.operator))
    return Delegator(who, roles, frozenset(backed))


# -- the answer


def _document(
    block: Hash, amount: int, days: int, ranking: Ranking, shown: tuple[Suggestion, ...]
) -> dict[str, object]:
    return {
        "block": to_hex(block),
        "amount": str(amount),
        "days": days,
        "suggestions": [
            {
                "task": each.task,
                "operator": address(each.row.operator),
                "role": each.row.role.name.lower(),
                "share_ratio": str(each.ratio),
                "own": str(each.row.own),
                "delegated": str(each.row.delegated),
                "slots_left": each.row.slots_left,
                "days_of_history": each.row.days,
                "days_left": each.days_left,
                "daily_paid": str(each.paid),
                "daily_expected": str(each.expected),
                "daily": str(each.daily),
                "yearly": str(each.yearly),
                "yearly_percent": _percent(each, amount),
                "warnings": list(each.warnings),
            }
            for each in shown
        ],
        "candidates": len(ranking.suggestions),
        "left_out": ranking.left_out,
        "assumptions": list(ASSUMPTIONS),
    }


def _print(ranking: Ranking, shown: tuple[Suggestion, ...], amount: int) -> None:
    if shown:
        print_table(
            f"What {format_amount(amount)} would earn",
            _COLUMNS,
            [
                (
                    each.task,
                    address(each.row.operator),
                    each.row.role.name.lower(),
                    each.ratio,
                    _short(each.daily),
                    _short(each.paid),
                    _short(each.expected),
                    _short(each.yearly),
                    f"{_percent(each, amount)} %",
                    "; ".join(each.warnings),
                )
                for each in shown
            ],
        )
    else:
        print("no operator can be backed")
    more = len(ranking.suggestions) - len(shown)
    if more:
        print(f"{more} more: see them with --top")
    for reason, count in sorted(ranking.left_out.items()):
        print(f"left out: {count} that {reason}")
    print("Assumed:")
    for line in ASSUMPTIONS:
        print(f"- {line}")


def _short(planck: int) -> str:
    """FML to six decimals, floored; the JSON document has every planck."""
    part = planck % FML // 10 ** (18 - _SHOWN_DECIMALS)
    return f"{planck // FML:,}.{part:0{_SHOWN_DECIMALS}d}"


def _percent(each: Suggestion, amount: int) -> str:
    """A year's earning as a part of the amount, floored to hundredths of a percent."""
    hundredths = each.yearly * 100 * _PERCENT_PARTS // amount
    return f"{hundredths // _PERCENT_PARTS}.{hundredths % _PERCENT_PARTS:02d}"
