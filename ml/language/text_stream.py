"""Text as tokens come: whole characters only, and nothing of what a stop string cuts off.

Owns what is held back. Invariant: the pieces together are the text of all tokens, cut before the
first stop string; no piece is taken back.
Source: the Unicode Standard, chapter 3 (UTF-8); OpenAI's API (`stop`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

_BROKEN = "�"  # what a decoder writes for the first bytes of a character


class TextStream:
    """Pieces of one text. `decode` turns all tokens so far into text."""

    def __init__(self, decode: Callable[[Sequence[int]], str], stops: Sequence[str]) -> None:
        self._decode = decode
        self._stops = stops
        self._held_max = max((len(stop) for stop in stops), default=1) - 1
        self._tokens: list[int] = []
        self._sent = 0
        self.is_stopped = False

    def add(self, token: int) -> str:
        """What can be said now that this token came; empty if nothing."""
        self._tokens.append(token)
        text = self._decode(self._tokens)
        stop = self._find_stop(text)
        if stop is not None:
            self.is_stopped = True
            return self._say(text[:stop])
        if text.endswith(_BROKEN):
            return ""
        return self._say(text[: len(text) - self._held_max] if self._held_max else text)

    def finish(self) -> str:
        """The rest, once no more tokens come."""
        return "" if self.is_stopped else self._say(self._decode(self._tokens))

    def _find_stop(self, text: str) -> int | None:
        found = [text.find(stop) for stop in self._stops]
        return min((place for place in found if place >= 0), default=None)

    def _say(self, text: str) -> str:
        piece = text[self._sent :]
        self._sent = max(self._sent, len(text))
        return piece
