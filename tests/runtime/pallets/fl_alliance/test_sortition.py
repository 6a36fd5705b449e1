"""Roles follow from outputs alone: sizes, odd voters, frequencies, and the chance of capture."""

from __future__ import annotations

from math import comb, isqrt
from random import Random

import pytest

from runtime.pallets.fl_alliance.sortition import (
    assign_roles,
    draw,
    members_needed,
    participants_of,
    voters_among,
)
from runtime.primitives.rational import Rational

ALL, HALF, FIFTH = Rational(1, 1), Rational(1, 2), Rational(1, 5)
DRAWS = 10_000


def outputs_of(count: int, prng: Random) -> list[tuple[bytes, int]]:
    return [(prng.randbytes(64), number) for number in range(count)]


@pytest.mark.parametrize(
    ("members", "participation", "proposing", "proposers", "voters"),
    [
        (5, ALL, FIFTH, 1, 3),
        (6, ALL, FIFTH, 2, 3),
        (10, ALL, FIFTH, 2, 7),
        (50, ALL, HALF, 25, 25),
        (100, Rational(1, 10), FIFTH, 2, 7),
        (101, Rational(1, 10), FIFTH, 3, 7),
        (1_000, ALL, FIFTH, 52, 203),  # 256 take part
        (2, ALL, Rational(1, 100), 1, 1),
        (1, ALL, HALF, 1, 0),
        (3, ALL, Rational(99, 100), 3, 0),
    ],
)
def test_sizes(
    members: int, participation: Rational, proposing: Rational, proposers: int, voters: int
) -> None:
    posted = outputs_of(members, Random(1))
    roles = draw(posted, members, participation, proposing)
    assert (len(roles.proposers), len(roles.voters)) == (proposers, voters)
    assert voters_among(members, participation, proposing) == voters
    lowest = [who for _, who in sorted(posted)]
    taken = (*roles.proposers, *roles.voters, *roles.dropped)
    assert list(taken) == lowest[: len(taken)]
    assert len(taken) == participants_of(members, participation)


def test_the_order_of_the_proofs_does_not_matter() -> None:
    posted = outputs_of(40, Random(2))
    roles = draw(posted, 40, HALF, FIFTH)
    shuffled = list(posted)
    Random(3).shuffle(shuffled)
    assert draw(shuffled, 40, HALF, FIFTH) == roles


@pytest.mark.parametrize("absent", range(6))
def test_absent_members_are_voters_and_the_last_present_one_is_dropped(absent: int) -> None:
    roles = assign_roles(list("abcdefghij"), absent, FIFTH)
    assert roles.proposers == ("a", "b")
    assert len(roles.voters) + absent == 8 + absent - (absent % 2 == 0)
    assert roles.dropped == (("j",) if absent % 2 == 0 else ())


def test_nobody_present() -> None:
    roles = assign_roles([], 4, FIFTH)
    assert (roles.proposers, roles.voters, roles.dropped) == ((), (), ())
    alone = assign_roles(["a"], 3, FIFTH)
    assert (alone.proposers, alone.voters, alone.dropped) == (("a",), (), ())


@pytest.mark.parametrize("members", range(1, 60))
def test_absence_never_leaves_too_few_voters(members: int) -> None:
    for participation in (ALL, HALF, Rational(1, 10)):
        for absent in range(members):
            posted = outputs_of(members - absent, Random(members))
            roles = draw(posted, members, participation, FIFTH)
            if roles.voters:
                drawn = len(roles.voters) + absent
                assert drawn >= voters_among(members, participation, FIFTH)
                assert drawn % 2 == 1


@pytest.mark.parametrize(
    ("voters_min", "participation", "proposing", "needed"),
    [
        (3, ALL, FIFTH, 4),
        (1, ALL, FIFTH, 2),
        (29, ALL, HALF, 58),
        (3, Rational(1, 100), FIFTH, 301),
        (200, ALL, HALF, None),
    ],
)
def test_members_needed(
    voters_min: int, participation: Rational, proposing: Rational, needed: int | None
) -> None:
    assert members_needed((1, voters_min), participation, proposing, 4_096) == needed
    if needed is not None:
        assert voters_among(needed, participation, proposing) >= voters_min
        assert voters_among(needed - 1, participation, proposing) < voters_min


def test_members_that_give_enough_proposers() -> None:
    assert members_needed((4, 3), ALL, HALF, 4_096) == 7
    assert members_needed((4, 3), ALL, FIFTH, 4_096) == 16
    assert members_needed((4, 200), ALL, FIFTH, 4_096) == 252
    assert members_needed((4, 1), ALL, Rational(1, 200), 4_096) is None


def test_every_member_has_each_role_equally_often() -> None:
    """20 members, half of them drawn, a fifth of these propose: 2 propose, 7 vote, 1 is dropped."""
    prng, proposed, voted = Random(4), [0] * 20, [0] * 20
    for _ in range(DRAWS):
        roles = draw(outputs_of(20, prng), 20, HALF, FIFTH)
        for who in roles.proposers:
            proposed[who] += 1
        for who in roles.voters:
            voted[who] += 1
    for counts, seats in ((proposed, 2), (voted, 7)):
        mean = DRAWS * seats // 20
        deviation = isqrt(DRAWS * seats * (20 - seats) // 400)
        assert all(abs(count - mean) <= 3 * deviation for count in counts)


def capture_chance(members: int, bad: int, voters: int) -> float:
    """That most of the voters are bad: the tail of the hypergeometric distribution."""
    ways = comb(members, voters)
    majority = range(voters // 2 + 1, min(bad, voters) + 1)
    return sum(comb(bad, k) * comb(members - bad, voters - k) for k in majority) / ways


@pytest.mark.parametrize(
    ("members", "bad", "proposing", "voters"),
    [(100, 40, HALF, 49), (100, 33, HALF, 49), (30, 10, FIFTH, 23), (30, 12, HALF, 15)],
)
def test_capture_is_as_likely_as_the_formula_says(
    members: int, bad: int, proposing: Rational, voters: int
) -> None:
    prng, captured = Random(5), 0
    for _ in range(DRAWS):
        roles = draw(outputs_of(members, prng), members, ALL, proposing)
        assert len(roles.voters) == voters
        captured += 2 * sum(who < bad for who in roles.voters) > voters
    chance = capture_chance(members, bad, voters)
    half_width = 2.576 * (chance * (1 - chance) / DRAWS) ** 0.5
    assert abs(captured / DRAWS - chance) <= half_width + 0.5 / DRAWS


@pytest.mark.parametrize(("members", "voters"), [(50, 29), (99, 45), (3_000, 79)])
def test_voters_that_keep_capture_below_a_thousandth_at_a_third(members: int, voters: int) -> None:
    assert capture_chance(members, members // 3, voters) <= 1e-3
    assert capture_chance(members, members // 3, voters - 2) > 1e-3
