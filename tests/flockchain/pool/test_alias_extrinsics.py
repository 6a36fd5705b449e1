"""Extrinsics of aliases in pool and blocks: feeless, one for a tag, stale after their window."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from flockchain.pool.errors import Banned, Refused, TooLowPriority
from flockchain.pool.pool import Pool, PoolConfig
from runtime import frame
from runtime.api import (
    BlockExecution,
    execute_block,
    inherent_extrinsics,
    runtime_at,
    validate_transaction,
)
from runtime.economy.tasks import TaskStatus
from runtime.frame.errors import InvalidKind, TransactionValidityError
from runtime.frame.externalities import DictState
from runtime.frame.extrinsic import Extra, MetadataHashMode, Preamble, assemble
from runtime.frame.pallet import encode_call
from runtime.frame.validity import TransactionSource, ValidTransaction
from runtime.pallets.arena import Arena
from runtime.pallets.arena.aliases import PRIORITY
from runtime.pallets.treasury import TREASURY
from runtime.primitives.babe_digest import instant_log
from runtime.primitives.era import IMMORTAL
from runtime.primitives.header import Header
from runtime.primitives.multi import Ed25519, Id
from runtime.primitives.types import ZERO_HASH, Hash
from runtime.runtime import Runtime
from tests.runtime.pallets.alias_world import commitment, opening, shared
from tests.runtime.pallets.arena.blind_task import running
from tests.runtime.pallets.world import World, account
from tests.runtime.played_state import top_of

HEAD = Hash(b"h" * 32)
FIRST = 20  # of the task's first day


@dataclass
class Node:
    """A pool over a chain's head, and blocks made of it."""

    top: dict[bytes, bytes]
    number: int
    events: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pool = Pool(PoolConfig(), self.validate)

    @property
    def runtime(self) -> Runtime:
        return runtime_at(DictState(self.top))

    def validate(self, source: TransactionSource, data: bytes) -> ValidTransaction:
        return validate_transaction(DictState(self.top), HEAD, self.number, source, data)

    def submit(self, data: bytes) -> None:
        self.pool.submit(data, TransactionSource.EXTERNAL, best_number=self.number, now_ms=0)

    def block(self, *extra: bytes) -> list[bytes]:
        """Make and execute a block of what is ready; tell the pool."""
        state, number = DictState(self.top), self.number + 1
        execution = BlockExecution(state, HEAD, number, [instant_log(0)], lambda *_: True)
        body = inherent_extrinsics(1_700_000_000_000 + 1_000 * number)
        for data in [*body, *(entry.data for entry in self.pool.best()), *extra]:
            failed = execution.apply(data)
            assert failed is None, failed
            if data not in body:
                body.append(data)
        self.events = [event for _, event in execution.runtime.ext.events]
        made = execution.finish()
        header = Header(HEAD, number, ZERO_HASH, ZERO_HASH, made.digest)
        assert execute_block(state, header, body, lambda *_: True) == made
        merged = {**self.top, **made.changes}
        self.top = {key: value for key, value in merged.items() if value is not None}
        self.number = number
        self.pool.on_block(HEAD, number, body, [], 0)
        return body

    def go_to(self, number: int) -> None:
        """Blocks of nothing else."""
        while self.number < number:
            self.block()


def world_at(position: int) -> World:
    world = running()
    world.go_to(1, position)
    return world


def node_at(world: World) -> Node:
    return Node(top_of(world), world.number)


def unsigned(function: object, *arguments: object) -> bytes:
    return assemble(encode_call(function, *arguments), None)  # type: ignore[arg-type]


def test_a_blind_submission_costs_nobody_anything() -> None:
    world = world_at(0)
    made, node = commitment(world, "n1", 0, "good"), node_at(world)
    before = node.runtime
    amounts = [before.balances.free(account(name)) for name in ("n1", "n2", "creator")]
    kept = before.balances.issuance(), before.balances.free(TREASURY)
    node.submit(unsigned(Arena.commit_alias, *made.arguments()))
    (entry,) = node.pool.best()
    assert (entry.priority, entry.provides, entry.propagate) == (PRIORITY, (made.tag,), True)
    assert entry.dies_at == FIRST + 8 - 1  # the last block that can take it
    assert len(node.block()) == 2
    assert len(node.pool) == 0
    node.go_to(FIRST + 7)
    node.submit(unsigned(Arena.reveal_alias, *opening("n1", 0, "good")))
    node.block()
    after = node.runtime
    assert after.arena.submissions.get((0, 0)).owner is None
    assert amounts == [after.balances.free(account(name)) for name in ("n1", "n2", "creator")]
    assert kept == (after.balances.issuance(), after.balances.free(TREASURY))


