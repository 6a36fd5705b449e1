"""`flockchain simulate network`: whole nodes under faults and liars, one JSON line a seed.

Exit status: 0 nothing was violated, 1 something was, 2 wrong usage.
Source: interfaces (the line's shape); reliability 2.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from flockchain.cli.refusal import refuse
from flockchain.collector import quiet_collector
from flockchain.simulation.network.behaviours.catalogue import BEHAVIOURS, find_behaviour
from flockchain.simulation.network.plan import CALM_SLOTS, FAULTS, Plan, PlanError, draw_plan
from flockchain.simulation.network.shrink import shrink
from flockchain.simulation.network.world import Outcome, play
from flockchain.simulation.quiet import SELDOM, quiet
from flockchain.telemetry import escape


def simulate_network(
    seed: Annotated[int, typer.Option(help="Decides faults, links, delays and payments.")] = 0,
    seeds: Annotated[str, typer.Option(help="Several seeds: A..B, both included.")] = "",
    nodes: Annotated[int, typer.Option(min=1, help="Authorities of equal stake.")] = 7,
    byzantine: Annotated[int, typer.Option(min=0, help="How many of them are liars.")] = 0,
    faults: Annotated[
        str, typer.Option(help=f"all, none, or of {', '.join(FAULTS)} with commas.")
    ] = "all",
    slots: Annotated[
        int,
        typer.Option(min=2, help=f"Length; the last {CALM_SLOTS}, or half, are without faults."),
    ] = 120,
    behaviour: Annotated[
        list[str] | None,
        typer.Option(help="What liars do, one after the other: a name, FILE.py or module:Class."),
    ] = None,
    upgrade_after: Annotated[
        int, typer.Option(min=0, help="Let a newer release go on after this block; 0: none.")
    ] = 0,
    plan: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Play a plan from a file.")
    ] = None,
    shrink_to: Annotated[
        Path | None,
        typer.Option("--shrink", help="Write the first failing plan here, as small as it gets."),
    ] = None,
    is_listing: Annotated[bool, typer.Option("--list", help="Print behaviours and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The default; for scripts.")] = False,
) -> None:
    """Play seeds of a network with faults and liars, and check it at every step.

    Prints one JSON line a seed. The same seed gives the same trace, in any process.
    """
    if is_listing:
        for name, kind in BEHAVIOURS.items():
            print(f"{name:24} {(kind.__doc__ or '').strip().splitlines()[0]}")
        return
    is_good, chosen = True, behaviour or []
    try:
        with quiet(), quiet_collector(SELDOM):
            for drawn in _plans(plan, seed, seeds, nodes, slots, faults, byzantine, chosen):
                if upgrade_after:
                    drawn = replace(drawn, upgrade_after=upgrade_after)
                outcome = play(drawn)
                print(json.dumps(outcome.as_document()), flush=True)
                if is_good and not outcome.is_good:
                    is_good = False
                    _explain(outcome, shrink_to)
    except PlanError as error:
        raise typer.BadParameter(escape(str(error))) from None
    except OSError as error:
        refuse(error)
    if not is_good:
        raise typer.Exit(1)


def _plans(
    path: Path | None,
    seed: int,
    seeds: str,
    nodes: int,
    slots: int,
    faults: str,
    byzantine: int,
    behaviours: list[str],
) -> Iterator[Plan]:
    if path is not None:
        yield _read_plan(path)
        return
    for number in _range_of(seeds) if seeds else (seed,):
        names = _liars(number, max(byzantine, len(behaviours)), behaviours)
        yield draw_plan(number, nodes, slots, names, _kinds(faults))


def _read_plan(path: Path) -> Plan:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PlanError(f"{path} holds no JSON: {error}") from error
    return Plan.of_document(document)


def _range_of(seeds: str) -> range:
    first, dots, last = seeds.partition("..")
    if not dots or not first.isdigit() or not last.isdigit():
        raise PlanError(f"--seeds is A..B with numbers, not {seeds!r}")
    numbers = range(int(first), int(last) + 1)
    if not numbers:
        raise PlanError(f"--seeds {seeds} is empty: the smaller one comes first")
    return numbers


def _kinds(faults: str) -> tuple[str, ...]:
    if faults in ("all", "none"):
        return FAULTS if faults == "all" else ()
    kinds = tuple(faults.split(","))
    for kind in kinds:
        if kind not in FAULTS:
            raise PlanError(f"no fault {kind!r}: {', '.join(FAULTS)}")
    return kinds


def _liars(seed: int, count: int, behaviours: list[str]) -> list[str]:
    """What each liar does: as asked for, in turn, else drawn."""
    for name in behaviours:
        find_behaviour(name)
    if behaviours:
        return [behaviours[place % len(behaviours)] for place in range(count)]
    return Random(f"liars {seed}").choices(list(BEHAVIOURS), k=count)


def _explain(outcome: Outcome, path: Path | None) -> None:
    """How to see it again, and the smallest plan that fails alike."""
    if path is None:
        return
    smallest = shrink(outcome.plan, lambda plan: play(plan).fails_like(outcome))
    path.write_text(json.dumps(smallest.as_document(), indent=2) + "\n")
    typer.echo(f"see it again: flockchain simulate network --plan {path}", err=True)
