"""`flockchain simulate fl`, and what else plays learning under attack on the chain's own pallet.

Exit status: 0 done, 1 refused, 2 wrong usage.
Source: WP VI, Fig. 6; interfaces (the shape of `--json`).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from flockchain.cli.refusal import refuse
from flockchain.simulation.fl.attack_table import render_rounds, study_rounds
from flockchain.simulation.fl.experiment import CELLS_FILE, Plan, read_cells, run_experiment
from flockchain.simulation.fl.page import write_page
from flockchain.simulation.fl.play import simulate
from flockchain.simulation.fl.report import SimulationReport
from flockchain.simulation.fl.settings import DEFENCES, FlSettings, SettingsError
from ml.attacks.catalogue import ATTACKS, AttackError
from ml.datasets.shards import ShardError
from ml.devices import DeviceError, limit_threads

app = typer.Typer()

ROWS_SHOWN = 10


@app.command("fl")
def simulate_fl(
    clients: Annotated[int, typer.Option(help="Participants.")] = 50,
    malicious: Annotated[float, typer.Option(help="Which part of them attacks.")] = 0.4,
    attack: Annotated[str, typer.Option(help=f"One of {', '.join(ATTACKS)}.")] = "sign-flip",
    rounds: Annotated[int, typer.Option(help="Rounds of the task.")] = 100,
    seed: Annotated[int, typer.Option(help="Decides data, roles and who is malicious.")] = 0,
    defence: Annotated[str, typer.Option(help=f"One of {', '.join(DEFENCES)}.")] = "flock",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Train a model together with malicious participants, on handwritten digits.

    Roles, votes, stakes and expulsions are the chain's; `--defence none` is plain averaging.
    """
    limit_threads()
    try:
        report = simulate(
            FlSettings(
                clients=clients,
                malicious=malicious,
                attack=attack,
                rounds=rounds,
                seed=seed,
                defence=defence,
                device=device,
            )
        )
    except (SettingsError, AttackError, ShardError, DeviceError) as error:
        refuse(error)
    if as_json:
        print(json.dumps(report.as_document()))
    else:
        _show(report)


def _show(report: SimulationReport) -> None:
    settings = report.settings
    title = f"{settings.malicious_clients} of {settings.clients} clients: {settings.attack}; "
    table = Table(title=f"{title}defence {settings.defence}, seed {settings.seed}")
    columns = ("round", "accuracy", "outcome", "honest, FML", "malicious, FML", "expelled")
    for name in columns:
        table.add_column(name, justify="right")
    every = max(1, len(report.rounds) // ROWS_SHOWN)
    for played in report.rounds[every - 1 :: every]:
        balances = (played.honest_balance_mean, played.malicious_balance_mean)
        table.add_row(
            str(played.round),
            f"{played.accuracy:.1%}",
            played.outcome,
            *("" if balance is None else f"{balance:.2f}" for balance in balances),
            f"{played.expelled_honest} honest, {played.expelled_malicious} malicious",
        )
    Console().print(table)
    if report.backdoor_success is not None:
        print(f"the trigger turns {report.backdoor_success:.1%} of other classes' images")


@app.command()
def poisoning(
    out: Annotated[Path, typer.Option(file_okay=False, help="Where finished simulations lie.")],
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of what goals are about.")] = 20,
    others: Annotated[int, typer.Option(min=1, help="Seeds of each other simulation.")] = 5,
    first: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of each.")] = 100,
    processes: Annotated[int, typer.Option(min=1, help="At a time.")] = os.cpu_count() or 1,
) -> None:
    """Play the poisoning experiment: accuracies and balances by attack, defence and share.

    What is in the folder is not played again, so that it can be ended and go on at any time.
    """

    def watch(done: int, of: int) -> None:
        if done % 50 == 0 or done == of:
            print(f"{done} of {of} simulations", flush=True)

    try:
        run_experiment(Plan(seeds, first, rounds=rounds, others=others), out, processes, watch)
    except OSError as error:
        refuse(f"{out} cannot be written: {error}")


@app.command("poisoning-page")
def poisoning_page(
    folder: Annotated[
        Path, typer.Option("--from", exists=True, file_okay=False, help="Finished simulations.")
    ],
    write: Annotated[Path, typer.Option(dir_okay=False, help="The page; plots go to images/.")],
    earlier: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="An earlier page's JSON: what was not played again is taken from it, and marked.",
        ),
    ] = None,
) -> None:
    """Write the page about poisoning, its figures and plots; nothing is trained again."""
    try:
        cells = read_cells(folder / CELLS_FILE)
        if not cells:
            refuse(f"{folder} has no finished simulations")
        kept = [] if earlier is None else _read_earlier(earlier)
        for file in write_page(cells, list(render_rounds(study_rounds())), write, kept):
            print(file)
    except OSError as error:
        refuse(f"{write} cannot be written: {error}")


def _read_earlier(path: Path) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        refuse(f"{path} holds no JSON: {error}")
    return rows


@app.command("fl-attacks")
def fl_attacks(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Print what attacks on a round's rules earn. Exit status 1 if a claim does not hold."""
    table = study_rounds()
    if as_json:
        rows = [
            {
                "code": code,
                "case": row.case,
                "honest": str(row.honest),
                "attack": str(row.attack),
                "gain": str(row.gain),
                "claim": row.claim,
            }
            for code, row in zip(table.codes, table.rows, strict=True)
        ]
        print(json.dumps({"rows": rows, "checks": table.checks}, indent=2))
    else:
        print("\n".join(render_rounds(table)))
    if table.failures():
        raise typer.Exit(1)
