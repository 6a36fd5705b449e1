"""The class that liars extend: hooks around a whole node that else follows the rules.

A plug-in is a file with one or more classes that extend `Behaviour`; see docs/simulation.md. Owns
nothing but the hooks. Invariant: a liar has its own key and randomness, and no access to others'.
Source: WP II.A.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from flockchain.simulation.network.behaviours.liar import Liar


class Behaviour:
    """One way to break the rules. Override what you need; each instance serves one node."""

    name: ClassVar[str] = ""
    """How `--behaviour` and plans call it; a class without a name cannot be chosen."""
    has_twin: ClassVar[bool] = False
    """Whether a second machine runs with the same key."""
    reaches_all: ClassVar[bool] = False
    """Whether the node has a link to everyone, not only to its neighbours."""

    def on_start(self, liar: Liar) -> None:
        """The node was built, or built anew."""

    def on_slot(self, liar: Liar, slot: int) -> None:
        """A slot begins; `slot` counts as the chain's slots do."""

    def on_hear(self, liar: Liar, sender: int, topic: str, data: bytes) -> None:
        """A neighbour's gossip message has come, before our node judges it."""

    def on_send(self, liar: Liar, receiver: int, topic: str, data: bytes) -> Sequence[bytes]:
        """What to send to the node at place `receiver` instead of a gossip message."""
        return (data,)

    def on_answer(self, liar: Liar, protocol: str, request: bytes, answer: bytes) -> bytes:
        """What to answer instead of `answer`."""
        return answer
