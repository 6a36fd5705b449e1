"""Eras: Substrate's own vectors, the bounds of a period, what is no era."""

from __future__ import annotations

import pytest

from runtime.primitives.era import IMMORTAL, Era, mortal
from runtime.primitives.scale import DecodeError, EncodeError, codec_of

ERA = codec_of(Era)


@pytest.mark.parametrize(
    ("era", "encoded"),
    [
        (IMMORTAL, "00"),
        (Era(64, 42), "a502"),
        (Era(64, 40), "8502"),
        (Era(32768, 20000), "4e9c"),
        (Era(4, 0), "0100"),
        (Era(4, 3), "3100"),
        (Era(65536, 65520), "ffff"),
        (Era(65536, 16), "1f00"),
        (Era(256, 1), "1700"),
    ],
)
def test_vectors(era: Era, encoded: str) -> None:
    assert ERA.encode(era).hex() == encoded
    assert ERA.decode_all(bytes.fromhex(encoded)) == era


@pytest.mark.parametrize(
    ("period", "current", "era"),
    [
        (64, 42, Era(64, 42)),
        (32768, 20000, Era(32768, 20000)),
        (200, 513, Era(256, 1)),
        (2, 1, Era(4, 1)),
        (4, 5, Era(4, 1)),
        (0, 5, Era(4, 1)),
        (1_000_000, 1_000_001, Era(65536, 1_000_001 % 65536 // 16 * 16)),
        (65536, 65535, Era(65536, 65520)),
        (8192, 8191, Era(8192, 8190)),
    ],
)
def test_a_wanted_period_is_rounded_up(period: int, current: int, era: Era) -> None:
    assert mortal(period, current) == era


def test_every_two_bytes_are_one_era_or_none() -> None:
    valid = 0
    for raw in range(1 << 16):
        data = raw.to_bytes(2, "little")
        if data[0] == 0:
            assert ERA.decode(data) == (IMMORTAL, 1)
            continue
        try:
            era = ERA.decode_all(data)
        except DecodeError:
            continue
        valid += 1
        assert ERA.encode(era) == data
        assert 4 <= era.period <= 65536
        assert 0 <= era.phase < era.period
    # periods 4 to 2048 have as many phases as blocks, those from 4096 on have 4096
    assert valid == sum(2**n for n in range(2, 12)) + 5 * 4096


@pytest.mark.parametrize(
    ("encoded", "message"),
    [
        ("1000", "era of period 2 and phase 1"),
        ("4100", "era of period 4 and phase 4"),
        ("f5ff", "era of period 64 and phase 4095"),
        ("", "end of data"),
        ("85", "end of data"),
    ],
)
def test_what_is_no_era_is_refused(encoded: str, message: str) -> None:
    with pytest.raises(DecodeError, match=f"^{message}"):
        ERA.decode_all(bytes.fromhex(encoded))


@pytest.mark.parametrize(
    "era", [Era(3, 0), Era(2, 0), Era(64, 64), Era(64, -1), Era(131072, 0), Era(8192, 1), Era(-4)]
)
def test_an_impossible_era_has_no_encoding(era: Era) -> None:
    with pytest.raises(EncodeError):
        ERA.encode(era)


def test_birth_and_death() -> None:
    era = Era(4, 6 % 4)
    assert [era.birth(number) for number in (0, 5, 6, 7, 9, 10, 13)] == [2, 2, 6, 6, 6, 10, 10]
    assert [era.death(number) for number in (6, 9, 10)] == [10, 10, 14]
    assert Era(64, 42).birth(10) == 42
    assert (IMMORTAL.birth(1_000), IMMORTAL.death(1_000)) == (0, None)


@pytest.mark.parametrize("period", [4, 64, 4096, 65536])
def test_an_era_lives_for_its_period_around_the_block_it_was_made_in(period: int) -> None:
    for current in (0, 1, 3, 4, 41, 63, 64, 4095, 4096, 65535, 65536, 70_001):
        era = mortal(period, current)
        birth, death = era.birth(current), era.death(current)
        assert death == birth + period
        assert birth <= current < birth + period
        assert current - birth < max(period >> 12, 1)
