"""Storms of extrinsics: the pool stays within its limits, and honest ones get through.

Extrinsics are real, validation knows nonces and tips only, so that what is measured is the pool.
"""

from __future__ import annotations

from contextlib import suppress

import pytest

from flockchain.pool.errors import Banned, PoolError, TooLowPriority
from flockchain.pool.pool import PoolConfig
from runtime.frame.errors import InvalidKind
from runtime.frame.extrinsic import extrinsic_hash
from tests.flockchain.pool.pool_fixture import World, extrinsic

SENDERS = 1_000


def flood(world: World, count: int) -> int:
    """Gapped extrinsics of many senders; how many the pool took."""
    taken = 0
    for place in range(count):
        sender, nonce = place % SENDERS, 2 + place // SENDERS
        with suppress(PoolError):
            world.submit(extrinsic(f"s{sender}", nonce))
            taken += 1
    return taken


def bookkeeping(world: World) -> int:
    """Entries of all indices of the pool."""
    queues = (world.pool.ready, world.pool.future)
    parts = [part for queue in queues for part in vars(queue).values() if hasattr(part, "__len__")]
    return sum(len(part) for part in parts)


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_gaps_fill_nothing_but_their_own_queue(count: int) -> None:
    world = World()
    flood(world, count)
    assert len(world.pool.future.entries) <= world.config.future_count_max
    assert len(world.pool) <= world.config.count_max
    assert world.pool.size_bytes <= world.config.size_bytes_max
    assert bookkeeping(world) < 5 * world.config.future_count_max
    honest = extrinsic("honest", 0)
    world.submit(honest)
    assert world.best() == [honest]
    world.submit(extrinsic("honest", 2))  # a gap of its own finds room, too
    world.submit(extrinsic("honest", 1))
    assert len(world.best()) == 3
    world.block(honest)
    assert len(world.best()) == 2
    world.check()


def test_one_sender_cannot_take_what_waits() -> None:
    world = World()
    for nonce in range(1, 3_000):
        with suppress(PoolError):
            world.submit(extrinsic("alice", nonce))
    assert len(world.waiting()) == world.config.future_per_sender_max == 64
    world.check()


def test_replacing_one_extrinsic_again_and_again_costs_a_tenth_each_time() -> None:
    world, taken = World(), 0
    for tip in range(100, 3_000):
        with suppress(TooLowPriority):
            world.submit(extrinsic("alice", 0, tip))
            taken += 1
    assert taken <= 37  # 1.1 ** 36 is above 30
    assert len(world.pool) == 1
    world.check()


def test_a_full_pool_of_ready_ones_takes_the_better_and_keeps_its_size() -> None:
    config = PoolConfig(count_max=2_000)
    world = World(config)
    for place in range(6_000):
        world.submit(extrinsic(f"s{place}", 0, tip=1 + place))
    assert len(world.pool) == 2_000
    assert min(entry.priority for entry in world.pool.ready.entries.values()) == 4_001
    for place in range(1_000):
        with pytest.raises(PoolError):
            world.submit(extrinsic(f"t{place}", 0))
    honest = extrinsic("honest", 0, tip=10_000)
    world.submit(honest)
    assert world.best()[0] == honest
    assert bookkeeping(world) < 6 * config.count_max
    worst = world.pool.ready.worst(())
    assert worst is not None
    assert worst.priority == 4_002


def test_bad_ones_are_looked_at_once_and_the_ban_list_is_bounded() -> None:
    world = World(PoolConfig(banned_count_max=500))
    bad = [extrinsic("mallory", nonce) for nonce in range(1_000)]
    for data in bad:
        world.refusals[extrinsic_hash(data)] = InvalidKind.BAD_PROOF
        with pytest.raises(PoolError):
            world.submit(data)
    checks = world.checks
    for data in bad[-500:]:
        with pytest.raises(Banned):
            world.submit(data)
    assert world.checks == checks
    assert world.config.ban_ms == 30 * 60 * 1_000
    world.check()


def test_the_limits_are_those_that_are_published() -> None:
    config = PoolConfig()
    assert (config.count_max, config.size_bytes_max) == (8_192, 20 * 1024 * 1024)
    assert (config.future_per_sender_max, config.bump_percent) == (64, 110)
