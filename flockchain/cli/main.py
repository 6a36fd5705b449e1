"""The command `flockchain`: which commands there are, and the door that all of them share.

Only the module of the command that is called is imported, so that `--help` answers at once.
Exit status: 0 done, 1 refused, 2 wrong usage, 130 interrupted.
Source: Substrate's command line; typer.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Final

import typer

from runtime.version import SPEC_VERSION

_COMPLETION: Final = "_FLOCKCHAIN_COMPLETE"
_BUILD: Final = "build"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A command. `needs` is a module without which it cannot do anything; the attribute `build`
    makes the group for the command within it that is called."""

    name: str
    module: str
    help: str
    attribute: str = "app"
    needs: str | None = None

    def is_built(self) -> bool:
        """Whether this installation has it."""
        return all(_exists(module) for module in (self.module, self.needs) if module)


_ENTRIES: Final = (
    _Entry(
        "node",
        "flockchain.cli.node",
        "Run a node until it is stopped.",
        "node",
        "flockchain.service",
    ),
    _Entry(
        "devnet",
        "flockchain.cli.devnet",
        "Run several nodes on this machine.",
        "devnet",
        "flockchain.devnet",
    ),
    _Entry("key", "flockchain.cli.key", "Make, inspect and store keys, sign and verify messages."),
    _Entry("wallet", "flockchain.cli.wallet", "See balances and send."),
    _Entry("call", "flockchain.cli.call", "Make any call of the chain, or several in a batch."),
    _Entry("proxy", "flockchain.cli.proxy", "Have other keys act for an account."),
    _Entry("multisig", "flockchain.cli.multisig", "Act for accounts of several keys."),
    _Entry("task", "flockchain.cli.task", "Create tasks and take part in them."),
    _Entry("arena", "flockchain.cli.arena", "Submit, score, and see rankings and rewards."),
    _Entry("fl", "flockchain.cli.fl", "Take part in federated learning."),
    _Entry("delegate", "flockchain.cli.delegate", "Delegate stake."),
    _Entry("stake", "flockchain.cli.stake", "Stake for the chain's validators."),
    _Entry("market", "flockchain.cli.market", "Host and call models."),
    _Entry("gov", "flockchain.cli.gov", "Propose and vote."),
    _Entry("worker", "flockchain.cli.worker", "Train, validate, aggregate or host for a chain."),
    _Entry("model", "flockchain.cli.model", "Fetch models and check where they come from."),
    _Entry("economics", "flockchain.cli.economics", "Ask what the chain would pay."),
    _Entry(
        "simulate",
        "flockchain.cli.simulate",
        "Simulate networks and federated learning.",
        _BUILD,
    ),
    _Entry("bench", "flockchain.cli.bench", "Measure this machine."),
    _Entry(
        "release",
        "flockchain.cli.release",
        "Print the version and the hash of this release.",
        "release",
    ),
    _Entry("vectors", "flockchain.cli.vectors", "Check the cryptography against vector files."),
    _Entry("ceremony", "flockchain.cli.ceremony", "Make and check a reference string."),
    _Entry("build-spec", "flockchain.cli.spec", "Check a chain spec and print it.", "build_spec"),
    _Entry(
        "spec-hash",
        "flockchain.cli.spec",
        "Print the genesis hash and the state root of block 0.",
        "spec_hash",
    ),
    _Entry(
        "purge-chain",
        "flockchain.cli.spec",
        "Delete a chain's blocks and states; its keys stay.",
        "purge_chain",
    ),
    _Entry(
        "export-blocks",
        "flockchain.cli.blocks",
        "Write a stopped node's blocks to a file.",
        "export_blocks",
    ),
    _Entry(
        "import-blocks",
        "flockchain.cli.blocks",
        "Check and import blocks from a file.",
        "import_blocks_command",
    ),
    _Entry(
        "check-block",
        "flockchain.cli.blocks",
        "Execute a block again and compare its state root.",
        "check_block",
    ),
    _Entry(
        "revert",
        "flockchain.cli.blocks",
        "Forget the newest blocks; what is final stays.",
        "revert",
    ),
    _Entry(
        "export-state",
        "flockchain.cli.blocks",
        "Print a chain spec that starts from a block's state.",
        "export_state",
    ),
    _Entry(
        "replay",
        "flockchain.cli.blocks",
        "Execute blocks in memory and compare every state root.",
        "replay",
    ),
)


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def build_app(*called: str, is_whole: bool = False) -> typer.Typer:
    """The command line; only the command that the words `called` name is imported, the others are
    listed."""
    app = typer.Typer(
        name="flockchain",
        help="Federated machine learning on a Substrate-style proof-of-stake chain.",
        no_args_is_help=True,
        pretty_exceptions_show_locals=False,  # locals hold secrets
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    for entry in _ENTRIES:
        if entry.is_built():
            is_called = is_whole or entry.name in called[:1]
            inner = None if is_whole else next(iter(called[1:]), None)
            _mount(app, entry, inner, is_called=is_called)
    return app


def _mount(app: typer.Typer, entry: _Entry, inner: str | None, *, is_called: bool) -> None:
    if not is_called:
        app.command(entry.name, help=entry.help)(_listed)
        return
    found = getattr(import_module(entry.module), entry.attribute)
    if entry.attribute == _BUILD:
        found = found(inner)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=entry.name, help=entry.help)
    else:
        app.command(entry.name)(found)


def _listed() -> None:
    """Stand in a list of commands; the command that is called is imported instead."""


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import version

        typer.echo(f"flockchain {version('flockchain')} (spec version {SPEC_VERSION})")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command that the process was started with."""
    if not __debug__:
        sys.exit("error: python -O removes the checks that keep a node safe; start it without -O")
    called = (word for word in sys.argv[1:] if not word.startswith("-"))
    build_app(*called, is_whole=_COMPLETION in os.environ)()
