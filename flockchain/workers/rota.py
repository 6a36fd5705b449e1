"""The order in which a worker's duties are served: who waited longest comes first.

Invariant: a duty that a newer block left unserved is served before any that was served since, so
with n duties and k served a tick each is served in every ceil(n / k) ticks.

Source: WP II.B (a participant takes part in several tasks).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

D = TypeVar("D")


class Rota(Generic[D]):
    """Remembers when each duty was served. Duties are hashable names."""

    def __init__(self) -> None:
        self._served: dict[D, int] = {}
        self._turn = 0

    def order(self, duties: Iterable[D]) -> list[D]:
        """The duties, new ones first, then those served longest ago; others are forgotten."""
        present = list(duties)
        self._served = {duty: self._served[duty] for duty in present if duty in self._served}
        return sorted(present, key=lambda duty: self._served.get(duty, 0))

    def served(self, duties: Iterable[D]) -> None:
        """They had their turn."""
        self._turn += 1
        self._served.update(dict.fromkeys(duties, self._turn))
