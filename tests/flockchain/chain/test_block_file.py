"""Files of blocks: written and read again, and everything that is no such file."""

from __future__ import annotations

from io import BytesIO

import pytest

from flockchain.chain.block_file import BlockFile, BlockFileError, FiledBlock, write_blocks
from tests.flockchain.chain.chain_fixture import FIRST, Place, signer
from tests.runtime.block_chain import ALICE, remark

PLACE = Place()
BLOCKS = [
    FiledBlock(*PLACE.make(PLACE.backend.genesis, FIRST)),
    FiledBlock(
        *PLACE.make(PLACE.backend.genesis, FIRST + 1, signer(PLACE).sign(ALICE, remark())), b"proof"
    ),
]


def filed(count: int = 2) -> bytes:
    file = BytesIO()
    write_blocks(file, count, BLOCKS)
    return file.getvalue()


def read(data: bytes) -> list[FiledBlock]:
    return list(BlockFile(BytesIO(data)))


def test_blocks_come_back_as_they_were() -> None:
    assert read(filed()) == BLOCKS
    assert BlockFile(BytesIO(filed())).count == 2


def test_extrinsics_carry_one_length_prefix_as_in_a_signed_block() -> None:
    block = BLOCKS[1]
    header = block.header.encode()
    assert block.encode()[len(header) :] == (
        bytes([len(block.body) << 2]) + b"".join(block.body) + b"\1\4FRNK\x14proof"
    )


def test_a_file_that_breaks_off_anywhere_is_refused() -> None:
    data = filed()
    for end in range(len(data)):
        with pytest.raises(BlockFileError):
            read(data[:end])


@pytest.mark.parametrize("data", [filed() + b"\0", filed(1)])
def test_a_file_that_goes_on_is_refused(data: bytes) -> None:
    with pytest.raises(BlockFileError, match=r"goes on after its \d blocks"):
        read(data)


def test_a_count_or_a_length_that_lies_is_refused() -> None:
    with pytest.raises(BlockFileError, match=r"block 3 of 18446744073709551615"):
        read(b"\xff" * 8 + filed()[8:])
    huge = b"\1" + bytes(7) + BLOCKS[0].header.encode()
    with pytest.raises(BlockFileError, match="extrinsics, a block has"):
        read(huge + b"\xfe\xff\xff\xff")
    with pytest.raises(BlockFileError, match="within an extrinsic"):
        read(huge + b"\4\xfe\xff\xff\xff")