def test_keys_of_an_alias_come_in_a_block() -> None:
    world = world_at(0)
    made, node = commitment(world, "n1", 0, "good"), node_at(world)
    node.submit(unsigned(Arena.commit_alias, *made.arguments()))
    node.go_to(FIRST + 7)
    node.submit(unsigned(Arena.reveal_alias, *opening("n1", 0, "good")))
    node.go_to(FIRST + 10)
    views = node.runtime.arena.views
    boxes = [world.box(world.name_of(each.validator)) for each in views.validators_of(0, 1, 0)]
    world.go_to(1, 10)  # signatures name the day only
    node.submit(unsigned(Arena.share_keys_of_alias, *shared(world, "n1", 0, "good", 0, boxes)))
    node.block()
    recipients = node.runtime.arena.views.validators_of(0, 1, 0)
    assert recipients
    assert all(each.has_key for each in recipients)


def test_of_two_with_one_tag_the_first_stays_in_the_pool() -> None:
    world = world_at(0)
    first, second = (commitment(world, "n1", 0, model) for model in ("good", "fair"))
    assert first.tag == second.tag
    node = node_at(world)
    data = unsigned(Arena.commit_alias, *first.arguments())
    node.submit(data)
    rival = unsigned(Arena.commit_alias, *second.arguments())
    with pytest.raises(TooLowPriority):
        node.submit(rival)
    with pytest.raises(TransactionValidityError) as caught:
        node.block(rival)
    assert caught.value.kind is InvalidKind.STALE
    node.block()
    for again in (data, rival):
        with pytest.raises(Refused, match="the tag is used"):
            node.submit(again)
        with pytest.raises(Banned):  # for good
            node.submit(again)


def test_what_is_late_dies_in_the_pool_and_is_in_no_block() -> None:
    world = world_at(6)
    made, node = commitment(world, "n1", 0, "good"), node_at(world)
    data = unsigned(Arena.commit_alias, *made.arguments())
    node.submit(data)
    kept = list(node.pool.best())
    node.pool.remove_invalid(kept[0].hash, 0)  # an author passed it over
    node.go_to(FIRST + 6)
    late = node_at(world)
    late.submit(data)
    late.top, late.number = node.top, node.number
    late.pool.on_block(HEAD, FIRST + 7, [], [], 0)
    assert len(late.pool) == 0
    node.go_to(FIRST + 7)
    with pytest.raises(TransactionValidityError) as caught:
        node.block(data)
    assert (caught.value.kind, str(caught.value)) == (InvalidKind.STALE, "the window is closed")


def test_too_early_is_refused_and_may_come_again() -> None:
    world = world_at(3)
    node = node_at(world)
    reveal = unsigned(Arena.reveal_alias, *opening("n1", 0, "good"))
    for _ in range(2):
        with pytest.raises(Refused, match="the window opens later"):
            node.submit(reveal)


def test_a_signed_call_of_an_alias_fails_and_pays() -> None:
    world = world_at(0)
    made, node = commitment(world, "n1", 0, "good"), node_at(world)
    call = encode_call(Arena.commit_alias, *made.arguments())
    extra = Extra(IMMORTAL, 0, 0, MetadataHashMode.DISABLED)
    data = assemble(call, Preamble(Id(account("n1")), Ed25519(bytes(64)), extra))
    state = DictState(node.top)
    execution = BlockExecution(state, HEAD, node.number + 1, [instant_log(0)], lambda *_: True)
    execution.apply(inherent_extrinsics(1_700_000_000_000)[0])
    before = execution.runtime.balances.free(account("n1"))
    assert isinstance(execution.apply(data), frame.BadOrigin)
    assert execution.runtime.balances.free(account("n1")) < before
    assert list(execution.runtime.arena.aliases.items()) == []


def test_garbage_is_refused() -> None:
    world = world_at(0)
    made, node = commitment(world, "n1", 0, "good"), node_at(world)
    wrong = unsigned(Arena.commit_alias, *replace(made, seal=bytes(32)).arguments())
    with pytest.raises(Refused, match="no member of the ring"):
        node.submit(wrong)
    with pytest.raises(Banned):
        node.submit(wrong)
    assert node.runtime.tasks.get_task(0).status is TaskStatus.ACTIVE
