"""The file of an opening: of a client's update, which it keeps, or of the sum, which is handed out.

Owns the bytes: numbers of 4 bytes, little endian, then the blinders, 32 bytes each, big endian.
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
_HALF: Final = 1 << 31
_WHOLE: Final = 1 << 32


def encode_opening(opening: Opening) -> bytes:
    """The file. Raises `OpeningError` if a number is not from 0 to below 2^32."""
    numbers = opening.numbers
    if int(numbers.min()) < 0 or int(numbers.max()) >= _WHOLE:
        raise OpeningError("a number is not from 0 to below 2^32")
    signed = torch.where(numbers >= _HALF, numbers - _WHOLE, numbers).to(torch.int32)
    rows = (each.to_bytes(SCALAR_BYTES, "big") for row in opening.blinders for each in row)
    return bytes(signed.numpy().tobytes()) + b"".join(rows)


def read_opening(data: bytes, parameters: int, setup: Setup) -> Opening:
    """The opening of a vector of so many parameters. Raises `OpeningError`."""
    split, row = NUMBER_BYTES * parameters, BLINDERS * SCALAR_BYTES
    if len(data) != split + row * setup.chunks_of(parameters):
        raise OpeningError(f"a file of {len(data)} bytes for {parameters} numbers")
    signed = torch.frombuffer(bytearray(data[:split]), dtype=torch.int32).to(torch.int64)
    blinders = tuple(
        tuple(
            int.from_bytes(data[at : at + SCALAR_BYTES], "big")
            for at in range(start, start + row, SCALAR_BYTES)
        )
        for start in range(split, len(data), row)
    )
    if any(each >= ORDER for row_ in blinders for each in row_):
        raise OpeningError("a blinder is no scalar")
    return Opening(torch.where(signed < 0, signed + _WHOLE, signed), blinders)
