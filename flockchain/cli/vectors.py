"""`flockchain vectors`: check this installation's cryptography and formats against files.

Exit status: 0 all cases hold, 1 a case failed or a file could not be run, 2 wrong usage.
Source: RFC 8032, RFC 9381; docs/vectors.md (the formats).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flockchain.cli.refusal import refuse
from flockchain.telemetry import escape
from flockchain.vectors import run_directory
from flockchain.vectors.case import VectorError

app = typer.Typer(
    help="Check the cryptography against vector files.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


@app.callback()
def _group() -> None:
    pass


@app.command()
def run(
    directory: Annotated[
        Path,
        typer.Argument(exists=True, file_okay=False, help="Its *.json files, also in folders."),
    ],
) -> None:
    """Run vector files; a line for each case that fails, then the count."""
    try:
        report = run_directory(directory)
    except VectorError as error:
        refuse(error)
    for line in report.failures:
        print(escape(line))
    print(f"{report.cases} cases, {len(report.failures)} failures")
    if report.failures:
        raise typer.Exit(1)
