"""The one door for blocks: own, gossiped and synced ones are checked and stored here.

Order of checks: cheap before dear. Seal and slot, then the extrinsics root, then execution, then
the state root.

Source: Substrate `sc_consensus::import_queue`, `frame_executive::final_checks`.
"""

from __future__ import annotations

import logging
from typing import Final, Protocol

from flockchain.chain.backend import Backend
from flockchain.chain.builder import Built
from flockchain.chain.errors import (
    AlreadyKnown,
    BelowFinality,
    InvalidBlock,
    OtherRelease,
    UnknownParent,
)
from flockchain.chain.notifications import Imported
from flockchain.clock import Clock
from flockchain.storage.state import StateDelta
from flockchain.storage.state_reader import StateReader
from flockchain.storage.trie_build import ordered_root
from runtime.api import execute_block, executing_preset
from runtime.frame.errors import DispatchError
from runtime.frame.executive import Verifier
from runtime.kept_runtimes import KeptRuntimes
from runtime.primitives.header import Header
from runtime.primitives.types import Hash
from runtime.version import UnknownRuntime

log = logging.getLogger(__name__)

EXECUTION_MS_MAX: Final = 2_000
# What a bug in the runtime may raise: a peer's block that meets one is refused, as its author's
# builder drops such an extrinsic. Errors of the disk are none of these and end the node.
_BROKEN: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    DispatchError,  # of a hook: nobody dispatched it
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


class Consensus(Protocol):
    """Who may author which block."""

    def verify(self, header: Header, parent: Header) -> None:
        """Check slot, claim and seal. Raises InvalidBlock, FutureBlock."""


class Importer:
    """Checks blocks and puts them into the backend."""

    def __init__(
        self,
        backend: Backend,
        consensus: Consensus,
        verify: Verifier,
        *,
        clock: Clock | None = None,
        execution_ms_max: int = EXECUTION_MS_MAX,
    ) -> None:
        """With a clock, the log warns of blocks that take longer than `execution_ms_max`."""
        self.backend = backend
        self.consensus = consensus
        self.verify = verify
        self.runtimes = KeptRuntimes()
        self._clock = clock
        self._execution_ms_max = execution_ms_max

    def import_block(self, header: Header, body: list[bytes]) -> Imported:
        """Check and store a block made by somebody else.

        Raises AlreadyKnown, UnknownParent, FutureBlock (OtherRelease), BelowFinality, InvalidBlock.
        """
        block = header.hash()
        parent = self._parent_of(block, header)
        state = self.backend.state.reader(parent.state_root)
        try:
            executing_preset(state)
        except UnknownRuntime as error:
            raise OtherRelease(f"block {header.number}: {error}") from error
        self.consensus.verify(header, parent)
        root = ordered_root(body)
        if root != header.extrinsics_root:
            raise InvalidBlock(
                f"extrinsics root 0x{root.hex()} != 0x{header.extrinsics_root.hex()} "
                f"in block {header.number}"
            )
        delta = self._execute(header, parent, body, state)
        return self.backend.insert(header, body, delta, block=block)

    def check_execution(self, header: Header, body: list[bytes]) -> None:
        """Execute a known block on its parent's state again; nothing is stored.

        Raises InvalidBlock, UnknownParent, StateDiscarded.
        """
        parent = self.backend.header(header.parent_hash)
        if parent is None:
            raise UnknownParent(f"block 0x{header.parent_hash.hex()} is not known")
        self._execute(header, parent, body, self.backend.state.reader(parent.state_root))

    def prepare(self, built: Built) -> tuple[Header, StateDelta]:
        """The header that the author signs, and the state that comes with it."""
        parent = self.backend.header(built.parent)
        if parent is None:
            raise UnknownParent(f"block 0x{built.parent.hex()} is not known")
        root, delta = self.backend.state.compute_root(parent.state_root, built.changes)
        self.runtimes.put(Hash(root), built.runtime)
        header = Header(built.parent, built.number, Hash(root), built.extrinsics_root, built.digest)
        return header, delta

    def import_own(self, header: Header, body: list[bytes], delta: StateDelta) -> Imported:
        """Store a block that this node built and sealed: it was executed while it was made."""
        block = header.hash()
        self.consensus.verify(header, self._parent_of(block, header))
        return self.backend.insert(header, body, delta, is_own=True, block=block)

    def _execute(
        self, header: Header, parent: Header, body: list[bytes], state: StateReader
    ) -> StateDelta:
        """What the block changes of its parent's state. Raises InvalidBlock, StateDiscarded."""
        began_ms = self._now_ms()
        try:
            runtime = self.runtimes.take(parent.state_root, state)
            executed = execute_block(state, header, body, self.verify, runtime)
        except _BROKEN as error:
            log.exception("block %d of a peer cannot be executed", header.number)
            raise InvalidBlock(f"block {header.number} cannot be executed: {error!r}") from error
        took_ms = self._now_ms() - began_ms
        if took_ms > self._execution_ms_max:
            log.warning(
                "executing block %d took %d ms, more than the %d ms of --execution-ms-max: this "
                "machine may be too slow for the chain",
                header.number,
                took_ms,
                self._execution_ms_max,
            )
        root, delta = self.backend.state.compute_root(parent.state_root, executed.changes)
        if root != header.state_root:
            raise InvalidBlock(
                f"state root 0x{root.hex()} != 0x{header.state_root.hex()} in block {header.number}"
            )
        self.runtimes.put(header.state_root, runtime)
        return delta

    def _now_ms(self) -> int:
        return 0 if self._clock is None else self._clock.now_ms()

    def _parent_of(self, block: Hash, header: Header) -> Header:
        blocks, tree = self.backend.blocks, self.backend.tree
        # All known children of the tree's blocks are in it: only elsewhere the disk is asked.
        if block in tree or (header.parent_hash not in tree and blocks.has(block)):
            raise AlreadyKnown(f"block {header.number} 0x{block.hex()} is known")
        parent = blocks.header(header.parent_hash)
        if parent is None:
            raise UnknownParent(f"block 0x{header.parent_hash.hex()} is not known")
        if header.number != parent.number + 1:
            raise InvalidBlock(f"block {header.number} says that its parent is {parent.number}")
        if header.parent_hash not in tree:
            raise BelowFinality(f"block {header.number} forks off below the finalized block")
        return parent
