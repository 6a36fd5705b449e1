"""`flockchain simulate`: networks, and federated learning under attack on the chain's own pallet.

Owns which simulations there are. What trains models takes seconds to import, longer than a small
network takes to play: it is imported unless a simulation without models is called.
Source: WP VI, Fig. 6; interfaces (the shape of `--json`).
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

import typer

from flockchain.cli.simulate_network import simulate_network
from flockchain.cli.simulate_soak import simulate_soak

_WITHOUT_MODELS: Final = ("network", "soak")


def build(called: str | None = None) -> typer.Typer:
    """The group; `called` is the simulation that is asked for, None for all of them."""
    app = typer.Typer(no_args_is_help=True, help="Simulate networks and federated learning.")
    app.callback()(_simulations)
    app.command("network")(simulate_network)
    app.command("soak")(simulate_soak)
    if called not in _WITHOUT_MODELS:
        app.add_typer(import_module("flockchain.cli.simulate_fl").app)
    return app


def _simulations() -> None:
    """Simulate networks and federated learning."""
