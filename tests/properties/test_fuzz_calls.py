"""Every call with whatever arguments fit its types: it may fail, but breaks nothing.

Blocks are executed over states of a played day and the days after it. What a block did is executed
once more as a stranger's, and every invariant checked.
"""

from __future__ import annotations

from functools import cache
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import frame
from runtime.api import BlockExecution, execute_block, inherent_extrinsics, runtime_at
from runtime.economy.tasks import Role
from runtime.frame.call import installed_pallets
from runtime.frame.errors import ArithmeticFailure, DispatchError, TransactionValidityError
from runtime.frame.externalities import DictState
from runtime.frame.extrinsic import Extra, MetadataHashMode, Preamble, assemble
from runtime.frame.origin import signed
from runtime.frame.pallet import CallEntry
from runtime.frame.traits import pallet_account
from runtime.pallets.treasury import TREASURY
from runtime.primitives.babe_digest import instant_log
from runtime.primitives.era import IMMORTAL
from runtime.primitives.header import Header
from runtime.primitives.multi import Ed25519, Id
from runtime.primitives.ring_signature import public_key
from runtime.primitives.types import FML, ZERO_HASH, AccountId, Hash
from tests.properties.random_arguments import Arguments
from tests.runtime.pallets.alias_world import alias_of, secret_of, set_ring_keys
from tests.runtime.pallets.test_random_operations import play_honestly
from tests.runtime.pallets.world import (
    KEY_B,
    MODELS,
    NODES,
    VALIDATORS,
    World,
    account,
    content,
    new_world,
    salt_of,
    terms,
    with_participants,
)
from tests.runtime.played_state import top_of

NAMES = ("creator", "idle", *NODES, *VALIDATORS)
KNOWN = [
    *(account(name) for name in NAMES),
    account("nobody"),
    TREASURY,
    pallet_account(b"arena", bytes(4)),
    KEY_B,
    *(content(model) for model in MODELS.values()),
    *(salt_of(name, model) for name, model in MODELS.items()),
    *(public_key(secret_of(name)) for name in NAMES),
    *(alias_of("n3", f"hidden 0 {day}").verify_key.encode() for day in (1, 2)),
]
ENTRIES = [entry for pallet in installed_pallets() for _, entry in sorted(pallet.calls.items())]
BLOCKS = 85  # day 0, the three days of the tasks, and a little more
HEAD = Hash(b"h" * 32)


@cache
def tops() -> tuple[tuple[int, dict[bytes, bytes]], ...]:
    """Block numbers and the states behind them, over the life of three tasks."""
    world = new_world(checks=False)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms())
    creator, idle = signed(account("creator")), signed(account("idle"))
    world.tasks.create_task(creator, terms(seats=0, final_seats=0), 77 * FML + 1)
    world.tasks.create_task(creator, terms(), 3)
    for task in (0, 1):
        with_participants(world, task)
        world.ledger.delegate(idle, task, account("v1"), 5 * FML)
        world.ledger.delegate(idle, task, account("creator"), 5 * FML)
    world.register("n1", 2, Role.TRAINING_NODE, 10 * FML)
    set_ring_keys(world, NODES)
    return tuple(_play(world) for _ in range(BLOCKS))


def _play(world: World) -> tuple[int, dict[bytes, bytes]]:
    world.next_block()
    play_honestly(world)
    return world.number, top_of(world)


def extrinsic(who: AccountId, nonce: int, entry: CallEntry, arguments: tuple[object, ...]) -> bytes:
    """A call as a block holds it; its signature is not checked here."""
    call = bytes((entry.pallet.pallet_index, entry.index)) + entry.codec.encode(arguments)
    extra = Extra(IMMORTAL, nonce, 0, MetadataHashMode.DISABLED)
    return assemble(call, Preamble(Id(who), Ed25519(bytes(64)), extra))


def unsigned(entry: CallEntry, arguments: tuple[object, ...]) -> bytes:
    """A call of nobody: what a pallet does not accept as such is refused."""
    call = bytes((entry.pallet.pallet_index, entry.index)) + entry.codec.encode(arguments)
    return assemble(call, None)


def run_block(prng: Random, top: dict[bytes, bytes], number: int) -> list[DispatchError | None]:
    """A block of random calls on a state; the results of those that were included."""
    state, logs = DictState(top), [instant_log(0)]
    execution = BlockExecution(state, HEAD, number, logs, lambda *_: True)
    body = inherent_extrinsics(1_700_000_000_000)
    for data in body:
        assert execution.apply(data) is None
    arguments, results = Arguments(prng, KNOWN), list[DispatchError | None]()
    for _ in range(8):
        who, entry = account(prng.choice(NAMES)), prng.choice(ENTRIES)
        nonce = execution.runtime.system.nonce_of(who)
        data = extrinsic(who, nonce, entry, arguments.of(entry))
        if prng.randrange(4) == 0:
            data = unsigned(entry, arguments.of(entry))
        try:
            results.append(execution.apply(data))
            body.append(data)
        except TransactionValidityError:
            continue
    made = execution.finish()
    header = Header(HEAD, number, ZERO_HASH, ZERO_HASH, made.digest)
    assert execute_block(state, header, body, lambda *_: True) == made
    merged = {**top, **made.changes}
    runtime_at(
        DictState({key: value for key, value in merged.items() if value is not None})
    ).try_state()
    return results


@settings(max_examples=150)
@given(st.integers(0, 2**64))
def test_calls_never_break_a_block(seed: int) -> None:
    prng = Random(seed)
    number, top = prng.choice(tops())
    for error in run_block(prng, top, number + 1):
        # No number leaves its range: an overflow here would be a mistake in disguise.
        assert not isinstance(error, ArithmeticFailure)


def test_some_of_the_calls_succeed() -> None:
    prng = Random(1)
    results = [error for number, top in tops() for error in run_block(prng, top, number + 1)]
    assert len(results) > 100
    assert results.count(None) > 20
