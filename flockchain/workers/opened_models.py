"""Models that were opened lately, in plain, so that the keys of a worker open each once.

They are in memory only: nothing of a model that is still secret is written down or sent on.
Invariant: at most `BYTES_MAX` are kept, the least recently used go first.

Source: WP V.B (blind validation).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

BYTES_MAX: Final = 256 * 1024 * 1024


class OpenedModels:
    """Plaintexts by content id."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0

    def find(self, content: bytes) -> bytes | None:
        """A model that is still kept."""
        model = self._kept.get(content)
        if model is not None:
            self._kept.move_to_end(content)
        return model

    def put(self, content: bytes, model: bytes) -> None:
        """Keep a model, if there is room for it at all."""
        if len(model) > self._bytes_max or content in self._kept:
            return
        self._kept[content] = model
        self._bytes += len(model)
        while self._bytes > self._bytes_max:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped)
