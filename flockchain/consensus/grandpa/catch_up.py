"""Joining a round in which others already are.

Owns the check of a peer's account of a completed round.
Invariant: a round is believed only if supermajorities of prevotes and precommits, correctly signed,
make it completable here too; which of the votes the peer chose to show does not matter for safety.
Source: GRANDPA paper 4 (catch-up); Substrate `voter::validate_catch_up`.
"""

from flockchain.consensus.grandpa.authorities import AuthoritySet
from flockchain.consensus.grandpa.chain import Chain, NotDescendant, UnknownBlock
from flockchain.consensus.grandpa.messages import CatchUp, is_signed
from flockchain.consensus.grandpa.round import Round
from p2p.interface import PeerError


class BadCatchUp(PeerError):
    """A catch-up that breaks a rule which every honest node keeps."""


class IncompleteCatchUp(Exception):
    """A catch-up that does not complete the round here, perhaps for want of blocks."""


def rebuild_round(catch_up: CatchUp, authorities: AuthoritySet, chain: Chain) -> Round:
    """The completed round. Signatures are not checked: for our own journal and checked votes.

    Votes for blocks that are unknown here are left out. Raises: IncompleteCatchUp.
    """
    if chain.number(catch_up.base_hash) != catch_up.base_number:
        raise IncompleteCatchUp(f"round {catch_up.round_number} starts at an unknown block")
    votes = Round(catch_up.round_number, authorities, catch_up.base, chain)
    for signed in catch_up.votes():
        try:
            votes.import_vote(signed)
        except (UnknownBlock, NotDescendant):
            continue
    if not votes.state().completable:
        raise IncompleteCatchUp(f"round {catch_up.round_number} is not completable")
    return votes


def is_by_supermajorities(catch_up: CatchUp, authorities: AuthoritySet) -> bool:
    """Whether the round was completed by somebody, be it not here: checked votes prove it."""
    return all(
        sum(authorities.weight(one) for one in {vote.id for vote in votes}) >= authorities.threshold
        for votes in (catch_up.prevotes, catch_up.precommits)
    )


def check_votes(catch_up: CatchUp, authorities: AuthoritySet) -> None:
    """Check membership and every signature. Raises: BadCatchUp."""
    for signed in catch_up.votes():
        if signed.id not in authorities:
            raise BadCatchUp(f"0x{signed.id.hex()} is not in set {authorities.set_id}")
        if not is_signed(signed, catch_up.round_number, authorities.set_id):
            raise BadCatchUp(
                f"vote of 0x{signed.id.hex()} is not signed for round {catch_up.round_number}"
            )
