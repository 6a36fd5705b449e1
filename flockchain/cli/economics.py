"""`flockchain economics`: what the chain would pay, and why it paid what it paid.

Owns the command group's output: one JSON document with `--json`, tables else. Exit status: 0 done,
1 refused or an expectation failed, 2 wrong usage.
Source: WP V.I, Table II.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from flockchain.cli.attacks import show_attacks
from flockchain.cli.explain import explain_reward
from flockchain.cli.refusal import refuse
from flockchain.economics.evaluate import Case, check, evaluate
from flockchain.economics.fields import ScenarioError
from flockchain.economics.table2 import Ledger, Table2, compute_table2

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
FML_DIGITS: Final = 18
PIPED_COLUMNS: Final = 200

app = typer.Typer(help="Ask what the chain would pay, and why it paid.", no_args_is_help=True)
app.command("explain")(explain_reward)
app.command("attacks")(show_attacks)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("evaluate")
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
    as_json: JsonFlag = False,
) -> None:
    """Run the real pallets on a scenario in memory and print the exact payouts.

    Kinds: emission, task_split, arena_day, rate_limit. Amounts are base units (10^-18 FML).
    A list is checked against what each entry expects.
    """
    document = _read(file)
    if isinstance(document, list):
        _report([check(entry, at, settings or []) for at, entry in enumerate(document)], as_json)
    if isinstance(document, dict) and "scenario" in document:
        document = document["scenario"]
    try:
        answer = evaluate(document, settings or [])
    except ScenarioError as error:
        refuse(str(error))
    if as_json:
        print(json.dumps(answer, indent=2))
    else:
        _print_answer(answer)


@app.command()
def table2(
    reversed_: Annotated[
        bool, typer.Option("--reversed", help="Reverse the nodes' ranks on the last day.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Print the whitepaper's Table II: as printed there, and as the pallets pay it."""
    table = compute_table2(is_reversed=reversed_)
    if as_json:
        print(json.dumps(table.as_document(), indent=2))
    else:
        _print_table2(table)


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
        _console().print(table)
        print(f"{len(cases) - failed} passed, {failed} failed")
    raise typer.Exit(1 if failed else 0)


def _print_answer(answer: Mapping[str, object]) -> None:
    for key, value in answer.items():
        if isinstance(value, Mapping):
            table = Table(key, "", "")
            for name, amount in value.items():
                is_amount = isinstance(amount, str) and amount.isdigit()
                table.add_row(str(name), str(amount), _in_fml(str(amount)) if is_amount else "")
            table.columns[1].justify = table.columns[2].justify = "right"
            _console().print(table)
        else:
            print(f"{key}: {', '.join(value) if isinstance(value, list) else value}")


def _print_table2(table: Table2) -> None:
    for ledger in (table.paper, table.exact):
        _console().print(_draw_ledger(ledger))
        totals = ledger.totals_by_participant().items()
        print(
            "in all: " + ", ".join(f"{name} {_in_fml(str(each))}" for name, each in totals) + "\n"
        )
    print("δ = 0.1, q = 0.85 and the 50/50 split are FLock's published values, as is this example.")


def _draw_ledger(ledger: Ledger) -> Table:
    drawn = Table(title=ledger.title)
    drawn.add_column("FML")
    for name in ledger.columns:
        drawn.add_column(name, justify="right")
    for label, amounts in ledger.rows:
        drawn.add_row(label, *(_in_fml(str(amount)) for amount in amounts))
    drawn.add_section()
    drawn.add_row("total", *(_in_fml(str(amount)) for amount in ledger.totals()))
    return drawn


def _in_fml(amount: str) -> str:
    """FML to six decimals, half up; the exact amount is in the base units beside it."""
    micro = (int(amount) + 10 ** (FML_DIGITS - 7) * 5) // 10 ** (FML_DIGITS - 6)
    return f"{micro // 10**6:,}.{micro % 10**6:06d}"


def _console() -> Console:
    """Names in files are no markup. Piped, a table keeps its width and is not cut to 80 columns."""
    width = None if sys.stdout.isatty() else PIPED_COLUMNS
    return Console(width=width, markup=False, emoji=False, highlight=False)
