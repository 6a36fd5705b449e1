"""Own extrinsics leave in batches: in order, at a pace, within bounds."""

from __future__ import annotations

from flockchain.pool.outbox import (
    BYTES_MAX,
    EVERY_MS,
    FULL_EVERY_MS,
    MESSAGE_BYTES_MAX,
    Outbox,
)
from flockchain.sync.messages import (
    EXTRINSICS_PER_MESSAGE_MAX,
    decode_extrinsics,
    encode_extrinsics,
)

NOW_MS = 1_000_000


def test_the_first_leaves_at_once_and_what_follows_leaves_together() -> None:
    outbox = Outbox()
    assert outbox.due_ms is None
    assert outbox.take(NOW_MS) == []
    outbox.put(b"1", NOW_MS)
    assert outbox.due_ms == NOW_MS
    assert outbox.take(NOW_MS) == [b"1"]
    outbox.put(b"2", NOW_MS + 1)
    outbox.put(b"3", NOW_MS + 2)
    assert outbox.take(NOW_MS + EVERY_MS - 1) == []
    assert outbox.take(NOW_MS + EVERY_MS) == [b"2", b"3"]
    assert outbox.due_ms is None


def test_a_message_takes_so_many_bytes_and_the_rest_leaves_with_the_next() -> None:
    outbox, half = Outbox(), bytes(MESSAGE_BYTES_MAX // 2 - 8)
    for _ in range(3):
        outbox.put(half, NOW_MS)
    assert outbox.take(NOW_MS) == [half, half]
    assert outbox.due_ms == NOW_MS + EVERY_MS
    assert outbox.take(NOW_MS + EVERY_MS - 1) == []
    assert outbox.take(NOW_MS + EVERY_MS) == [half]


def test_what_fills_a_message_leaves_sooner() -> None:
    outbox, third = Outbox(), bytes(MESSAGE_BYTES_MAX // 3 - 8)
    outbox.put(b"first", NOW_MS)
    assert outbox.take(NOW_MS) == [b"first"]
    for _ in range(2):
        outbox.put(third, NOW_MS + 1)
    assert outbox.due_ms == NOW_MS + EVERY_MS
    for _ in range(5):
        outbox.put(third, NOW_MS + 2)
    assert outbox.due_ms == NOW_MS + FULL_EVERY_MS
    assert len(outbox.take(NOW_MS + FULL_EVERY_MS)) == 3
    assert outbox.due_ms == NOW_MS + 2 * FULL_EVERY_MS
    assert len(outbox.take(NOW_MS + 2 * FULL_EVERY_MS)) == 3
    assert outbox.due_ms == NOW_MS + 2 * FULL_EVERY_MS + EVERY_MS


def test_a_batch_has_no_more_extrinsics_than_peers_decode() -> None:
    outbox = Outbox()
    for place in range(EXTRINSICS_PER_MESSAGE_MAX + 5):
        outbox.put(place.to_bytes(4, "big"), NOW_MS)
    batch = outbox.take(NOW_MS)
    assert len(decode_extrinsics(encode_extrinsics(batch))) == EXTRINSICS_PER_MESSAGE_MAX
    assert len(outbox.take(NOW_MS + EVERY_MS)) == 5


def test_what_no_message_takes_is_left_to_an_own_block() -> None:
    outbox = Outbox()
    outbox.put(bytes(MESSAGE_BYTES_MAX - 7), NOW_MS)
    assert outbox.due_ms is None
    outbox.put(bytes(MESSAGE_BYTES_MAX - 8), NOW_MS)
    assert len(outbox.take(NOW_MS)) == 1


def test_the_oldest_are_dropped_when_more_comes_than_leaves() -> None:
    outbox, count = Outbox(), BYTES_MAX // 1_000
    for place in range(2 * count):
        outbox.put(place.to_bytes(992, "big"), NOW_MS)
    assert len(outbox) == count
    first = outbox.take(NOW_MS)
    assert int.from_bytes(first[0], "big") == count
    now_ms, left = NOW_MS, len(first)
    while outbox.due_ms is not None:
        now_ms += EVERY_MS
        left += len(outbox.take(now_ms))
    assert left == count
