"""`flockchain node`: options in, a NodeConfig, and the node runs until it is told to stop.

Source: Substrate `sc_cli::RunCmd`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import typer

from flockchain.cli.node_options import (
    GeneralOptions,
    KeysOptions,
    NetworkOptions,
    RpcOptions,
    WorkersOptions,
)
from flockchain.cli.option_groups import with_options
from flockchain.cli.refusal import refuse
from flockchain.config import KEY_SHORTCUTS, NodeConfig, load_config
from flockchain.settings import ConfigError


@with_options
def node(
    general: GeneralOptions,
    keys: KeysOptions,
    network: NetworkOptions,
    rpc: RpcOptions,
    workers: WorkersOptions,
) -> None:
    """Run a node until it is stopped.

    Every setting is also a variable (FLOCKCHAIN_RPC_PORT) and a key of the --config file
    (rpc_port); the command line beats the environment, which beats the file.
    """
    groups = (general, keys, network, rpc, workers)
    options = {each.name: getattr(group, each.name) for group in groups for each in fields(group)}
    run(_read_config(options))


def _read_config(options: dict[str, object]) -> NodeConfig:
    """The options as typer gives them, as NodeConfig; refuses what contradicts itself."""
    file = options.pop("config")
    shortcuts = [name for name in KEY_SHORTCUTS if options.pop(name)]
    if len(shortcuts) > 1:
        refuse(f"--{' and --'.join(shortcuts)}: a node has one key, leave all but one out")
    options["key"] = shortcuts[0] if shortcuts else None
    options["workers"] = options.pop("worker")
    # A switch that is off was not given: the environment or the file may turn it on.
    given = {name: value for name, value in options.items() if value is not False}
    try:
        return load_config(given, os.environ, file if isinstance(file, Path) else None)
    except ConfigError as error:
        refuse(error)


def run(config: NodeConfig) -> None:
    """Run the node and end the process with its status."""
    run_service: Callable[[NodeConfig], int] = import_module("flockchain.service").run
    raise typer.Exit(run_service(config))
