"""The file of an opening: of a client's update, which it keeps, or of the sum, which is handed out.

Owns the bytes: numbers of 4 bytes, of 8 in sums of masked ones, little endian, then the blinders,
32 bytes each, big endian.
Invariant: an opening has one file for a setup; a file of another size or with a blinder that is no
scalar is refused.
Source: WP VI.H; zkFL (arXiv 2310.02554) 4; the format is this project's.
"""

from __future__ import annotations

from typing import Final

import torch

from ml.zk.openings import Opening, OpeningError
from runtime.primitives.zk_points import ORDER, SCALAR_BYTES
from runtime.primitives.zk_setup import BLINDERS, Setup

NUMBER_BYTES: Final = 4
MASKED_SUM_BYTES: Final = 8
_HALF: Final = 1 << 31
_WHOLE: Final = 1 << 32


def encode_masked_sum(opening: Opening) -> bytes:
    """The file of a sum of masked numbers."""
    return bytes(opening.numbers.numpy().tobytes()) + _encode_blinders(opening)


def encode_opening(opening: Opening) -> bytes:
    """The file. Raises `OpeningError` if a number is not from 0 to below 2^32."""
    numbers = opening.numbers
    if int(numbers.min()) < 0 or int(numbers.max()) >= _WHOLE:
        raise OpeningError("a number is not from 0 to below 2^32")
    signed = torch.where(numbers >= _HALF, numbers - _WHOLE, numbers).to(torch.int32)
    return bytes(signed.numpy().tobytes()) + _encode_blinders(opening)


def _encode_blinders(opening: Opening) -> bytes:
    rows = (each.to_bytes(SCALAR_BYTES, "big") for row in opening.blinders for each in row)
    return b"".join(rows)


def read_opening(
    data: bytes, parameters: int, setup: Setup, *, is_masked_sum: bool = False
) -> Opening:
    """The opening of a vector of so many parameters. Raises `OpeningError`."""
    size = MASKED_SUM_BYTES if is_masked_sum else NUMBER_BYTES
    split, row = size * parameters, BLINDERS * SCALAR_BYTES
    if len(data) != split + row * setup.chunks_of(parameters):
        raise OpeningError(f"a file of {len(data)} bytes for {parameters} numbers")
    kind = torch.int64 if is_masked_sum else torch.int32
    numbers = torch.frombuffer(bytearray(data[:split]), dtype=kind).to(torch.int64)
    if not is_masked_sum:
        numbers = torch.where(numbers < 0, numbers + _WHOLE, numbers)
    blinders = tuple(
        tuple(
            int.from_bytes(data[at : at + SCALAR_BYTES], "big")
            for at in range(start, start + row, SCALAR_BYTES)
        )
        for start in range(split, len(data), row)
    )
    if any(each >= ORDER for row_ in blinders for each in row_):
        raise OpeningError("a blinder is no scalar")
    return Opening(numbers, blinders)
