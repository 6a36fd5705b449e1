"""`flockchain bench soak`: progress while it runs, a table, each goal met or missed.

Source: reliability goals for real processes; interfaces (the shape of `--json`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from flockchain.cli.refusal import refuse
from flockchain.sdk.errors import SdkError


def show_soak(nodes: int, rate: int, seconds: int, *, as_json: bool) -> None:
    """Run it and end the process: status 1 if a goal is missed."""
    soak = import_module("flockchain.bench.soak")  # the devnet's chapters import torch
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(f"signing {rate * seconds} transfers", total=seconds)

        def tell(at_s: float, sample: Any, load: Any) -> None:
            said = f"#{sample.best}, {sample.lag} not final, {load.sent} sent, pool {sample.ready}"
            progress.update(bar, completed=at_s, description=said)

        try:
            figures = soak.run_soak(soak.SoakPlan(nodes, rate, seconds), tell)
        except (soak.DevnetError, SdkError) as error:
            refuse(error)
    goals: dict[str, bool] = figures.goals()
    if as_json:
        typer.echo(json.dumps(figures.document()))
    else:
        _print(Console(), figures, goals)
    raise typer.Exit(0 if all(goals.values()) else 1)


def _print(console: Console, figures: Any, goals: dict[str, bool]) -> None:
    table = Table(
        title=f"{figures.sent} transfers in {figures.seconds} s to {len(figures.nodes)} nodes, "
        f"{figures.included} in {figures.blocks} blocks; a node took "
        f"{figures.cpu_ms_per_transfer} ms of a core for each, the sender "
        f"{figures.cpu_cores_sender} cores",
        caption="Memory in MiB; the slope is that of the last two thirds."
        + ("" if figures.is_memory_judged else " So short a run is not judged by it."),
    )
    table.add_column("")
    for node in figures.nodes:
        table.add_column(node.name, justify="right")
    for label, read in _ROWS.items():
        table.add_row(label, *(str(read(node)) for node in figures.nodes))
    console.print(table)
    for goal, is_met in goals.items():
        console.print(f"{'met   ' if is_met else 'MISSED'}  {goal}", highlight=False)
    for complaint in figures.complaints[:20]:
        console.print(f"        {complaint}", highlight=False)


_ROWS: Final[dict[str, Callable[[Any], object]]] = {
    "cores": lambda node: node.cpu_cores,
    "blocks authored": lambda node: node.blocks_authored,
    "not final: mean": lambda node: node.lag_mean,
    "not final: 99 %": lambda node: node.lag_p99,
    "not final: most": lambda node: node.lag_max,
    "memory: first third": lambda node: node.rss_first_third,
    "memory: middle third": lambda node: node.rss_middle_third,
    "memory: last third": lambda node: node.rss_last_third,
    "memory: slope an hour": lambda node: node.rss_slope_per_hour,
}
