"""`flockchain economics attacks`: what attacks earn, played by the real pallets.

Exit status: 0 every claim of the specification holds, 1 one does not or nothing could be written.
Source: WP Table I (attacks and their mitigation).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from flockchain.cli.refusal import refuse
from flockchain.economics.attacks.document import write_page
from flockchain.economics.attacks.findings import Finding, show_fml
from flockchain.economics.attacks.table import study_attacks

COLUMNS = 120


def show_attacks(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    write: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write this page, and plots to images/ beside it."),
    ] = None,
    thin: Annotated[
        bool, typer.Option("--thin", help="Fewer points and shorter tasks: a few seconds.")
    ] = False,
) -> None:
    """Print what each attack of Table I gains at the shipped parameters. Takes half a minute."""
    findings = study_attacks(is_thin=thin)
    if write is not None:
        try:
            write_page(findings, write)
        except OSError as error:
            refuse(f"{write} cannot be written: {error}")
    if as_json:
        print(json.dumps([finding.as_document() for finding in findings], indent=2))
    else:
        for finding in findings:
            _print_finding(finding)
    if any(finding.failures() for finding in findings):
        raise typer.Exit(1)


def _print_finding(finding: Finding) -> None:
    table = Table(title=f"{finding.code}: {finding.title}")
    table.add_column("case")
    for name in ("honest, FML", "attack, FML", "gain, FML"):
        table.add_column(name, justify="right")
    table.add_column("claim")
    for row in finding.rows:
        amounts = map(show_fml, (row.honest, row.attack, row.gain))
        table.add_row(row.case, *amounts, row.claim)
    console = Console(width=COLUMNS, markup=False, emoji=False, highlight=False)
    console.print(table)
    for name, holds in finding.checks.items():
        print(f"{'holds' if holds else 'FAILS'}: {name}")
    for name, holds in finding.measured.items():
        print(f"{'met' if holds else 'not met'}: {name}")
    print()
