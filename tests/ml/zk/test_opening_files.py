"""Openings as files: one for each opening, and nothing else is read."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ml.zk.opening_files import encode_opening, read_opening
from ml.zk.openings import Opening, OpeningError, opening_of
from runtime.primitives.zk_points import ORDER, SCALAR_BYTES
from runtime.primitives.zk_setup import BLINDERS, ethereum_setup

SETUP = ethereum_setup()
PARAMETERS = SETUP.chunk + 2  # two chunks


def made() -> Opening:
    return opening_of(torch.arange(PARAMETERS).to(torch.int16), SETUP)


def test_a_file_holds_numbers_and_blinders() -> None:
    opening = made()
    opening.numbers[-1] = (1 << 32) - 1
    file = encode_opening(opening)
    assert len(file) == 4 * PARAMETERS + 2 * BLINDERS * SCALAR_BYTES
    found = read_opening(file, PARAMETERS, SETUP)
    assert torch.equal(found.numbers, opening.numbers)
    assert found.blinders == opening.blinders


@pytest.mark.parametrize("number", [-1, 1 << 32])
def test_numbers_outside_of_32_bits_have_no_file(number: int) -> None:
    opening = made()
    opening.numbers[3] = number
    with pytest.raises(OpeningError, match="a number is not from 0 to below 2"):
        encode_opening(opening)


def test_other_files_are_refused() -> None:
    opening = made()
    file = encode_opening(opening)
    for other in (b"", file[:-1], file + b"\0"):
        with pytest.raises(OpeningError, match=f"a file of {len(other)} bytes for {PARAMETERS}"):
            read_opening(other, PARAMETERS, SETUP)
    rows = ((ORDER, *opening.blinders[0][1:]), opening.blinders[1])
    with pytest.raises(OpeningError, match="a blinder is no scalar"):
        read_opening(encode_opening(replace(opening, blinders=rows)), PARAMETERS, SETUP)
