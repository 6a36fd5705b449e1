"""Runtimes that ran a block and go on with its child: what they read and decoded still holds.

Building two dozen pallets, and reading and decoding again what the block before has just written,
costs as much as an empty block's rules. Owns at most `RUNTIMES_MAX` of them, by the root of the
state that each has reached, and one more, emptied, that begins anew where none has been: pallets
and their storage items lie in cycles, which would pile up until the collector comes. Invariants: a
root names one content, so a runtime taken for it answers as a new one over that state would; it is
taken out, so that nobody shares it; what a refused block left behind is not put back.

Source: WP II.A (state and ledger); Substrate `sp_state_machine` caches, adapted.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from runtime.api import executing_preset
from runtime.frame.externalities import Externalities, StateReader
from runtime.primitives.types import Hash
from runtime.runtime import Runtime

RUNTIMES_MAX: Final = 4
"""Heads that compete for children at one time; each holds about 16 MiB at most."""


class KeptRuntimes:
    """Runtimes by the root of the state that they stand on, least recently put first out."""

    def __init__(self) -> None:
        self._by_root: OrderedDict[Hash, Runtime] = OrderedDict()
        self._spare: Runtime | None = None

    def take(self, root: Hash, state: StateReader) -> Runtime:
        """A runtime over the state with this root, which the caller has for itself.

        Raises UnknownRuntime.
        """
        preset = executing_preset(state)
        kept = self._by_root.pop(root, None)
        if kept is None:
            kept, self._spare = self._spare, None
        if kept is None or kept.preset is not preset:
            return Runtime(Externalities(state), preset)
        kept.ext.go_on(state)
        return kept

    def put(self, root: Hash, runtime: Runtime) -> None:
        """The runtime has made a block whose state has this root; what goes for it is emptied."""
        former = self._by_root.pop(root, None)
        if former is not None and former is not runtime:
            self._spare_it(former)
        self._by_root[root] = runtime
        if len(self._by_root) > RUNTIMES_MAX:
            _, oldest = self._by_root.popitem(last=False)
            self._spare_it(oldest)

    def _spare_it(self, runtime: Runtime) -> None:
        runtime.ext.forget()
        self._spare = runtime

    def __len__(self) -> int:
        return len(self._by_root)
