"""`flockchain economics`: what the chain would pay, and why it paid what it paid.

Owns the command group's output: one JSON document with `--json`, tables else. Exit status: 0 done,
1 refused or an expectation failed, 2 wrong usage.
Source: WP V.I, Table II.
"""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table

from flockchain.cli.attacks import show_attacks
from flockchain.cli.evaluate import evaluate_file, in_fml, make_console
from flockchain.cli.explain import explain_reward
from flockchain.economics.table2 import Ledger, Table2, compute_table2

app = typer.Typer(help="Ask what the chain would pay, and why it paid.", no_args_is_help=True)
app.command("evaluate")(evaluate_file)
app.command("explain")(explain_reward)
app.command("attacks")(show_attacks)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


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


def _print_table2(table: Table2) -> None:
    for ledger in (table.paper, table.exact):
        make_console().print(_draw_ledger(ledger))
        totals = ledger.totals_by_participant().items()
        print("in all: " + ", ".join(f"{name} {in_fml(str(each))}" for name, each in totals) + "\n")
    print("δ = 0.1, q = 0.85 and the 50/50 split are FLock's published values, as is this example.")


def _draw_ledger(ledger: Ledger) -> Table:
    drawn = Table(title=ledger.title)
    drawn.add_column("FML")
    for name in ledger.columns:
        drawn.add_column(name, justify="right")
    for label, amounts in ledger.rows:
        drawn.add_row(label, *(in_fml(str(amount)) for amount in amounts))
    drawn.add_section()
    drawn.add_row("total", *(in_fml(str(amount)) for amount in ledger.totals()))
    return drawn
