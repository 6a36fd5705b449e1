"""`flockchain economics evaluate`: what a scenario would pay, alone or from a live chain's state.

Owns the reading of scenario files and the drawing of answers: one JSON document with `--json`,
tables else. Exit status: 0 done, 1 refused or an expectation failed, 2 wrong usage.
Source: WP IV.A, V.D to V.I.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from flockchain.cli.chain_access import open_client
from flockchain.cli.chain_copy import ChainCopy
from flockchain.cli.refusal import refuse
from flockchain.economics.evaluate import Case, LiveSource, check, evaluate
from flockchain.economics.fields import ScenarioError

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
FML_DIGITS: Final = 18
PIPED_COLUMNS: Final = 200
_PAIR: Final = ("with", "without", "difference")


def evaluate_file(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, help="A scenario, or a list of {name, scenario, expected}."
        ),
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Replace a field: lambda=20, nodes.0.own=5."
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Start from a chain: its rules by default, its state for live_day."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Run the real pallets on a scenario in memory and print the exact payouts.

    Kinds: emission, task_split, arena_day, rate_limit, fl, and with --at live_day. Amounts are
    base units (10^-18 FML). A list is checked against what each entry expects.
    """
    document = _read(file)
    with _source(at) as source:
        if isinstance(document, list):
            cases = [
                check(entry, index, settings or [], source) for index, entry in enumerate(document)
            ]
            _report(cases, as_json)
        if isinstance(document, dict) and "scenario" in document:
            document = document["scenario"]
        try:
            answer = evaluate(document, settings or [], source)
        except ScenarioError as error:
            refuse(str(error))
    if as_json:
        print(json.dumps(answer, indent=2))
    else:
        _print_answer(answer)


@contextmanager
def _source(at: str | None) -> Iterator[LiveSource | None]:
    """The chain to start from, if one is named."""
    if at is None:
        yield None
        return
    with open_client(at, flag="--at") as client, ChainCopy(client) as copy:
        yield copy


def _read(file: Path) -> object:
    if file.stat().st_size > FILE_BYTES_MAX:
        refuse(f"{file} is larger than {FILE_BYTES_MAX} bytes")
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        refuse(f"{file} is no JSON document: {error}")


def _report(cases: list[Case], as_json: bool) -> NoReturn:
    failed = sum(case.fault is not None for case in cases)
    if as_json:
        rows = [
            {"name": case.name, "passed": case.fault is None, "fault": case.fault}
            | {"answer": case.answer}
            for case in cases
        ]
        print(
            json.dumps({"passed": len(cases) - failed, "failed": failed, "cases": rows}, indent=2)
        )
    else:
        table = Table("scenario", "result")
        for case in cases:
            table.add_row(case.name, "pass" if case.fault is None else f"FAIL {case.fault}")
        make_console().print(table)
        print(f"{len(cases) - failed} passed, {failed} failed")
    raise typer.Exit(1 if failed else 0)


# -- answers


def _print_answer(answer: Mapping[str, object]) -> None:
    for key, value in answer.items():
        if key == "at" and isinstance(value, Mapping):
            checked = "proven by its state root" if value["proven"] else "as the node sent it"
            print(
                f"from the state after final block #{value['number']} {value['block']}, {checked}"
            )
        elif key == "days" and isinstance(value, Sequence):
            _print_days(value)
        elif key == "assumptions" and isinstance(value, Sequence):
            print("Assumed:")
            for line in value:
                print(f"- {line}")
        elif isinstance(value, Mapping):
            make_console().print(_draw_amounts(key, value))
        else:
            print(f"{key}: {', '.join(value) if isinstance(value, list) else value}")


def _draw_amounts(title: str, amounts: Mapping[str, object]) -> Table:
    """Amounts by name in base units and in FML; pairs with their difference in FML."""
    if any(isinstance(amount, Mapping) for amount in amounts.values()):
        table = Table(title, *_PAIR)
        for name, amount in amounts.items():
            assert isinstance(amount, Mapping), "an answer's amounts are of one form"
            table.add_row(name, *(in_fml(amount[column]) for column in _PAIR))
    else:
        table = Table(title, "", "")
        for name, amount in amounts.items():
            is_amount = isinstance(amount, str) and amount.isdigit()
            table.add_row(str(name), str(amount), in_fml(str(amount)) if is_amount else "")
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _print_days(days: Sequence[Mapping[str, Mapping[str, object]]]) -> None:
    table = Table("day", "", "reward", "vested", "ranking")
    for day in days:
        for side in ("with", "without"):
            ranking = day["ranking"][side]
            assert isinstance(ranking, list), "a ranking is a list of names"
            amounts = (in_fml(str(day[column][side])) for column in ("reward", "vested"))
            table.add_row(str(day["day"]), side, *amounts, ", ".join(ranking))
    make_console().print(table)


def in_fml(amount: str) -> str:
    """FML to six decimals, half up; the exact amount is in the base units beside it."""
    sign, digits = ("-", amount[1:]) if amount.startswith("-") else ("", amount)
    micro = (int(digits) + 10 ** (FML_DIGITS - 7) * 5) // 10 ** (FML_DIGITS - 6)
    return f"{sign}{micro // 10**6:,}.{micro % 10**6:06d}"


def make_console() -> Console:
    """Names in files are no markup. Piped, a table keeps its width and is not cut to 80 columns."""
    width = None if sys.stdout.isatty() else PIPED_COLUMNS
    return Console(width=width, markup=False, emoji=False, highlight=False)
