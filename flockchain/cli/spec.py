"""`flockchain build-spec`, `spec-hash`, `purge-chain`: chain specs and the data of their chains.

Invariant: `build-spec --raw` prints the same bytes for the same network on every machine.
Source: Substrate `sc_cli::{BuildSpecCmd, PurgeChainCmd}`.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from pathlib import Path
from typing import Annotated, Final

import typer

from flockchain.cli.refusal import refuse
from flockchain.config import default_base_path
from flockchain.directories import database_directory
from flockchain.storage.errors import StorageError
from genesis.errors import SpecError
from genesis.spec import PRESET_NAMES, ChainSpec, load_chain_spec
from runtime.version import STATE_VERSION

STATE_VERSION_MAX: Final = 1

ChainFlag = Annotated[
    str, typer.Option("--chain", help=f"A chain spec's file, or {', '.join(PRESET_NAMES)}.")
]
StateVersionFlag = Annotated[
    int,
    typer.Option(
        "--state-version",
        min=0,
        max=STATE_VERSION_MAX,
        help="The network's trie format at genesis: 0 or 1; older Substrate networks have 0.",
    ),
]


def build_spec(
    chain: ChainFlag = "dev",
    raw: Annotated[
        bool, typer.Option("--raw", help="Print the state of block 0 instead of what it is from.")
    ] = False,
    state_version: StateVersionFlag = STATE_VERSION,
) -> None:
    """Check a chain spec and print it."""
    spec = load_spec(chain)
    _roots(spec, state_version)
    typer.echo(spec.to_json(is_raw=raw), nl=False)


def spec_hash(
    file: Annotated[
        str, typer.Argument(help=f"A chain spec's file, or {', '.join(PRESET_NAMES)}.")
    ],
    state_version: StateVersionFlag = STATE_VERSION,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Print the genesis hash and the state root of block 0."""
    spec = load_spec(file)
    genesis, root = _roots(spec, state_version)
    facts = {"genesis_hash": f"0x{genesis.hex()}", "state_root": f"0x{root.hex()}"}
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        typer.echo(f"{name.replace('_', ' ') + ':':<13} {value}")


def purge_chain(
    chain: ChainFlag = "local",
    base_path: Annotated[
        Path | None, typer.Option(help="Where chains lie; ~/.local/share/flockchain by default.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a chain's blocks and states; its keys stay."""
    spec = load_spec(chain)
    directory = database_directory(base_path or default_base_path(), spec.id)
    if directory.is_symlink():
        refuse(f"{directory} is a link: delete what it points to yourself")
    if not directory.is_dir():
        refuse(f"there is no database at {directory}")
    if not yes and not typer.confirm(f"Delete {directory}?", err=True):
        refuse("nothing was deleted")
    try:
        _ensure_unused(directory)
        shutil.rmtree(directory)
    except OSError as error:
        refuse(f"cannot delete {directory}: {error.strerror}")
    typer.echo(f"deleted {directory}")


def load_spec(chain: str) -> ChainSpec:
    """The chain spec of an option; a wrong one ends the command."""
    try:
        return load_chain_spec(chain)
    except SpecError as error:
        refuse(error)


def _roots(spec: ChainSpec, state_version: int) -> tuple[bytes, bytes]:
    try:
        return spec.genesis_roots(state_version)
    except (SpecError, StorageError) as error:
        refuse(error)


def _ensure_unused(directory: Path) -> None:
    """LevelDB's own lock tells whether a node has the database open."""
    lock = directory / "LOCK"
    if not lock.exists():
        return
    with lock.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            refuse(f"a node uses {directory}: stop it first")
