"""What finality asks of the block tree.

Owns the `Chain` interface alone. Invariant expected of an implementation: answers about two known
blocks never change, because a block's ancestry is fixed by its hash.
Source: GRANDPA paper 2; Substrate `finality_grandpa::{Chain, Environment}`.
"""

from typing import Protocol

from flockchain.consensus.grandpa.messages import BlockRef
from runtime.primitives.header import Header
from runtime.primitives.types import Hash


class UnknownBlock(LookupError):
    """A block that is not imported, or not kept any more."""


class NotDescendant(ValueError):
    """A block does not build on the block it should build on."""


class Chain(Protocol):
    """The imported blocks that build on the last finalized one, and the finalized chain below."""

    def number(self, block: Hash) -> int | None:
        """Height of `block`, None if it is not imported."""

    def is_equal_or_descendant(self, base: Hash, block: Hash) -> bool:
        """Whether `block` is `base` or builds on it; False if either is unknown."""

    def ancestry(self, base: Hash, block: Hash) -> list[Hash]:
        """The blocks strictly between `block` and `base`, from `block`'s parent downwards.

        Empty if `block` is `base` or its child. Raises: UnknownBlock; NotDescendant.
        """

    def best_containing(self, base: Hash) -> BlockRef | None:
        """Head of the best chain that contains `base`, None if `base` is unknown.

        `base` may lie below the finalized block, when finality overtook the round we are in.
        """

    def last_votable(self, block: BlockRef) -> BlockRef:
        """`block`, or the block below it that changes the authority set.

        The blocks after a change are the next set's to finalize.
        """

    def is_last(self, block: Hash) -> bool:
        """Whether no block comes on top of `block` before it is final."""

    def header(self, block: Hash) -> Header:
        """The header of an imported block. Raises: UnknownBlock."""
