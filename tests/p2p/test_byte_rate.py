"""Answers wait so that nobody gets more than its rate, after a burst."""

from __future__ import annotations

from p2p.byte_rate import KEYS_MAX, ByteRate

MIB = 1 << 20
SECOND_US = 1_000_000


def test_a_burst_is_free_and_then_the_rate_holds() -> None:
    rate = ByteRate(bytes_per_s=MIB, burst_bytes=2 * MIB)
    assert [rate.wait_us("a", MIB, 0) for _ in range(4)] == [0, 0, SECOND_US, 2 * SECOND_US]
    assert rate.wait_us("b", MIB, 0) == 0


def test_a_rest_gives_the_burst_back_and_no_more() -> None:
    rate = ByteRate(bytes_per_s=MIB, burst_bytes=MIB)
    rate.wait_us("a", 3 * MIB, 0)
    assert rate.wait_us("a", MIB, 3 * SECOND_US) == 0
    assert rate.wait_us("a", MIB, 100 * SECOND_US) == 0
    assert rate.wait_us("a", MIB, 100 * SECOND_US) == SECOND_US


def test_a_second_brings_no_more_than_rate_and_burst() -> None:
    rate = ByteRate(bytes_per_s=10 * MIB, burst_bytes=MIB)
    now_us = sent = 0
    while True:
        now_us += rate.wait_us("a", 700_001, now_us)
        if now_us > SECOND_US:
            break
        sent += 700_001
    assert sent + 700_001 >= 10 * MIB
    assert sent <= 11 * MIB + 1_024


def test_few_keys_are_remembered() -> None:
    rate = ByteRate(bytes_per_s=1_024, burst_bytes=0)
    for number in range(KEYS_MAX + 1):
        rate.wait_us(str(number), 1_024, 0)
    assert rate.wait_us("0", 1_024, 0) == SECOND_US
    assert rate.wait_us(str(KEYS_MAX), 1_024, 0) == 2 * SECOND_US
