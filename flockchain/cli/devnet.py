"""`flockchain devnet`: several nodes from one genesis file, and the story that they tell.

Source: WP V.I (the example, on real data).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Final

import typer

from flockchain.cli.refusal import refuse
from flockchain.config import KEY_SHORTCUTS
from flockchain.story import Story
from genesis.errors import SpecError
from genesis.spec import load_chain_spec

NODES_MAX: Final = len(KEY_SHORTCUTS)  # each node has a development key of its own


def devnet(
    genesis: Annotated[
        str, typer.Option(help="A chain spec's file, or dev, local, devnet.")
    ] = "devnet",
    nodes: Annotated[int, typer.Option(min=1, max=NODES_MAX, help="How many nodes.")] = 4,
    base_path: Annotated[
        Path | None, typer.Option(help="Where their data lie; a fresh directory by default.")
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Tell the whole story on real data.")
    ] = False,
    masked: Annotated[
        bool,
        typer.Option("--masked", help="After the Arena's chapter tell of a masked sum alone."),
    ] = False,
    leave: Annotated[
        bool,
        typer.Option("--exit", help="End with the story; status 1 if a step of it failed."),
    ] = False,
) -> None:
    """Run several nodes on this machine."""
    if demo and masked:
        raise typer.BadParameter("it is another story than --demo", param_hint="--masked")
    if leave and not (demo or masked):
        raise typer.BadParameter("only a story ends: add --demo or --masked", param_hint="--exit")
    try:
        load_chain_spec(genesis).genesis_top()
    except SpecError as error:
        refuse(error)
    run_devnet: Callable[[str, int, Path | None, Story, bool], int] = import_module(
        "flockchain.devnet"
    ).run
    chain = str(Path(genesis).resolve()) if Path(genesis).is_file() else genesis
    story = Story.WHOLE if demo else Story.MASKED if masked else Story.NONE
    raise typer.Exit(run_devnet(chain, nodes, base_path, story, leave))
