"""Proofs of finality: strict verification, and construction from a commit.

Owns the rules by which a stranger accepts a block as final. They are stricter than Substrate's in
three points: one vote an authority, every vote at or above the target, and each ancestry header
once; what our own rounds produce obeys them, and a proof has fewer encodings to attack. Invariant:
verification reads nothing but its arguments. Weights are summed over distinct members, so the sum
is at most the set's total and cannot overflow.
Source: GRANDPA paper 2.4; Substrate `sc_consensus_grandpa::GrandpaJustification`.
"""

from flockchain.consensus.grandpa.authorities import AuthoritySet
from flockchain.consensus.grandpa.chain import Chain
from flockchain.consensus.grandpa.messages import (
    BlockRef,
    Commit,
    GrandpaJustification,
    is_signed,
)
from runtime.primitives.header import Header
from runtime.primitives.types import Hash


class JustificationError(ValueError):
    """The justification or commit does not prove finality; the message says why."""


class UnknownVoter(JustificationError):
    """A precommit of a key outside the authority set."""


class DuplicateVoter(JustificationError):
    """Two precommits of one authority."""


class InsufficientWeight(JustificationError):
    """The precommits weigh less than the supermajority."""


class BadSignature(JustificationError):
    """A signature is not the voter's for this vote, round and set: also a wrong round or set."""


class WrongTarget(JustificationError):
    """The justification is for another block than the one it was presented for."""


class VoteBelowTarget(JustificationError):
    """A precommit for a height below the target, or for another block at its height."""


class BrokenAncestry(JustificationError):
    """The ancestry headers do not lead from a precommit's block down to the target."""


class UnusedHeader(JustificationError):
    """An ancestry header that no precommit needs, or that is given twice."""


def verify(justification: GrandpaJustification, authorities: AuthoritySet) -> None:
    """Check that `justification` proves its target final under `authorities`.

    Cheap rules come first: signatures are checked only for a set of votes that would suffice.
    Raises: JustificationError: the subclass names the broken rule.
    """
    commit = justification.commit
    check_weight(commit, authorities)
    _check_ancestries(justification)
    check_signatures(commit, justification.round, authorities)


def verify_for(
    justification: GrandpaJustification, authorities: AuthoritySet, block: BlockRef
) -> None:
    """`verify`, and that the target is `block`. Raises: JustificationError."""
    if justification.commit.target != block:
        raise WrongTarget(f"justification for {justification.commit.target}, not for {block}")
    verify(justification, authorities)


def check_weight(commit: Commit, authorities: AuthoritySet) -> None:
    """Check that distinct members with enough weight voted at or above the target's height.

    Raises: UnknownVoter; DuplicateVoter; VoteBelowTarget; InsufficientWeight.
    """
    weights: dict[bytes, int] = {}
    for vote in commit.precommits:
        if vote.id not in authorities:
            raise UnknownVoter(f"0x{vote.id.hex()} is not in set {authorities.set_id}")
        if vote.id in weights:
            raise DuplicateVoter(f"two precommits of 0x{vote.id.hex()}")
        target = BlockRef(vote.precommit.target_hash, vote.precommit.target_number)
        if target.number < commit.target_number or (
            target.number == commit.target_number and target != commit.target
        ):
            raise VoteBelowTarget(f"precommit for {target}, target is {commit.target}")
        weights[vote.id] = authorities.weight(vote.id)
    weight = sum(weights.values())
    if weight < authorities.threshold:
        raise InsufficientWeight(f"weight {weight}, {authorities.threshold} is needed")


def check_signatures(commit: Commit, round_number: int, authorities: AuthoritySet) -> None:
    """Check every precommit's signature. Raises: BadSignature."""
    for vote in commit.precommits:
        if not is_signed(vote.signed_message(), round_number, authorities.set_id):
            raise BadSignature(
                f"precommit of 0x{vote.id.hex()} is not signed for round {round_number} "
                f"of set {authorities.set_id}"
            )


def check_descent(commit: Commit, chain: Chain) -> None:
    """Check that every vote is for the target or a block built on it, all of them known.

    Raises: BrokenAncestry.
    """
    for vote in commit.precommits:
        target = BlockRef(vote.precommit.target_hash, vote.precommit.target_number)
        if chain.number(target.hash) != target.number or not chain.is_equal_or_descendant(
            commit.target_hash, target.hash
        ):
            raise BrokenAncestry(f"{target} does not build on {commit.target}")


def from_commit(round_number: int, commit: Commit, chain: Chain) -> GrandpaJustification:
    """The justification of a commit whose blocks are all known.

    Raises: UnknownBlock; NotDescendant.
    """
    headers: dict[Hash, Header] = {}
    for vote in commit.precommits:
        block = vote.precommit.target_hash
        if block == commit.target_hash:
            continue
        for between in (block, *chain.ancestry(commit.target_hash, block)):
            headers.setdefault(between, chain.header(between))
    ordered = sorted(headers.items(), key=lambda item: (item[1].number, item[0]))
    return GrandpaJustification(round_number, commit, [header for _, header in ordered])


def _check_ancestries(justification: GrandpaJustification) -> None:
    """Check that the headers are exactly those between the votes' blocks and the target."""
    commit = justification.commit
    headers: dict[Hash, Header] = {}
    for header in justification.votes_ancestries:
        block = header.hash()
        if block in headers:
            raise UnusedHeader(f"header {BlockRef(block, header.number)} is given twice")
        headers[block] = header
    used: set[Hash] = set()
    for vote in commit.precommits:
        target = BlockRef(vote.precommit.target_hash, vote.precommit.target_number)
        _walk(target, commit.target, headers, used)
    for block, header in headers.items():
        if block not in used:
            raise UnusedHeader(f"header {BlockRef(block, header.number)} serves no precommit")


def _walk(block: BlockRef, target: BlockRef, headers: dict[Hash, Header], used: set[Hash]) -> None:
    """Follow parents from `block` down to `target`, marking the headers passed."""
    while block != target:
        header = headers.get(block.hash)
        if header is None or header.number != block.number or block.number <= target.number:
            raise BrokenAncestry(f"no header leads from {block} down to {target}")
        if block.hash in used:
            return  # another vote has passed here, and reached the target
        used.add(block.hash)
        block = BlockRef(header.parent_hash, block.number - 1)
