"""From genesis to a final block by proofs alone: each change of voters with the votes that made it.

A proof is a list of fragments, lower blocks first. All but the last name new voters; the last may
be any final block. The voters of one fragment check the next. Invariant: whoever is persuaded of a
block holds a supermajority of each set's weight for its successor; nothing else is believed, and
headers between the fragments are not needed.
Source: GRANDPA paper 2.4; Substrate `sc_consensus_grandpa::warp_proof`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flockchain.consensus.grandpa.authorities import AuthoritySet, InvalidAuthoritySet
from flockchain.consensus.grandpa.justification import JustificationError, verify_for
from flockchain.consensus.grandpa.messages import JUSTIFICATION, BlockRef
from runtime.primitives.grandpa_votes import ForcedChange, ScheduledChange, find_set_change
from runtime.primitives.header import Header
from runtime.primitives.scale import DecodeError


class WarpProofError(ValueError):
    """The fragments prove nothing; the message says which of them and why."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A final block and the proof of it."""

    header: Header
    justification: bytes

    @property
    def block(self) -> BlockRef:
        """The block."""
        return BlockRef(self.header.hash(), self.header.number)


@dataclass(frozen=True, slots=True)
class Proven:
    """How far the proofs go: who votes on what comes after the block of height `number`."""

    authorities: AuthoritySet
    number: int

    def follow(self, fragment: Fragment) -> Proven:
        """The next step; a block that names nobody leaves the voters. Raises WarpProofError."""
        block = fragment.block
        if block.number <= self.number:
            raise WarpProofError(f"{block} is not above block {self.number}")
        try:
            verify_for(JUSTIFICATION.decode_all(fragment.justification), self.authorities, block)
            change = find_set_change(fragment.header)
        except (DecodeError, JustificationError) as error:
            raise WarpProofError(f"{block}: {error}") from error
        voters = self.authorities if change is None else self._successors(block, change)
        return Proven(voters, block.number)

    def trusting(self, fragment: Fragment) -> Proven:
        """`follow` for a change that this node checked before and read from its own disk.

        Raises WarpProofError.
        """
        change = find_set_change(fragment.header)
        if change is None:
            raise WarpProofError(f"{fragment.block} names no new voters")
        return Proven(self._successors(fragment.block, change), fragment.header.number)

    def _successors(self, block: BlockRef, change: ScheduledChange | ForcedChange) -> AuthoritySet:
        if change.delay:
            raise WarpProofError(f"{block} delays its change by {change.delay} blocks")
        listed = [(item.key, item.weight) for item in change.next_authorities]
        try:
            return AuthoritySet(self.authorities.set_id + 1, listed)
        except InvalidAuthoritySet as error:
            raise WarpProofError(f"{block} names no voters: {error}") from error


def is_change(fragment: Fragment) -> bool:
    """Whether the block names new voters; its header was decoded by `Proven.follow` before."""
    return find_set_change(fragment.header) is not None


def verify_fragments(start: Proven, fragments: Sequence[Fragment], *, is_last: bool) -> Proven:
    """Follow all of them; only the end of the last answer may be a block without a change.

    Raises WarpProofError.
    """
    proven = start
    for place, fragment in enumerate(fragments, start=1):
        proven = proven.follow(fragment)
        if not is_change(fragment) and not (is_last and place == len(fragments)):
            raise WarpProofError(f"{fragment.block} in the middle names no new voters")
    return proven
