"""Which block of the best chain to prevote for.

Owns the restraint of voters: a vote for the very head of the chain often splits from the others'
votes, and a vote far beyond the last estimate makes a long fork final in one stroke. Invariant: the
target lies between the base and the best block of one chain, never above best - distance nor more
than `SPAN_MAX` above the base.
Source: Substrate `sc_consensus_grandpa::voting_rule` (its two default rules); WP II.A.
"""

from typing import Final

from flockchain.consensus.grandpa.chain import Chain
from flockchain.consensus.grandpa.messages import BlockRef

SPAN_MAX: Final = 1_024
"""Blocks above the base for which nobody votes: bounds a round's graph and a proof's headers.

After a long stall finality comes back in steps of this size, one a round.
"""


def compute_target_number(base: int, best: int, distance: int) -> int:
    """Height to vote for: `distance` behind `best`, at most 3/4 of the way up, and `SPAN_MAX`."""
    behind = best - distance
    three_quarters = base + (3 * (best - base) + 2) // 4
    return max(base, min(behind, three_quarters, base + SPAN_MAX))


def restrict(chain: Chain, base: BlockRef, best: BlockRef, distance: int) -> BlockRef:
    """The block between `base` and `best` to vote for. Raises: UnknownBlock; NotDescendant."""
    number = compute_target_number(base.number, best.number, distance)
    if number >= best.number:
        return best
    if number == base.number:
        return base
    below = chain.ancestry(base.hash, best.hash)
    return BlockRef(below[best.number - 1 - number], number)
