"""Where each peer stands in finality, and whom to ask when we lack something.

A node tells its neighbours the round and set it is in and the height of its last commit; such a
packet goes one hop. So questions go to who is ahead, and votes are repeated only while somebody is
left who can use them. Invariant: a view only rises while its peer is connected; a peer that claims
to be ahead and has nothing to show is not believed again, and no claim keeps all questions from the
others.
Source: Substrate `sc_consensus_grandpa::communication::gossip` (polite gossip).
"""

from dataclasses import dataclass, field
from typing import Final

from flockchain.consensus.grandpa.messages import View
from p2p.interface import PeerId

TELL_EVERY_MS: Final = 5_000
"""Our own view goes out this often at least, for who missed it."""


@dataclass(slots=True)
class _Neighbour:
    view: View | None = None
    is_believed: bool = True


@dataclass(slots=True)
class Neighbours:
    """Connected peers, what they told, and when one was last asked."""

    interval_ms: int
    """Between two questions at least."""
    _peers: dict[PeerId, _Neighbour] = field(default_factory=dict)
    _turn: int = 0
    _asked_ms: int | None = None

    def add(self, peer: PeerId) -> None:
        """A peer connected."""
        self._peers.setdefault(peer, _Neighbour())

    def remove(self, peer: PeerId) -> None:
        """A peer left."""
        self._peers.pop(peer, None)

    def note(self, peer: PeerId, view: View) -> None:
        """A peer told where it stands. Packets overtake one another: an older one is ignored."""
        known = self._peers.get(peer)
        if known is None or not known.is_believed:
            return
        if known.view is None or view.place() > known.view.place():
            known.view = view

    def distrust(self, peer: PeerId) -> None:
        """A peer claimed to be ahead and could not show it."""
        known = self._peers.get(peer)
        if known is not None:
            known.view, known.is_believed = None, False

    def view(self, peer: PeerId) -> View | None:
        """What a peer told last."""
        known = self._peers.get(peer)
        return None if known is None else known.view

    def final_heights(self) -> list[tuple[PeerId, int]]:
        """What each peer told of the height of its last commit."""
        return [
            (peer, known.view.commit_finalized_height)
            for peer, known in self._peers.items()
            if known.view is not None
        ]

    def can_use_votes(self, own: View) -> bool:
        """Whether any neighbour is where our votes of the last two rounds count, or may be."""
        return any(
            known.view is None
            or (known.view.set_id == own.set_id and known.view.round <= own.round + 1)
            for known in self._peers.values()
        )

    def is_due(self, now_ms: int) -> bool:
        """Whether another question may be asked."""
        return self._asked_ms is None or now_ms >= self._asked_ms + self.interval_ms

    def asked(self, now_ms: int) -> None:
        """A question went out."""
        self._asked_ms = now_ms

    def next_peer(self, own: View) -> PeerId | None:
        """Whom to ask; None without any peer.

        Those of our set that are ahead in turn, and every other time one that is not: who claims
        a high round and answers nothing must not be the only one that is ever asked.
        """
        ahead = [peer for peer, known in self._peers.items() if _is_ahead(known.view, own)]
        others = [peer for peer in self._peers if peer not in ahead]
        self._turn += 1
        if not ahead or not others:
            asked, turn = ahead or others, self._turn
        else:
            asked, turn = (ahead if self._turn % 2 else others), self._turn // 2
        return asked[turn % len(asked)] if asked else None


def _is_ahead(view: View | None, own: View) -> bool:
    return view is not None and view.set_id == own.set_id and view.round > own.round
