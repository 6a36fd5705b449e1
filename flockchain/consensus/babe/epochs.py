"""What the slots of an epoch are claimed with: who may author, with what weight and randomness.

Which epoch a slot lies in, and its data, are the parent state's to say (`runtime.api`): epochs
without a block are jumped over there. Invariant: an epoch has weight, so that somebody can author.

Source: WP VI.B (VRF); Substrate BABE epochs.
"""

from __future__ import annotations

from collections.abc import Iterable

from runtime.primitives.babe_digest import Authority
from runtime.primitives.record import record
from runtime.primitives.types import Hash


class InvalidEpoch(ValueError):
    """Nobody can author in the epoch."""


@record
class EpochData:
    """What an epoch runs on; `total_weight` is kept because the lottery asks for it every slot."""

    authorities: tuple[Authority, ...]
    randomness: Hash
    total_weight: int

    @classmethod
    def of(cls, authorities: Iterable[Authority], randomness: Hash) -> EpochData:
        """Raises: InvalidEpoch: nobody has any weight."""
        listed = tuple(authorities)
        total = sum(authority.weight for authority in listed)
        if total == 0:
            raise InvalidEpoch(f"{len(listed)} authorities have no weight")
        return cls(listed, randomness, total)


@record
class Epoch:
    """An epoch and its data."""

    index: int
    data: EpochData
