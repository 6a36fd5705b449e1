"""What GRANDPA voters say to each other, byte for byte as Substrate encodes it.

Owns the vote, commit, justification and catch-up types and the bytes that a vote signs. Invariant:
`signing_payload` is the SCALE tuple (message, round, set id), so a vote of any Substrate chain
verifies here. The gossip envelope is our own: identical bytes are forwarded only once, and a voter
that repeats itself for a peer that was away must not be swallowed, so the envelope holds a beat.
Source: Substrate `sp_consensus_grandpa`, `finality_grandpa::{Message, Commit, CatchUp}`.
"""

from typing import Annotated, Final

from flockchain.consensus.grandpa.authorities import AUTHORITIES_MAX, AuthorityId
from runtime.primitives.grandpa_votes import (
    MESSAGE,
    BlockRef,
    Message,
    Precommit,
    Prevote,
    PrimaryPropose,
    SignedMessage,
    is_signed,
    signing_payload,
)
from runtime.primitives.header import Header
from runtime.primitives.scale import Limit, ScaleEnum, codec_of, scale_type
from runtime.primitives.types import U32, U64, Bytes64, Hash

VOTES_MAX: Final = 2 * AUTHORITIES_MAX
"""Most votes of one kind in a message: two of an equivocator, one of everyone else."""
ANCESTRY_HEADERS_MAX: Final = 4_096
"""Most headers a justification may carry; votes of honest nodes lie a few blocks apart."""


@scale_type(path="finality_grandpa::Precommit")
class PrecommitTarget:
    """A precommit as it stands in a commit, where its kind needs no tag."""

    target_hash: Hash
    target_number: U32


@scale_type(path="finality_grandpa::Prevote")
class PrevoteTarget:
    """A prevote as it stands in a catch-up, where its kind needs no tag."""

    target_hash: Hash
    target_number: U32


@scale_type(path="finality_grandpa::SignedPrecommit")
class SignedPrecommit:
    """A precommit with its voter's signature."""

    precommit: PrecommitTarget
    signature: Bytes64
    id: AuthorityId

    def signed_message(self) -> SignedMessage:
        """The same vote as it travels alone."""
        vote = Precommit(self.precommit.target_hash, self.precommit.target_number)
        return SignedMessage(vote, self.signature, self.id)


@scale_type(path="finality_grandpa::SignedPrevote")
class SignedPrevote:
    """A prevote with its voter's signature."""

    prevote: PrevoteTarget
    signature: Bytes64
    id: AuthorityId

    def signed_message(self) -> SignedMessage:
        """The same vote as it travels alone."""
        vote = Prevote(self.prevote.target_hash, self.prevote.target_number)
        return SignedMessage(vote, self.signature, self.id)


@scale_type(path="finality_grandpa::Commit")
class Commit:
    """A block and the precommits that finalize it."""

    target_hash: Hash
    target_number: U32
    precommits: Annotated[list[SignedPrecommit], Limit(VOTES_MAX)]

    @property
    def target(self) -> BlockRef:
        """The finalized block."""
        return BlockRef(self.target_hash, self.target_number)


@scale_type(path="sp_consensus_grandpa::GrandpaJustification")
class GrandpaJustification:
    """A proof of finality for those who know the authority set but not the chain."""

    round: U64
    commit: Commit
    votes_ancestries: Annotated[list[Header], Limit(ANCESTRY_HEADERS_MAX)]


@scale_type(path="finality_grandpa::CatchUp")
class CatchUp:
    """All votes of a completed round: enough to take part in the next one."""

    round_number: U64
    prevotes: Annotated[list[SignedPrevote], Limit(VOTES_MAX)]
    precommits: Annotated[list[SignedPrecommit], Limit(VOTES_MAX)]
    base_hash: Hash
    base_number: U32

    @property
    def base(self) -> BlockRef:
        """The block on which every vote of the round builds."""
        return BlockRef(self.base_hash, self.base_number)

    def votes(self) -> list[SignedMessage]:
        """All votes as they travel alone, prevotes first."""
        prevotes = [vote.signed_message() for vote in self.prevotes]
        return [*prevotes, *(vote.signed_message() for vote in self.precommits)]


