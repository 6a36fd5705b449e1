"""Blocks of a file into the chain, through the same door as a peer's.

Invariant: a block that fails stops the import with its number; what came before stays imported.
Source: Substrate `sc_service::chain_ops::import_blocks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from flockchain.chain.block_file import FiledBlock
from flockchain.chain.errors import (
    AlreadyKnown,
    BelowFinality,
    FutureBlock,
    InvalidBlock,
    UnknownParent,
)
from flockchain.chain.importer import Importer

Settle = Callable[[FiledBlock], None]
"""Makes an imported block final if it is to be. Raises ValueError for a false proof."""


class ImportRefused(Exception):
    """A block of the file cannot be imported; the message names it and says why."""


def import_blocks(
    importer: Importer, blocks: Iterable[FiledBlock], settle: Settle
) -> Iterator[bool]:
    """Import one by one: for each, whether it is new. Raises ImportRefused, BlockFileError."""
    for block in blocks:
        number = block.header.number
        if number == 0:
            raise ImportRefused("block 0 is the genesis of the chain spec, no file gives another")
        try:
            importer.import_block(block.header, block.body)
            is_new = True
        except AlreadyKnown:
            is_new = False
        except (BelowFinality, FutureBlock, UnknownParent) as error:
            raise ImportRefused(f"block {number}: {error}") from error
        except InvalidBlock as error:
            raise ImportRefused(f"block {number} is false: {error}") from error
        try:
            settle(block)
        except ValueError as error:
            raise ImportRefused(f"block {number}: its proof of finality is false: {error}") from (
                error
            )
        yield is_new
