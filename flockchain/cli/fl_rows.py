"""`flockchain fl rows`: private rows in the form that participants train on.

Nothing is sent anywhere: a file is read, a file is written, readable by its owner only.

Source: WP VI.B (private training data of participants).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flockchain.cli.chain_access import JsonFlag, print_facts
from flockchain.cli.refusal import refuse, why
from flockchain.workers.blob_folder import write_atomically


def write_rows(
    out: Annotated[Path, typer.Argument(help="The file to write.")],
    table: Annotated[
        Path | None,
        typer.Option(help="Comma-separated numbers, the class as a whole number last."),
    ] = None,
    digits: Annotated[
        bool, typer.Option("--digits", help="The handwritten digits that ship with the program.")
    ] = False,
    part: Annotated[str, typer.Option(help="Only the k-th of n disjoint parts, as 1/7.")] = "1/1",
    as_json: JsonFlag = False,
) -> None:
    """Write the rows that `flockchain worker fl-client --data` trains on."""
    from ml.datasets.table import TableError, read_table  # with torch
    from ml.round_work import rows_of, split_into_shards
    from ml.tasks.digits import create_digits_task

    if (table is None) is not digits:
        raise typer.BadParameter("give --table or --digits")
    which, count = _part(part)
    try:
        data = create_digits_task().train if table is None else read_table(_read(table)).to_bytes()
    except TableError as error:
        refuse(f"{table}: {error}")
    shard = split_into_shards(data, count)[which - 1]
    try:
        write_atomically(out, shard)
    except OSError as error:
        refuse(f"cannot write {out}: {error.strerror}")
    print_facts({"file": str(out), "rows": rows_of(shard)}, as_json=as_json)


def _part(text: str) -> tuple[int, int]:
    """(k, n) of "k/n"."""
    try:
        which, count = map(int, text.split("/"))
    except ValueError:
        which, count = 0, 0
    if not 1 <= which <= count <= 4_096:
        raise typer.BadParameter(f"{text!r} is no part such as 1/7", param_hint="--part")
    return which, count


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"cannot read {path}: {why(error)}")
