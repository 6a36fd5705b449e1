"""Compact integers: one, two, four or up to 67 bytes, always the shortest form.

Source: SCALE (Parity), compact integers.
"""

from __future__ import annotations

from runtime.primitives.scale.errors import DecodeError, EncodeError


def compact_bytes(value: int) -> bytes:
    """The shortest compact form. Raises EncodeError for negatives and above 2**536 - 1."""
    if value < 0x40:
        if value < 0:
            raise EncodeError(f"compact of a negative number: {value}")
        return bytes((value << 2,))
    if value < 0x4000:
        return (value << 2 | 1).to_bytes(2, "little")
    if value < 0x4000_0000:
        return (value << 2 | 2).to_bytes(4, "little")
    length = (value.bit_length() + 7) >> 3
    if length > 67:
        raise EncodeError(f"compact of a number of {length} bytes, the most is 67")
    return bytes(((length - 4) << 2 | 3,)) + value.to_bytes(length, "little")


def encode_compact(value: int, out: bytearray) -> None:
    """Append the shortest compact form of `value`."""
    out += compact_bytes(value)


def decode_compact(data: bytes, offset: int) -> tuple[int, int]:
    """The number and the offset behind it. Raises DecodeError for any but the shortest form."""
    try:
        first = data[offset]
    except IndexError:
        raise DecodeError("end of data in a compact integer") from None
    mode = first & 3
    if mode == 0:
        return first >> 2, offset + 1
    length = 2 if mode == 1 else 4 if mode == 2 else (first >> 2) + 5
    raw = data[offset : offset + length]
    if len(raw) < length:
        raise DecodeError("end of data in a compact integer")
    if mode == 3:
        value = int.from_bytes(raw[1:], "little")
        shortest = raw[-1] != 0 and value >= 0x4000_0000
    else:
        value = int.from_bytes(raw, "little") >> 2
        shortest = value >= (0x40 if mode == 1 else 0x4000)
    if not shortest:
        raise DecodeError(f"compact integer {value} is not in its shortest form")
    return value, offset + length
