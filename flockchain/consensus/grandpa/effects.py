"""What a voter wants done.

Owns the words between the pure voter and whoever holds the network, the clock and the disk.
Invariant: effects are carried out in the order given; none of them reports back.
Source: WP II.A; GRANDPA paper 2.
"""

from dataclasses import dataclass

from flockchain.consensus.grandpa.messages import (
    BlockRef,
    CatchUpRequest,
    Envelope,
    GrandpaJustification,
    View,
)
from flockchain.consensus.grandpa.votes import Equivocation
from p2p.interface import PeerId, Verdict


@dataclass(frozen=True, slots=True)
class Gossip:
    """Publish on the `grandpa` topic."""

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class TellNeighbours:
    """Tell the peers one hop away where we stand."""

    beat: int
    view: View


@dataclass(frozen=True, slots=True)
class AskCatchUp:
    """Request a catch-up of `peer`; the answer goes to `Voter.on_catch_up`."""

    peer: PeerId
    request: CatchUpRequest


@dataclass(frozen=True, slots=True)
class Finalize:
    """`block` and all below it are final; the justification proves it to anyone."""

    block: BlockRef
    justification: GrandpaJustification


@dataclass(frozen=True, slots=True)
class ReportEquivocation:
    """Put the evidence on chain."""

    evidence: Equivocation


@dataclass(frozen=True, slots=True)
class ReportConflict:
    """A valid proof for a block that contradicts `finalized`: over a third of the weight is guilty.

    Nothing is reverted; an operator has to look.
    """

    finalized: BlockRef
    justification: GrandpaJustification


@dataclass(frozen=True, slots=True)
class StopVoting:
    """Our key votes elsewhere: this node signs nothing more until it is restarted by hand."""

    reason: str


Effect = (
    Gossip
    | TellNeighbours
    | AskCatchUp
    | Finalize
    | ReportEquivocation
    | ReportConflict
    | StopVoting
)


@dataclass(frozen=True, slots=True)
class Handled:
    """Whether to forward a message, and what followed from it."""

    verdict: Verdict
    effects: list[Effect]
