"""The block and the state that a call is about: the best one unless it names another.

Source: Substrate `sc_rpc::state` (`block_or_best`).
"""

from __future__ import annotations

from dataclasses import dataclass

from flockchain.rpc.context import RpcContext
from flockchain.rpc.errors import UnknownBlock
from flockchain.storage.errors import StateDiscarded
from flockchain.storage.state_reader import StateReader
from runtime.primitives.header import Header
from runtime.primitives.types import Hash


@dataclass(frozen=True, slots=True)
class BlockState:
    """A block and the state at its end."""

    hash: Hash
    header: Header
    state: StateReader


def block_or_best(context: RpcContext, at: Hash | None) -> Hash:
    """The block that is meant, whether it is known or not."""
    return context.backend.best.hash if at is None else at


def state_at(context: RpcContext, at: Hash | None) -> BlockState:
    """The state of a block, the best one by default. Raises UnknownBlock."""
    block = block_or_best(context, at)
    header = context.backend.header(block)
    if header is None:
        raise UnknownBlock(block)
    try:
        return BlockState(block, header, context.backend.state.reader(header.state_root))
    except StateDiscarded as error:
        raise UnknownBlock(block) from error
