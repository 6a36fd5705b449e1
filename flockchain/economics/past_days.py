"""Past blocks played anew: the same extrinsics over a copied state, with a call of the DAO or not.

Owns the executive's loop over blocks that are final already: their signatures were checked then, so
they are not checked again, and an extrinsic that a changed state refuses is left out and counted.
Invariant: without a call the state after the last block has the root of that block's header, so
what is compared with is what the chain did.
Source: WP VII (what was decided is executed); FRAME `frame_executive`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flockchain.economics.live_state import ROOT_KEYS_MAX, StateForged
from flockchain.storage.trie_build import root_of
from flockchain.storage.trie_codec import StateVersion
from runtime.api import executing_preset
from runtime.frame.call import RuntimeCall
from runtime.frame.dispatch import run_call
from runtime.frame.errors import DispatchError, TransactionValidityError
from runtime.frame.executive import Executive
from runtime.frame.externalities import DictState, Externalities
from runtime.frame.origin import ROOT
from runtime.primitives.header import Header, PreRuntime
from runtime.primitives.multi import MultiSignature
from runtime.primitives.types import AccountId
from runtime.runtime import Runtime


@dataclass(frozen=True, slots=True)
class PastBlock:
    """A final block; its extrinsics as they are in the block's body."""

    header: Header
    extrinsics: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class PastDays:
    """Days of which all blocks are here, both included, and the state before the first block.

    The blocks go on to the last final one, into the day after `last_day`.
    """

    first_day: int
    last_day: int
    state: DictState
    blocks: Sequence[PastBlock]


class Replay:
    """One way through past blocks; `runtime` is over the state after the block played last.

    A call acts as root at the beginning of block `made_in`, as if the scheduler made it there.
    """

    def __init__(self, past: PastDays, call: RuntimeCall | None = None, made_in: int = 0) -> None:
        """Raises UnknownRuntime if the state is of another release."""
        self._past, self._call, self._made_in = past, call, made_in
        self._ext = Externalities(past.state)
        self._preset = executing_preset(past.state)
        self.runtime = Runtime(self._ext, self._preset)
        self.left_out = 0
        self.failure: DispatchError | None = None

    def play(self) -> Iterator[list[object]]:
        """Play the next block; what happened in it."""
        for block in self._past.blocks:
            self.runtime = Runtime(self._ext, self._preset)
            self._play(block)
            yield [event for _, event in self._ext.events]
            self._ext.events.clear()

    def trial(self, call: RuntimeCall) -> tuple[DispatchError | None, list[object]]:
        """What the call would do now, as root: why it fails, else its events. Nothing stays."""
        with self._ext.transaction(is_trial=True):
            failure = self._make(call)
            return failure, [event for _, event in self._ext.events]

    def check_root(self) -> bool:
        """Whether the state was compared; one with too many keys is not. Raises StateForged."""
        top = {**self._past.state.top, **self._ext.changes()}
        if len(top) > ROOT_KEYS_MAX:
            return False
        header = self._past.blocks[-1].header
        root = root_of(
            {key: value for key, value in top.items() if value is not None}, StateVersion.V1
        )
        if root != header.state_root:
            raise StateForged(
                f"the blocks up to #{header.number} give root 0x{root.hex()}, the header says "
                f"0x{header.state_root.hex()}"
            )
        return True

    def _play(self, block: PastBlock) -> None:
        header = block.header
        executive = Executive(self.runtime, _was_checked)
        logs = [log for log in header.digest.logs if isinstance(log, PreRuntime)]
        executive.initialize_block(header.number, header.parent_hash, logs)
        if self._call is not None and header.number == self._made_in:
            self.failure = self._make(self._call)
        for data in block.extrinsics:
            try:
                executive.apply_extrinsic(data)
            except TransactionValidityError:
                self.left_out += 1
        executive.finalize_block(header.number)

    def _make(self, call: RuntimeCall) -> DispatchError | None:
        return run_call(self._ext, self.runtime.pallet(call.entry.pallet), call, ROOT)


def _was_checked(signature: MultiSignature, who: AccountId, message: bytes) -> bool:
    return True
