"""How long a signed transaction stays valid: for ever, or from its birth block for a period.

Source: Substrate `sp_runtime::generic::Era`.
"""

from __future__ import annotations

from dataclasses import dataclass

from runtime.primitives.scale import DecodeError, EncodeError, set_shape
from runtime.primitives.scale.shape import U8_SHAPE, Custom, Field, Shape, VariantCase, VariantShape


@dataclass(frozen=True, slots=True)
class Era:
    """`period` blocks (a power of two in 4..65536, 0 for immortal) with `phase` below it."""

    period: int = 0
    phase: int = 0

    def birth(self, current: int) -> int:
        """The block whose hash is signed, at block number `current`. 0 when immortal."""
        if self.period == 0:
            return 0
        return (max(current, self.phase) - self.phase) // self.period * self.period + self.phase

    def death(self, current: int) -> int | None:
        """The first block in which the transaction is no longer valid. None when immortal."""
        return None if self.period == 0 else self.birth(current) + self.period


IMMORTAL = Era()


def mortal(period: int, current: int) -> Era:
    """The era of `period` blocks (rounded up to a power of two) that starts around `current`."""
    rounded = min(max(1 << (period - 1).bit_length(), 4), 1 << 16)
    quantum = max(rounded >> 12, 1)
    return Era(rounded, current % rounded // quantum * quantum)


def _encode(era: Era, out: bytearray) -> None:
    if era.period == 0:
        out.append(0)
        return
    period = era.period
    if period & (period - 1) or not 4 <= period <= 1 << 16 or not 0 <= era.phase < period:
        raise EncodeError(f"no era of period {period} and phase {era.phase}")
    quantum = max(period >> 12, 1)
    if era.phase % quantum:
        raise EncodeError(f"era phase {era.phase} is no multiple of {quantum}")
    out += (era.phase // quantum << 4 | (period.bit_length() - 2)).to_bytes(2, "little")


def _decode(data: bytes, offset: int) -> tuple[Era, int]:
    if data[offset] == 0:
        return IMMORTAL, offset + 1
    raw = data[offset] | data[offset + 1] << 8
    period = 2 << (raw % 16)
    phase = (raw >> 4) * max(period >> 12, 1)
    if period < 4 or phase >= period:
        raise DecodeError(f"era of period {period} and phase {phase}")
    return Era(period, phase), offset + 2


_described: Shape = VariantShape(
    ("sp_runtime", "generic", "era", "Era"),
    [VariantCase("Immortal", 0, (), None)]
    + [VariantCase(f"Mortal{i}", i, (Field(None, U8_SHAPE),), None) for i in range(1, 256)],
)
set_shape(Era, Custom(_encode, _decode, lambda: _described))
