"""`flockchain bench`: figures with their unit and the machine they were measured on.

Source: performance targets; interfaces (the shape of `--json`).
"""

from __future__ import annotations

import json
import os
import platform
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from flockchain.bench.arena import bench_arena
from flockchain.bench.arena_day import Size
from flockchain.bench.consensus import bench_consensus
from flockchain.bench.state import bench_state
from flockchain.bench.sync import bench_sync
from flockchain.bench.timing import calibration
from flockchain.bench.transfers import bench_codec, bench_import, bench_validation
from flockchain.bench.vrf import bench_vrf
from flockchain.cli.bench_soak import show_soak

app = typer.Typer(no_args_is_help=True, help="Measure this machine.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Blocks = Annotated[int, typer.Option(min=1, help="Blocks to import.")]
Transfers = Annotated[int, typer.Option(min=1, max=5_000, help="Transfers in each block.")]
Accounts = Annotated[int, typer.Option(min=2, help="Accounts in the state.")]


def _show(rows: list[dict[str, Any]], as_json: bool) -> None:
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, CPython "
    machine += platform.python_version()
    unit = round(calibration(), 1)
    if as_json:
        print(json.dumps({"machine": machine, "us_per_ed25519_check": unit, "rows": rows}))
        return
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(title=f"{machine}; one ed25519 check takes {unit} µs")
    for name in columns:
        table.add_column(name, justify="left" if name == "name" else "right")
    for row in rows:
        table.add_row(*(str(row.get(name, "")) for name in columns))
    Console().print(table)


@app.command()
def transfers(
    blocks: Blocks = 5,
    transfers: Transfers = 1_500,
    accounts: Accounts = 10_000,
    as_json: Json = False,
) -> None:
    """Strict transfers a second through signature, dispatch, trie and a synced LevelDB batch."""
    _show([*bench_import(blocks, transfers, accounts), *bench_codec()], as_json)


@app.command("import")
def import_(
    blocks: Blocks = 5,
    transfers: Transfers = 1_500,
    accounts: Accounts = 100_000,
    as_json: Json = False,
) -> None:
    """The same over a larger state."""
    _show(bench_import(blocks, transfers, accounts), as_json)


@app.command()
def pool(transfers: Transfers = 1_500, accounts: Accounts = 10_000, as_json: Json = False) -> None:
    """What the pool's check of an extrinsic takes."""
    _show(bench_validation(transfers, accounts), as_json)


@app.command()
def state(keys: Accounts = 100_000, as_json: Json = False) -> None:
    """CPU time of the state trie for each changed key and each read."""
    _show(bench_state(keys), as_json)


@app.command()
def arena(
    nodes: Annotated[int, typer.Option(min=1, max=1_000, help="Training nodes.")] = 1_000,
    validators: Annotated[int, typer.Option(min=1, max=200, help="Task validators.")] = 200,
    delegators: Annotated[int, typer.Option(min=0, max=64_000, help="Delegators.")] = 10_000,
    as_json: Json = False,
) -> None:
    """A day's draw and settlement of one task, in total and the worst block, state root included.

    The chain's targets are 2 s and 200 ms at 1,000 nodes, 200 validators and 10,000 delegators.
    """
    _show(bench_arena(Size(nodes, validators, delegators)), as_json)


@app.command()
def consensus(
    authorities: Annotated[int, typer.Option(min=1, max=64, help="Nodes, all with a vote.")] = 4,
    slots: Annotated[int, typer.Option(min=1, max=10_000, help="Slots to play.")] = 60,
    as_json: Json = False,
) -> None:
    """What a node's CPU does for a block: authoring, checking, voting, gossip in one thread."""
    _show(bench_consensus(authorities, slots), as_json)


@app.command()
def sync(
    blocks: Annotated[int, typer.Option(min=40, help="Blocks of the chain.")] = 10_000,
    changes: Annotated[int, typer.Option(min=0, max=200, help="Changes of voters.")] = 20,
    transfers: Annotated[
        int, typer.Option(min=0, max=100_000, help="Transfers of another chain; 0: none is made.")
    ] = 5_000,
    as_json: Json = False,
) -> None:
    """A fresh node over a chain of empty blocks: executing it, and warping to its end. Then over
    blocks of 400 transfers. In CPU time.

    The chain's targets are 500 empty blocks and 1,500 transfers a second on one core, and a warp
    20 times faster.
    """
    _show(bench_sync(blocks, changes, transfers), as_json)


@app.command()
def vrf(as_json: Json = False) -> None:
    """What claiming a slot and checking a claim take."""
    _show(bench_vrf(), as_json)


@app.command()
def fl(
    clients: Annotated[int, typer.Option(min=5, max=250, help="Participants.")] = 50,
    rounds: Annotated[int, typer.Option(min=1, max=1_000, help="Rounds to play.")] = 10,
    as_json: Json = False,
) -> None:
    """Federated rounds on the chain's pallet with real training, and integer aggregation."""
    from flockchain.simulation.fl.bench import bench_fl  # torch takes seconds to import
    from ml.devices import limit_threads

    limit_threads()
    _show(bench_fl(clients, rounds), as_json)


@app.command()
def zk(
    parameters: Annotated[int, typer.Option(min=1, max=20_000_000, help="Of a model.")] = 1_000_000,
    clients: Annotated[int, typer.Option(min=1, max=64, help="Clients of the round.")] = 10,
    processes: Annotated[int, typer.Option(min=1, max=64, help="That commit together.")] = 1,
    table: Annotated[
        bool,
        typer.Option(help="All of 100k, 1M, 10M parameters with 5, 10, 32 clients: minutes."),
    ] = False,
    masked: Annotated[
        bool, typer.Option(help="What masks take beyond: sharing, masking, recovery.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Verifiable aggregation: a client's commitments, the proof, the chain's checks.

    `recheck_s` is what a recipient of the sum takes to compare it with the chain. One client
    commits and is measured; the others' points follow from its own, with blinders of their own. CPU
    time is of this process, so with `--processes` not that of who commits. `verify_none_kept_ms` is
    the proof's check by a node that has just started.
    """
    from ml.devices import limit_threads
    from ml.zk.bench import CLIENTS, PARAMETERS, bench_zk  # torch takes seconds to import
    from ml.zk.masked_bench import bench_masked

    limit_threads()
    sizes = PARAMETERS if table else (parameters,)
    counts = CLIENTS if table else (clients,)
    rows = bench_masked(sizes, counts) if masked else bench_zk(sizes, counts, processes)
    _show(rows, as_json)


@app.command()
def soak(
    nodes: Annotated[int, typer.Option(min=1, max=6, help="Nodes, all with a vote.")] = 4,
    rate: Annotated[int, typer.Option(min=1, max=2_000, help="Transfers a second.")] = 200,
    seconds: Annotated[int, typer.Option(min=10, max=86_400, help="How long.")] = 600,
    as_json: Json = False,
) -> None:
    """Nodes as processes under load: slots authored, finality, memory. Status 1: a goal is missed.

    Slots take 1 s. Accounts send to all nodes over RPC; each node checks every transfer.
    """
    show_soak(nodes, rate, seconds, as_json=as_json)
