"""`flockchain simulate soak`: one long run of a network, whose memory is to stay flat.

Exit status: 0 every goal is met, 1 one is missed, 2 wrong usage.
Source: reliability goals (long runs with flat memory); interfaces (one JSON line a step).
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from flockchain.cli.refusal import refuse
from flockchain.collector import quiet_collector
from flockchain.simulation.network.plan import PlanError
from flockchain.simulation.network.soak import (
    HOUR_SLOTS,
    LASTING_FAULTS,
    Sample,
    play_soak,
    soak_plan,
)
from flockchain.simulation.network.soak_figures import SAMPLES_MIN, soak_figures
from flockchain.simulation.quiet import quiet
from flockchain.storage.errors import StorageError
from flockchain.telemetry import escape


def simulate_soak(
    seed: Annotated[int, typer.Option(help="Decides faults, links, delays and payments.")] = 0,
    nodes: Annotated[int, typer.Option(min=1, help="Authorities of equal stake.")] = 7,
    slots: Annotated[int, typer.Option(min=8, help="Length.")] = 12 * HOUR_SLOTS,
    sample_every: Annotated[
        int, typer.Option(min=1, help="Slots between two samples.")
    ] = HOUR_SLOTS,
    without_faults: Annotated[bool, typer.Option(help="All is well all the time.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The default; for scripts.")] = False,
) -> None:
    """Play a network for long: memory is to stay flat, and disks are to grow in a line.

    Prints a JSON line a sample, and one with the figures and each goal, met or missed.
    """
    if slots // sample_every < SAMPLES_MIN:
        raise typer.BadParameter(
            f"{slots} slots give {slots // sample_every} samples, not {SAMPLES_MIN}"
        )
    try:
        plan = soak_plan(seed, nodes, slots, () if without_faults else LASTING_FAULTS)
        with quiet(), quiet_collector(), tempfile.TemporaryDirectory(prefix="flockchain-") as name:
            figures = soak_figures(play_soak(plan, Path(name), sample_every, _tell))
    except PlanError as error:
        raise typer.BadParameter(escape(str(error))) from None
    except (StorageError, OSError) as error:
        refuse(error)
    print(json.dumps(figures.as_document()), flush=True)
    if not all(figures.goals().values()):
        raise typer.Exit(1)


def _tell(sample: Sample) -> None:
    line = {
        "slot": sample.slot,
        "final": sample.final,
        "node_bytes": sample.node_bytes,
        "shared_bytes": sample.shared.size_bytes,
        "disk_keys": sample.disk_keys,
        "disk_bytes": sample.disk_bytes,
        "process_bytes": sample.process_bytes,
    }
    print(json.dumps(line), flush=True)
