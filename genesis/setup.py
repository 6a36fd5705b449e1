"""The reference string of a chain that has one of its own: a file beside the spec, by its digest.

Invariant: a spec that loads has its string loaded as well, so no block meets a node without it.
Source: WP VI.H; `flockchain ceremony finish` puts the file there.
"""

from __future__ import annotations

from pathlib import Path

from genesis.errors import SpecError
from genesis.raw import RawGenesis
from runtime.api import runtime_at
from runtime.frame.externalities import DictState
from runtime.genesis import GenesisConfig
from runtime.primitives.zk_profile import ChainSetup, install, parse_setup
from runtime.primitives.zk_setup import SetupError
from runtime.version import UnknownRuntime

_KEY = "genesis.runtimeGenesis.patch.flAlliance.setup"


def load_setup(genesis: GenesisConfig | RawGenesis, folder: Path) -> None:
    """Load the string that block 0 names, if it names one. Raises: SpecError."""
    declared = declared_setup(genesis)
    if declared is None:
        return
    path = folder / f"{declared.digest.hex()}.srs"
    try:
        install(parse_setup(path.read_bytes(), declared))
    except OSError as error:
        raise SpecError(
            _KEY, f"cannot read the reference string {path}: {error.strerror}"
        ) from None
    except SetupError as error:
        raise SpecError(_KEY, f"{path}: {error}") from None


def declared_setup(genesis: GenesisConfig | RawGenesis) -> ChainSetup | None:
    """What block 0 says of a string of the chain's own."""
    if isinstance(genesis, GenesisConfig):
        return genesis.setup
    try:
        return runtime_at(DictState(dict(genesis.top))).alliance.setup.find()
    except UnknownRuntime:  # another network's
        return None
