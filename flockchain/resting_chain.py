"""A chain's database without a node around it: for the commands that read and write blocks.

Owns how a database is opened for a chain spec. Invariant: only one process has it open, and a
command that only looks makes none.
Source: Substrate `sc_cli` (`export-blocks`, `import-blocks`, `check-block`, `revert`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flockchain.chain.backend import Backend, WrongGenesis
from flockchain.chain.block_file import FiledBlock
from flockchain.chain.block_import import Settle
from flockchain.chain.importer import Consensus, Importer
from flockchain.chain.release_watch import ends_release
from flockchain.chain.signatures import SignatureCache
from flockchain.clock import SystemClock
from flockchain.consensus.babe.verifier import BabeConsensus
from flockchain.consensus.grandpa.proof_import import finalize_by_proof
from flockchain.consensus.instant import InstantConsensus
from flockchain.directories import database_directory
from flockchain.storage.gathered import GatheredStore
from flockchain.storage.kv import KeyValueStore
from flockchain.storage.leveldb import LevelDbStore
from flockchain.storage.node_cache import SIZE_BYTES_MAX, NodeCache
from flockchain.storage.state import StateStore
from genesis.spec import ChainSpec
from runtime.api import ensure_executable, preset_of
from runtime.version import UnknownRuntime


class ChainNotOpened(Exception):
    """The database is missing, or another chain's; the message says what to do."""


class BlockLacking(Exception):
    """A block below the best one is not here: the node began above it by a warp sync."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"block {number} is not here: the node began above it with --sync warp, and fetches "
            "earlier blocks while it runs, or it lets them go (--blocks-pruning); let it run on, "
            "or ask a node that has them"
        )


def open_backend(
    store: KeyValueStore,
    spec: ChainSpec,
    states_max: int | None,
    *,
    wants_warp: bool = False,
    trie_cache_bytes: int = SIZE_BYTES_MAX,
) -> Backend:
    """The chain in a store, begun if the store is empty; `states_max` final states are kept, all
    if it is None. `wants_warp`: a genesis of the release before will do, none is executed on it.

    Raises ChainNotOpened, StorageError, SpecError.
    """
    genesis = spec.genesis_top()
    try:
        cache = NodeCache(size_bytes_max=trie_cache_bytes)
        backend = Backend(store, StateStore(store, states_max=states_max, cache=cache))
        backend.open(genesis)
        final = backend.state_at(backend.finalized.hash)
        if wants_warp and backend.best.number == 0:
            preset_of(final)
            return backend
        if ends_release(backend, backend.finalized.hash) and not ends_release(
            backend, backend.best.hash
        ):
            raise ChainNotOpened(
                f"block {backend.best.number} of an older release is not final yet: start that "
                "release again with this database; it ends when its last block is final"
            )
        ensure_executable(final)
    except (WrongGenesis, UnknownRuntime) as error:
        raise ChainNotOpened(str(error)) from error
    return backend


@contextmanager
def resting_chain(
    spec: ChainSpec, base_path: Path, states_max: int | None = None, *, is_made: bool = False
) -> Iterator[Backend]:
    """The chain below a base path; `is_made`: a missing database is made.

    Without `states_max` nothing is pruned. Raises ChainNotOpened, StorageError.
    """
    directory = database_directory(base_path, spec.id)
    if not is_made and not directory.is_dir():
        raise ChainNotOpened(
            f"there is no database at {directory}: give the --base-path and --chain of a node"
        )
    store = GatheredStore(LevelDbStore(directory))
    try:
        yield open_backend(store, spec, states_max)
    finally:
        store.close()


def importer_of(backend: Backend, *, is_instant: bool) -> tuple[Importer, Settle]:
    """What checks blocks, and what makes them final: by their proofs, or at once on a chain that
    is sealed instantly."""
    slot_ms = preset_of(backend.state_at(backend.finalized.hash)).slot_ms
    consensus: Consensus = (
        InstantConsensus() if is_instant else BabeConsensus(backend, SystemClock(), slot_ms)
    )

    def settle(block: FiledBlock) -> None:
        if is_instant:
            if not backend.is_finalized(block.header.hash()):
                backend.finalize(block.header.hash())
        elif block.justification is not None:
            finalize_by_proof(backend, block.header, block.justification)

    return Importer(backend, consensus, SignatureCache()), settle


def filed_blocks(backend: Backend, first: int, last: int) -> Iterator[FiledBlock]:
    """Blocks of the best chain with the proofs of finality that are kept. Raises BlockLacking."""
    for number in range(first, last + 1):
        block = backend.blocks.hash_at(number)
        header = None if block is None else backend.header(block)
        body = None if block is None else backend.blocks.body(block)
        if block is None or header is None or body is None:
            raise BlockLacking(number)
        yield FiledBlock(header, body, backend.blocks.justification(block))
