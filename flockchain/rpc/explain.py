"""`flock_explainReward`: how a payout of the AI Arena follows from the state, with proofs.

Owns the search for the blocks that settled a day: their states still hold the day's stakes, and
their events tell what was paid. A node that has given those states up explains by its best block
as far as it can.

Source: WP V.D to V.I; Substrate `state_getReadProof`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from flockchain.economics.derivation.day_record import read_events, was_held
from flockchain.economics.derivation.state_book import StateBook
from flockchain.economics.derivation.terms import ExplainError, Term
from flockchain.economics.explain import explain
from flockchain.rpc.context import RpcContext
from flockchain.rpc.errors import (
    CLIENT_ERROR,
    ExecutionFailed,
    InvalidParams,
    RpcError,
    UnknownBlock,
)
from flockchain.rpc.lookup import BlockState, state_at
from flockchain.rpc.registry import Call, method
from flockchain.rpc.wire import Json, to_hex
from flockchain.storage.errors import StateDiscarded
from runtime.pallets.arena.records import DayKey
from runtime.primitives.types import AccountId, Hash
from runtime.version import UnknownRuntime

NOT_EXPLAINED: Final = 7002
SCAN_BLOCKS_MAX: Final = 512  # after the end of a day, until its settlement has ended
KEYS_MAX: Final = 8_192  # in the proofs of one answer
_U32_MAX: Final = 2**32 - 1


@dataclass
class _Settlement:
    """The blocks that paid a day; the last of them ended it, for a held day with the next one."""

    blocks: list[BlockState] = field(default_factory=list)
    books: list[StateBook] = field(default_factory=list)
    is_whole: bool = False


@method("flock_explainReward")
def explain_reward(
    call: Call, task: int, day: int, account: AccountId, with_proof: bool | None, at: Hash | None
) -> Json:
    """The derivation tree of what an account got of a task's day.

    It is read from the state after the block that ended the day's settlement, or after `at`, or,
    where these are not kept, after the best block; the answer names it. With `withProof` the answer
    proves every key that the tree was made from, block by block.
    """
    if max(task, day) > _U32_MAX:
        raise InvalidParams(f"expected integers of 32 bits, got {max(task, day)}")
    context, key = call.context, DayKey(task, day)
    best = state_at(context, None)
    try:
        settlement = _find_settlement(context, best, key)
        if at is None and settlement.is_whole:
            found = settlement.blocks[-1]
        else:
            found = state_at(context, at)
        book = StateBook(found.hash, found.state)
        tree = explain(book, task, day, account, settlement.books)
        proofs = _proofs(tree, [found, *settlement.blocks]) if with_proof else None
    except ExplainError as error:
        raise RpcError(NOT_EXPLAINED, "Reward not explained", str(error)) from error
    except UnknownRuntime as error:
        raise ExecutionFailed(str(error)) from error
    except StateDiscarded as error:  # pruned while it was read
        raise UnknownBlock(best.hash if at is None else at) from error
    return {
        "block": to_hex(found.hash),
        "number": found.header.number,
        "isFinalized": context.backend.is_finalized(found.hash),
        "settlement": [to_hex(block.hash) for block in settlement.blocks],
        "tree": tree.as_document(),  # type: ignore[dict-item]
        "proofs": proofs,
    }


def _find_settlement(context: RpcContext, best: BlockState, key: DayKey) -> _Settlement:
    """The blocks of the best chain that paid the day; empty if their states are not here."""
    book = StateBook(best.hash, best.state)
    task = book.open().runtime.tasks.tasks.find(key.task)
    if task is None or not task.is_on(key.day):
        raise ExplainError(f"there is no task {key.task} with a day {key.day}")
    calendar = book.preset.calendar
    result = book.open().runtime.arena.day_results.find(key)
    days = [key.day]
    if result is not None and was_held(result, key.day):
        days.append(key.day + 1)
    found = _Settlement()
    for day in days:
        first = calendar.first_block(day) + calendar.alias_end
        found.is_whole = False
        for number in range(first, min(first + SCAN_BLOCKS_MAX, best.header.number + 1)):
            if not _read_block(context, number, key, found, is_held=day != key.day):
                return _Settlement()
            if found.is_whole:
                break
    return found if found.is_whole else _Settlement()


def _read_block(
    context: RpcContext, number: int, key: DayKey, found: _Settlement, *, is_held: bool
) -> bool:
    """Add a block if it paid the day; false if its state is not here."""
    block = context.backend.blocks.hash_at(number)
    if block is None:
        return False
    try:
        state = state_at(context, block)
    except UnknownBlock:
        return False
    book = StateBook(state.hash, state.state)
    events = read_events(key, [book], is_held=is_held)
    if events:
        found.blocks.append(state)
        found.books.append(book)
    found.is_whole = events.is_whole
    return True


def _proofs(tree: Term, blocks: Sequence[BlockState]) -> list[Json]:
    """One proof a block for all keys of the tree that were read from its state."""
    states = {block.hash: block for block in blocks}
    wanted = tree.keys_by_block()
    count = sum(map(len, wanted.values()))
    if count > KEYS_MAX:
        raise RpcError(CLIENT_ERROR, f"Client error: {count} keys to prove, the most is {KEYS_MAX}")
    proofs: list[Json] = []
    for block, keys in wanted.items():
        held = states[block]
        proofs.append(
            {
                "block": to_hex(block),
                "number": held.header.number,
                "stateRoot": to_hex(held.header.state_root),
                "keys": [to_hex(each) for each in keys],
                "proof": [to_hex(node) for node in held.state.read_proof(keys)],
            }
        )
    return proofs