@scale_type
class VoteMessage:
    """One vote and where it belongs."""

    round: U64
    set_id: U64
    message: SignedMessage


@scale_type
class CommitMessage:
    """A commit and where it belongs."""

    round: U64
    set_id: U64
    commit: Commit


class GossipMessage(ScaleEnum, path="sc_consensus_grandpa::communication::gossip::GossipMessage"):
    """What travels on the `grandpa` topic."""


class GossipVote(GossipMessage, index=0, flat=True, name="Vote"):
    """One vote."""

    vote: VoteMessage


class GossipCommit(GossipMessage, index=1, flat=True, name="Commit"):
    """A commit of a round."""

    commit: CommitMessage


@scale_type(path="sc_consensus_grandpa::communication::gossip::NeighborPacket")
class View:
    """Where a node stands: its round and set, and the height of the last commit it knows."""

    round: U64
    set_id: U64
    commit_finalized_height: U32

    def place(self) -> tuple[int, int, int]:
        """What rises while a node runs."""
        return self.set_id, self.round, self.commit_finalized_height


class GossipNeighbour(GossipMessage, index=2, name="Neighbor"):
    """Where `sender` stands. It is the sender's id, so that no two are the same bytes."""

    sender: str
    view: View


@scale_type
class Envelope:
    """A gossip message and when it was sent: `beat` is the sender's clock in repeat intervals."""

    beat: U32
    message: GossipMessage


@scale_type
class CatchUpRequest:
    """Asks a peer for its last completed round and its votes of the round it is in."""

    set_id: U64
    round: U64


@scale_type
class CatchUpResponse:
    """Where the peer stands, its last completed round if we lack it, and the votes behind it."""

    view: View
    catch_up: CatchUp | None
    votes: Annotated[list[VoteMessage], Limit(4 * AUTHORITIES_MAX)]


SIGNED_MESSAGE: Final = codec_of(SignedMessage)
COMMIT: Final = codec_of(Commit)
JUSTIFICATION: Final = codec_of(GrandpaJustification)
CATCH_UP: Final = codec_of(CatchUp)
ENVELOPE: Final = codec_of(Envelope)
CATCH_UP_REQUEST: Final = codec_of(CatchUpRequest)
CATCH_UP_RESPONSE: Final = codec_of(CatchUpResponse)


def signed_precommit(signed: SignedMessage) -> SignedPrecommit:
    """A precommit as it stands in a commit."""
    target = PrecommitTarget(signed.message.target_hash, signed.message.target_number)
    return SignedPrecommit(target, signed.signature, signed.id)


def signed_prevote(signed: SignedMessage) -> SignedPrevote:
    """A prevote as it stands in a catch-up."""
    target = PrevoteTarget(signed.message.target_hash, signed.message.target_number)
    return SignedPrevote(target, signed.signature, signed.id)


__all__ = [
    "ANCESTRY_HEADERS_MAX",
    "CATCH_UP",
    "CATCH_UP_REQUEST",
    "CATCH_UP_RESPONSE",
    "COMMIT",
    "ENVELOPE",
    "JUSTIFICATION",
    "MESSAGE",
    "SIGNED_MESSAGE",
    "VOTES_MAX",
    "BlockRef",
    "CatchUp",
    "CatchUpRequest",
    "CatchUpResponse",
    "Commit",
    "CommitMessage",
    "Envelope",
    "GossipCommit",
    "GossipMessage",
    "GossipNeighbour",
    "GossipVote",
    "GrandpaJustification",
    "Message",
    "Precommit",
    "PrecommitTarget",
    "Prevote",
    "PrevoteTarget",
    "PrimaryPropose",
    "SignedMessage",
    "SignedPrecommit",
    "SignedPrevote",
    "View",
    "VoteMessage",
    "is_signed",
    "signed_precommit",
    "signed_prevote",
    "signing_payload",
]
