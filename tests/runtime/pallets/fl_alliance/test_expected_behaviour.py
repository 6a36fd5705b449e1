"""A hundred rounds with malicious members: who ends up with what, and who is expelled.

A model is bad if any proposer of it is malicious; honest voters vote as the model is, malicious
ones the other way round. Roles are drawn from seeded outputs among the members that are left.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pytest

from runtime.pallets.fl_alliance.records import MemberStatus, Vote
from runtime.pallets.fl_alliance.sortition import draw
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.fl_alliance.alliance_world import (
    Alliance,
    create,
    finish_arena_task,
    no,
    yes,
)
from tests.runtime.pallets.world import World

CLIENTS, ROUNDS = 50, 100
HALF, ALL = Rational(1, 2), Rational(1, 1)
NAMES = [f"c{number:02}" for number in range(CLIENTS)]


@dataclass(frozen=True)
class Ending:
    """Mean balances in FML, and how many were expelled."""

    honest_mean: float
    malicious_mean: float
    honest_expelled: int
    malicious_expelled: int


def play(malicious: int, seed: int, *, attributes: bool = False) -> Ending:
    """50 clients of 100 FML and a pool of 5,000 FML, the first so many of them malicious."""
    world = World(checks=False)
    world.endow("creator", "idle", *NAMES, amount=20_000 * FML)
    world.next_block()
    finish_arena_task(world)
    create(
        world,
        5_000 * FML,
        quantity=100 * FML,
        rounds=ROUNDS,
        days=365,
        proposing=HALF,
        attributes=attributes,
    )
    made, prng = Alliance(world), Random(seed)
    for name in NAMES:
        made.join(name)
    bad = frozenset(NAMES[:malicious])
    made.open_round()
    for _ in range(ROUNDS):
        if made.pallet.progress.find(made.task) is None:
            break
        play_round(made, bad, prng)
    world.check()
    honest = [name for name in NAMES if name not in bad]
    return Ending(
        mean_of(made, honest),
        mean_of(made, sorted(bad)),
        expelled_of(made, honest),
        expelled_of(made, sorted(bad)),
    )


def play_round(made: Alliance, bad: frozenset[str], prng: Random) -> None:
    joined = [name for name in NAMES if made.member(name).status is MemberStatus.JOINED]
    roles = draw([(prng.randbytes(64), name) for name in joined], len(joined), ALL, HALF)
    harmful = [name in bad for name in roles.proposers]
    is_good, marks = not any(harmful), sum(1 << at for at, each in enumerate(harmful) if each)
    votes: dict[str, Vote | None] = {}
    for name in roles.voters:
        is_accepted = is_good != (name in bad)
        given = ((1 << len(harmful)) - 1 - marks) if name in bad else marks
        votes[name] = yes(marks=given) if is_accepted else no(marks=given)
    made.play(list(roles.proposers), votes)


def mean_of(made: Alliance, names: list[str]) -> float:
    return sum(made.balance(name) for name in names) / len(names) / FML if names else 0.0


def expelled_of(made: Alliance, names: list[str]) -> int:
    return sum(made.member(name).status is MemberStatus.EXPELLED for name in names)


def ensure_the_honest_win(ending: Ending) -> None:
    assert 297 <= ending.honest_mean <= 304
    assert 45 <= ending.malicious_mean <= 50  # half of the stake, where they are expelled
    assert ending.malicious_expelled == 20
    assert ending.honest_expelled <= 1  # of 30


@pytest.mark.parametrize("attributes", [False, True])
def test_at_two_fifths_malicious_the_honest_win(attributes: bool) -> None:
    ensure_the_honest_win(play(20, 2, attributes=attributes))


def test_at_one_half_it_breaks() -> None:
    ending = play(25, 1)
    assert (ending.honest_expelled, ending.malicious_expelled) == (25, 0)
    assert ending.malicious_mean > 300 > 50 > ending.honest_mean


@pytest.mark.long
@pytest.mark.parametrize("attributes", [False, True])
def test_the_honest_win_whoever_is_drawn(attributes: bool) -> None:
    endings = [play(20, seed, attributes=attributes) for seed in range(20)]
    for ending in endings:
        assert ending.malicious_expelled == 20
        assert ending.malicious_mean <= 50
    lost = sum(ending.honest_expelled for ending in endings)
    assert lost * 100 <= 5 * 30 * len(endings)  # at most one in twenty
    if attributes:
        assert lost == 0
