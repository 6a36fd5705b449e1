"""The pool: order, waiting, replacement, limits, bans, blocks, retraction."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import pytest

from flockchain.pool.entry import Status
from flockchain.pool.errors import (
    AlreadyImported,
    Banned,
    PoolError,
    PoolFull,
    Refused,
    TooLarge,
    TooLowPriority,
)
from flockchain.pool.pool import PoolConfig
from runtime.frame.errors import InvalidKind
from runtime.frame.extrinsic import extrinsic_hash
from runtime.frame.validity import account_tag
from tests.flockchain.pool.pool_fixture import BLOCK, OTHER, World, account, extrinsic


def test_a_valid_extrinsic_is_ready() -> None:
    world, data = World(), extrinsic("alice", 0)
    entry = world.submit(data)
    assert (entry.hash, entry.sender) == (extrinsic_hash(data), account("alice"))
    assert world.best() == [data]
    assert entry.hash in world.pool
    assert world.pool.get(entry.hash) is entry
    assert world.heard == [(entry.hash, Status.READY, None)]
    world.check()


def test_the_best_tip_comes_first_then_who_was_first() -> None:
    world = World()
    low, high, later = (extrinsic(who, 0, tip) for who, tip in (("a", 1), ("b", 9), ("c", 9)))
    for data in (low, high, later):
        world.submit(data)
    assert world.best() == [high, later, low]


def test_the_nonces_of_a_sender_stay_in_order_whatever_they_tip() -> None:
    world = World()
    chain = [extrinsic("alice", nonce, tip) for nonce, tip in ((0, 1), (1, 100), (2, 50))]
    other = extrinsic("bob", 0, 10)
    for data in (*chain, other):
        world.submit(data)
    assert world.best() == [other, *chain]


def test_a_gap_waits_until_it_is_filled() -> None:
    world = World()
    chain = [extrinsic("alice", nonce) for nonce in range(4)]
    for nonce in (3, 1, 2):
        world.submit(chain[nonce])
    assert (world.best(), len(world.waiting())) == ([], 3)
    world.check()
    world.submit(chain[0])
    assert (world.best(), world.waiting()) == (chain, [])
    assert world.statuses(chain[3]) == [Status.FUTURE, Status.READY]
    world.check()


def test_the_next_nonce_is_behind_the_ready_ones() -> None:
    world = World()
    for nonce in (0, 1, 5):
        world.submit(extrinsic("alice", nonce))
    who = account("alice")
    assert world.pool.next_nonce(who, 0, lambda nonce: account_tag(who, nonce)) == 2
    assert world.pool.next_nonce(who, 7, lambda nonce: account_tag(who, nonce)) == 7


# -- refusals, one each


def test_what_is_there_is_refused() -> None:
    world, data = World(), extrinsic("alice", 0)
    world.submit(data)
    with pytest.raises(AlreadyImported, match=f"^0x{extrinsic_hash(data).hex()} is in the pool$"):
        world.submit(data)
    assert world.checks == 1


def test_what_is_too_large_is_refused_unseen() -> None:
    world = World(PoolConfig(extrinsic_bytes_max=200))
    data = extrinsic("alice", 0, size=300)
    with pytest.raises(TooLarge, match=rf"^extrinsic of {len(data)} bytes, the most is 200$"):
        world.submit(data)
    assert world.checks == 0


def test_nothing_larger_than_normal_extrinsics_of_a_block_is_taken() -> None:
    assert PoolConfig().extrinsic_bytes_max == 768 * 1024 * 3 // 4


@pytest.mark.parametrize(
    ("kind", "is_banned"),
    [
        (InvalidKind.BAD_PROOF, True),
        (InvalidKind.CALL, True),
        (InvalidKind.BAD_SIGNER, True),
        (InvalidKind.ANCIENT_BIRTH_BLOCK, True),
        (InvalidKind.STALE, True),
        (InvalidKind.PAYMENT, False),
        (InvalidKind.EXHAUSTS_RESOURCES, False),
    ],
)
def test_what_the_chain_refuses_is_refused_and_lasting_faults_are_banned(
    kind: InvalidKind, is_banned: bool
) -> None:
    world, data = World(), extrinsic("alice", 0)
    world.refusals[extrinsic_hash(data)] = kind
    with pytest.raises(Refused) as caught:
        world.submit(data)
    assert (caught.value.code, caught.value.error.kind) == (1010, kind)
    del world.refusals[extrinsic_hash(data)]
    if is_banned:
        message = f"^0x{extrinsic_hash(data).hex()} was found invalid less than 30 minutes ago$"
        with pytest.raises(Banned, match=message):
            world.submit(data)
        world.now_ms = world.config.ban_ms
    world.submit(data)
    world.check()


def test_bans_are_bounded() -> None:
    world = World(PoolConfig(banned_count_max=2))
    bad = [extrinsic("alice", nonce) for nonce in range(3)]
    for data in bad:
        world.refusals[extrinsic_hash(data)] = InvalidKind.BAD_PROOF
        with pytest.raises(Refused):
            world.submit(data)
    world.refusals.clear()
    world.submit(bad[0])
    for data in bad[1:]:
        with pytest.raises(Banned):
            world.submit(data)


def test_a_replacement_offers_a_tenth_more() -> None:
    world = World()
    first, close, better = (extrinsic("alice", 0, tip) for tip in (100, 109, 110))
    world.submit(first)
    dependent = extrinsic("alice", 1)
    world.submit(dependent)
    with pytest.raises(TooLowPriority, match=r"^priority 109, replacing takes 110$"):
        world.submit(close)
    world.submit(better)
    assert world.best() == [better, dependent]
    usurped = (extrinsic_hash(first), Status.USURPED, extrinsic_hash(better))
    assert usurped in world.heard
    world.check()


def test_a_tenth_is_never_rounded_down() -> None:
    world = World()
    first, close, better = (extrinsic("alice", 0, tip) for tip in (15, 16, 17))
    world.submit(first)
    with pytest.raises(TooLowPriority, match=r"^priority 16, replacing takes 17$"):
        world.submit(close)
    world.submit(better)
    assert world.best() == [better]


def test_a_waiting_extrinsic_is_replaced_alike() -> None:
    world = World()
    first, same, better = (extrinsic("alice", 3, tip) for tip in (0, 0, 1))
    world.submit(first)
    assert first == same
    with pytest.raises(TooLowPriority, match=r"^priority 0, replacing takes 1$"):
        world.submit(extrinsic("alice", 3, 0, size=1))
    world.submit(better)
    assert world.waiting() == [better]
    world.check()


def test_a_sender_has_so_many_waiting() -> None:
    world = World(PoolConfig(future_per_sender_max=3))
    for nonce in (5, 6, 7):
        world.submit(extrinsic("alice", nonce))
    with pytest.raises(PoolFull, match=r"^3 extrinsics of the sender wait$"):
        world.submit(extrinsic("alice", 8))
    world.submit(extrinsic("bob", 8))
    world.submit(extrinsic("alice", 7, tip=1))
    world.check()


def test_a_sender_holds_so_many_and_others_have_room() -> None:
    world = World(PoolConfig(ready_per_sender_max=3))
    chain = [extrinsic("alice", nonce) for nonce in range(4)]
    for data in (chain[0], chain[1], chain[3]):
        world.submit(data)
    with pytest.raises(
        PoolFull, match=r"^the pool holds 3 extrinsics of the sender, the most is 3$"
    ):
        world.submit(chain[2])  # it would make the one that waits ready
    world.submit(extrinsic("alice", 1, tip=1))
    world.submit(extrinsic("bob", 0))
    world.block(chain[0])
    world.submit(chain[2])
    assert len(world.best()) == 4
    assert PoolConfig().ready_per_sender_max == 512
    world.check()


def test_all_senders_have_so_many_waiting() -> None:
    world = World(PoolConfig(future_count_max=2))
    for who in "ab":
        world.submit(extrinsic(who, 5))
    with pytest.raises(PoolFull, match=r"^2 extrinsics wait for earlier ones$"):
        world.submit(extrinsic("c", 5))
    world.submit(extrinsic("c", 0))
    world.check()


def test_who_has_most_waiting_makes_room_for_others() -> None:
    world = World(PoolConfig(future_count_max=4))
    crowd = [extrinsic("a", nonce) for nonce in (5, 6, 7, 8)]
    for data in crowd:
        world.submit(data)
    honest = extrinsic("b", 5)
    world.submit(honest)
    assert world.waiting() == [*crowd[:3], honest]
    assert world.statuses(crowd[3]) == [Status.FUTURE, Status.DROPPED]
    world.submit(extrinsic("b", 6))
    with pytest.raises(PoolFull, match=r"^4 extrinsics wait for earlier ones$"):
        world.submit(extrinsic("b", 7))  # both have two
    world.check()


def test_a_full_pool_makes_room_for_the_better() -> None:
    world = World(PoolConfig(count_max=3))
    old, cheap, dear = (extrinsic(who, 0, tip) for who, tip in (("a", 5), ("b", 5), ("c", 9)))
    for data in (old, cheap, dear):
        world.submit(data)
    with pytest.raises(PoolFull, match=r"^the pool holds 3 extrinsics of no lower priority$"):
        world.submit(extrinsic("d", 0, 5))
    better = extrinsic("e", 0, 6)
    world.submit(better)
    assert world.best() == [dear, better, old]
    assert world.statuses(cheap) == [Status.READY, Status.DROPPED]
    world.check()


def test_waiting_ones_make_room_first() -> None:
    world = World(PoolConfig(count_max=2))
    ready, gap = extrinsic("a", 0, 0), extrinsic("b", 5, 3)
    world.submit(ready)
    world.submit(gap)
    world.submit(extrinsic("c", 0, 3))
    assert world.statuses(gap) == [Status.FUTURE, Status.DROPPED]
    assert ready in world.best()
    world.check()


def test_what_depends_on_a_dropped_one_waits_again() -> None:
    world = World(PoolConfig(count_max=3))
    chain = [extrinsic("a", nonce, tip) for nonce, tip in ((0, 1), (1, 5), (2, 5))]
    for data in chain:
        world.submit(data)
    world.submit(extrinsic("b", 0, 9))
    assert world.statuses(chain[0])[-1] is Status.DROPPED
    assert sorted(world.waiting()) == sorted(chain[1:])
    world.check()


def test_what_makes_room_may_be_what_is_required() -> None:
    world = World(PoolConfig(count_max=1))
    world.submit(extrinsic("a", 0, 1))
    second = extrinsic("a", 1, 9)
    world.submit(second)
    assert (world.best(), world.waiting()) == ([], [second])
    world.check()


def test_bytes_are_bounded_also_by_way_of_replacement() -> None:
    world = World(PoolConfig(size_bytes_max=2_000))
    for who in "abcd":
        world.submit(extrinsic(who, 0, 1))
    for who in "abc":
        world.submit(extrinsic(who, 0, 2, size=500))
        world.check()
    world.submit(extrinsic("e", 0, 5, size=1_500))
    world.check()
    with pytest.raises(PoolFull, match="bytes is more than fits"):
        world.submit(extrinsic("f", 0, 9, size=2_000))


# -- blocks


def test_what_is_in_a_block_leaves_and_its_successors_stay_ready() -> None:
    world = World()
    chain = [extrinsic("alice", nonce) for nonce in range(3)]
    for data in chain:
        world.submit(data)
    world.block(chain[0])
    assert world.best() == chain[1:]
    assert world.heard[-1] == (extrinsic_hash(chain[0]), Status.IN_BLOCK, BLOCK)
    world.pool.on_finalized(BLOCK, [chain[0]])
    assert world.heard[-1] == (extrinsic_hash(chain[0]), Status.FINALIZED, BLOCK)
    world.check()


def test_a_block_fills_a_gap_that_the_pool_never_saw_filled() -> None:
    world = World()
    waiting = [extrinsic("alice", nonce) for nonce in (1, 2)]
    for data in waiting:
        world.submit(data)
    world.block(extrinsic("alice", 0))
    assert (world.best(), world.waiting()) == (waiting, [])
    world.check()


def test_a_rival_in_a_block_takes_the_place_and_leaves_the_successors_ready() -> None:
    world = World()
    chain = [extrinsic("alice", nonce) for nonce in range(3)]
    for data in chain:
        world.submit(data)
    rival = extrinsic("alice", 0, tip=7)
    world.block(rival)
    usurped = (extrinsic_hash(chain[0]), Status.USURPED, extrinsic_hash(rival))
    assert usurped in world.heard
    assert (world.best(), world.waiting()) == (chain[1:], [])
    world.check()


def test_a_rival_of_a_waiting_one_takes_its_place() -> None:
    world = World()
    world.submit(extrinsic("alice", 1))
    world.block(extrinsic("alice", 0), extrinsic("alice", 1, tip=3))
    assert len(world.pool) == 0
    world.check()


def test_a_retracted_extrinsic_comes_back() -> None:
    world, data = World(), extrinsic("alice", 0)
    world.submit(data)
    world.block(data)
    world.block(block=OTHER, retracted=[(BLOCK, data)])
    assert world.best() == [data]
    assert world.statuses(data) == [
        Status.READY,
        Status.IN_BLOCK,
        Status.RETRACTED,
        Status.READY,
    ]
    world.check()


def test_a_retracted_extrinsic_comes_back_though_it_was_banned_as_stale() -> None:
    world, data = World(), extrinsic("alice", 0)
    world.submit(data)
    world.block(data)
    with pytest.raises(Refused):
        world.submit(data)
    world.block(block=OTHER, retracted=[(BLOCK, data)])
    assert world.best() == [data]


def test_what_is_in_the_new_block_too_was_not_retracted() -> None:
    world, data = World(), extrinsic("alice", 0)
    world.submit(data)
    world.block(data)
    world.block(data, block=OTHER, retracted=[(BLOCK, data)])
    assert len(world.pool) == 0
    assert world.statuses(data) == [Status.READY, Status.IN_BLOCK, Status.IN_BLOCK]


def test_what_was_ready_because_of_a_retracted_one_comes_behind_it() -> None:
    world = World()
    first, second, third = (extrinsic("alice", n, tip) for n, tip in ((0, 0), (1, 50), (2, 90)))
    for data in (first, second):
        world.submit(data)
    world.block(first)
    world.block(second)
    world.submit(third)  # all that it requires is on the chain
    assert world.best() == [third]
    world.block(block=OTHER, retracted=[(BLOCK, second), (BLOCK, first)])
    assert world.best() == [first, second, third]
    world.check()


def test_what_lost_its_predecessor_for_good_waits() -> None:
    world = World()
    first, second, third = (extrinsic("alice", nonce) for nonce in range(3))
    world.submit(first)
    world.block(first)
    for data in (second, third):
        world.submit(data)
    world.refusals[extrinsic_hash(first)] = InvalidKind.PAYMENT
    world.block(block=OTHER, retracted=[(BLOCK, first)])
    assert (world.best(), world.waiting()) == ([], [second, third])
    world.check()
    del world.refusals[extrinsic_hash(first)]
    world.submit(first)
    assert world.best() == [first, second, third]


def test_a_deep_reorganization_comes_back_in_parts_and_in_order() -> None:
    world = World(PoolConfig(returned_per_block=30, future_per_sender_max=4))
    chain = [extrinsic("alice", nonce) for nonce in range(100)]
    for data in chain:
        world.submit(data)
    world.block(*chain)
    newest_first = [(BLOCK, data) for data in reversed(chain)]
    world.block(block=OTHER, retracted=newest_first)
    assert [Status.RETRACTED in world.statuses(data) for data in chain] == [True] * 100
    lengths = [len(world.best())]
    for _ in range(4):
        world.block(block=OTHER)
        lengths.append(len(world.best()))
    assert lengths == [30, 60, 90, 100, 100]
    assert world.best() == chain
    world.check()


def test_of_a_deep_reorganization_no_more_waits_than_the_pool_could_hold() -> None:
    chain = [extrinsic("alice", nonce, size=1_000) for nonce in range(100)]
    config = PoolConfig(size_bytes_max=40 * len(chain[-1]), returned_per_block=30)
    world = World(config)
    for block in (chain[:35], chain[35:70], chain[70:]):
        for data in block:
            world.submit(data)
        world.block(*block)
    world.block(block=OTHER, retracted=[(BLOCK, data) for data in reversed(chain)])
    for _ in range(4):
        world.block(block=OTHER)
    assert world.best() == chain[:40]
    world.check()


def test_age_takes_what_nobody_included() -> None:
    world, data = World(), extrinsic("alice", 0)
    world.longevity[extrinsic_hash(data)] = 2
    world.submit(data)
    world.block()
    assert world.best() == [data]
    world.block()
    assert world.best() == []
    assert world.statuses(data)[-1] is Status.INVALID
    world.check()


def test_what_became_invalid_is_found_in_time() -> None:
    world = World(PoolConfig(revalidated_per_block=2))
    all_of_them = [extrinsic(who, 0) for who in "abcdef"]
    for data in all_of_them:
        world.submit(data)
        world.refusals[extrinsic_hash(data)] = InvalidKind.PAYMENT
    left = []
    for _ in range(3):
        world.block()
        left.append(len(world.pool))
    assert left == [4, 2, 0]
    world.check()


def test_what_an_author_could_not_include_is_banned() -> None:
    world, data = World(), extrinsic("alice", 0)
    entry = world.submit(data)
    world.submit(extrinsic("alice", 1))
    world.pool.remove_invalid(entry.hash, 0)
    world.pool.remove_invalid(entry.hash, 0)
    assert (world.best(), len(world.waiting())) == ([], 1)
    with pytest.raises(Banned):
        world.submit(data)
    world.check()


def test_the_last_word() -> None:
    last = {status for status in Status if status.is_last()}
    assert last == {
        Status.FINALITY_TIMEOUT,
        Status.FINALIZED,
        Status.USURPED,
        Status.DROPPED,
        Status.INVALID,
    }


@pytest.mark.parametrize("seed", range(8))
def test_a_storm_leaves_the_pool_whole(seed: int) -> None:
    draw = Random(seed)
    world = World(
        PoolConfig(
            count_max=25,
            size_bytes_max=6_000,
            future_count_max=10,
            future_per_sender_max=4,
            ready_per_sender_max=9,
        )
    )
    blocks: list[list[bytes]] = []
    for _ in range(400):
        act = draw.random()
        if act < 0.8:
            who = draw.choice("abcdef")
            nonce = world.nonces.get(account(who), 0) + draw.choice([0, 0, 1, 1, 2, 3, 6])
            data = extrinsic(who, nonce, draw.randint(0, 20), draw.choice([0, 10, 400]))
            with suppress(PoolError):
                world.submit(data)
        elif act < 0.9:
            body = world.best()[: draw.randint(0, 5)]
            blocks.append(body)
            world.block(*body)
        elif blocks and draw.random() < 0.5:
            lost = [(BLOCK, data) for data in reversed(blocks.pop())]
            world.block(block=OTHER, retracted=list(reversed(lost)))
        elif world.best():
            chosen = draw.choice(world.best())
            world.pool.remove_invalid(extrinsic_hash(chosen), world.now_ms)
        world.check()
