"""Epochs: which one a slot belongs to, who may author in it, and on which randomness.

Owns what a header chain says about epochs, so that a block can be checked before it is executed.
The first block of epoch N announces what epoch N+1 runs on. Invariant: a block's epoch data is the
last data announced by an earlier epoch; after epochs without any block the chain goes on with that
data instead of waiting for an announcement that nobody could make.
Source: WP VI.B (VRF); Substrate BABE epochs; reliability: an empty epoch must not stop the chain.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from runtime.primitives.babe_digest import Authority, NextEpoch
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import Hash


class InvalidEpoch(ValueError):
    """A header does not fit the epochs of its chain; the message says why."""


@dataclass(frozen=True, slots=True)
class EpochSchedule:
    """`genesis_slot` is the slot of block 1; an epoch lasts `epoch_slots` slots."""

    genesis_slot: int
    epoch_slots: int

    def epoch_of(self, slot: int) -> int:
        """Index of the epoch of `slot`, from 0. Raises: InvalidEpoch: before block 1."""
        if slot < self.genesis_slot:
            raise InvalidEpoch(f"slot {slot} is before the first slot {self.genesis_slot}")
        return (slot - self.genesis_slot) // self.epoch_slots

    def first_slot(self, epoch: int) -> int:
        """The first slot of epoch `epoch`."""
        return self.genesis_slot + epoch * self.epoch_slots


@dataclass(frozen=True, slots=True)
class EpochData:
    """What an epoch runs on; `total_weight` is kept because the lottery asks for it every slot."""

    authorities: tuple[Authority, ...]
    randomness: Hash
    total_weight: int

    @classmethod
    def of(cls, authorities: Iterable[Authority], randomness: Hash) -> "EpochData":
        """Raises: InvalidEpoch: nobody has any weight."""
        listed = tuple(authorities)
        total = sum(authority.weight for authority in listed)
        if total == 0:
            raise InvalidEpoch(f"{len(listed)} authorities have no weight")
        return cls(listed, randomness, total)


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch and its data."""

    index: int
    data: EpochData


@dataclass(frozen=True, slots=True)
class EpochView:
    """The epochs as they stand after some block of a chain, forks having views of their own."""

    schedule: EpochSchedule
    current: Epoch
    announced: EpochData

    @classmethod
    def at_genesis(cls, schedule: EpochSchedule, data: EpochData) -> "EpochView":
        """Before block 1: epochs 0 and 1 run on the genesis authorities."""
        return cls(schedule, Epoch(0, data), data)

    def epoch_for(self, slot: int) -> Epoch:
        """The epoch of a child block in `slot`. Raises: InvalidEpoch: it lies in the past."""
        index = self.schedule.epoch_of(slot)
        if index < self.current.index:
            raise InvalidEpoch(f"slot {slot} lies in epoch {index}, before {self.current.index}")
        return self.current if index == self.current.index else Epoch(index, self.announced)

    def after(self, slot: int, announcement: NextEpoch | None, *, is_first: bool) -> "EpochView":
        """The view after a child block in `slot`; `is_first` marks block 1.

        Raises: InvalidEpoch: an epoch's first block announces nothing, or another block does.
        """
        epoch = self.epoch_for(slot)
        must_announce = is_first or epoch.index != self.current.index
        if must_announce != (announcement is not None):
            state = "announces no next epoch" if must_announce else "announces an epoch again"
            raise InvalidEpoch(f"block in slot {slot} of epoch {epoch.index} {state}")
        if announcement is None:
            return self
        announced = EpochData.of(announcement.authorities, announcement.randomness)
        return EpochView(self.schedule, epoch, announced)


def compute_randomness(genesis_hash: Hash, epoch: int, outputs: Iterable[bytes]) -> Hash:
    """R(epoch) from the 64-byte VRF outputs of the blocks of epoch - 2, in block order.

    The epoch's index is hashed with them: an epoch of no blocks still changes the randomness.
    """
    seed = b"flock/rand" + genesis_hash + epoch.to_bytes(8, "little")
    return blake2b_256(seed + b"".join(outputs))
