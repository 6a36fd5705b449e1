"""How much fits into a block.

Source: Substrate `frame_system::limits`.
"""

from __future__ import annotations

from runtime.frame.weights import DispatchClass, Weight
from runtime.primitives.scale import scale_type
from runtime.primitives.types import U32

PROOF_SIZE_MAX = 2**64 - 1
NORMAL_PERCENT = 75  # of the block that normal calls may fill


@scale_type(path="frame_system::limits::WeightsPerClass")
class WeightsPerClass:
    """Limits of one dispatch class; None is no limit of its own."""

    base_extrinsic: Weight
    max_extrinsic: Weight | None
    max_total: Weight | None
    reserved: Weight | None


@scale_type(path="frame_support::dispatch::PerDispatchClass")
class WeightLimits:
    """Limits by class."""

    normal: WeightsPerClass
    operational: WeightsPerClass
    mandatory: WeightsPerClass


@scale_type(path="frame_system::limits::BlockWeights")
class BlockWeights:
    """Weight limits of a block."""

    base_block: Weight
    max_block: Weight
    per_class: WeightLimits

    def total_max(self, dispatch_class: DispatchClass) -> Weight | None:
        """What all calls of a class may use together."""
        match dispatch_class:
            case DispatchClass.NORMAL:
                return self.per_class.normal.max_total
            case DispatchClass.OPERATIONAL:
                return self.per_class.operational.max_total
            case DispatchClass.MANDATORY:
                return None


@scale_type(path="frame_support::dispatch::PerDispatchClass")
class LengthLimits:
    """Bytes by class."""

    normal: U32
    operational: U32
    mandatory: U32


@scale_type(path="frame_system::limits::BlockLength")
class BlockLength:
    """Bytes that the extrinsics of a block may have together, by class."""

    max: LengthLimits


def block_weights(ref_time_max: int, base_block: Weight, base_extrinsic: Weight) -> BlockWeights:
    """Limits of a block of `ref_time_max` picoseconds, normal calls bounded to their part."""
    whole = Weight(ref_time_max, PROOF_SIZE_MAX)
    normal = Weight(ref_time_max * NORMAL_PERCENT // 100, PROOF_SIZE_MAX)
    return BlockWeights(
        base_block,
        whole,
        WeightLimits(
            WeightsPerClass(base_extrinsic, normal, normal, None),
            WeightsPerClass(base_extrinsic, whole, whole, None),
            WeightsPerClass(base_extrinsic, None, None, None),
        ),
    )


def block_length(size_bytes_max: int) -> BlockLength:
    """Limits of a block of `size_bytes_max` bytes."""
    normal = size_bytes_max * NORMAL_PERCENT // 100
    return BlockLength(LengthLimits(normal, size_bytes_max, size_bytes_max))
