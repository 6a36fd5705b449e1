"""Whatever rules the DAO may put in force, days settle: nothing raises, nothing is lost.

Hooks have nobody to fail towards: an exception in a settlement would stop the chain.
"""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime import frame
from runtime.economy.parameters import ArenaParameters, VestingRules
from runtime.frame.origin import signed
from runtime.pallets.emission import DAILY_MAX, EmissionParameters
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.test_random_operations import play_honestly
from tests.runtime.pallets.world import World, account, new_world, terms, with_participants

BLOCKS = 70  # day 0, both tasks' two days, and half a day
HUGE = 2**127


def share(prng: Random) -> Rational:
    """Between 0 and 1, with the ends and the largest parts."""
    odd = Rational.reduced(prng.randint(0, HUGE), HUGE + prng.randint(0, HUGE // 2))
    return prng.choice((Rational(0, 1), Rational(1, 1), Rational(17, 20), odd))


def exponent(prng: Random) -> Rational:
    """Between 0 and 4 in thousandths."""
    return Rational.reduced(prng.randint(0, 4_000), 1_000)


def in_millionths(prng: Random) -> Rational:
    """Between 0 and 1 with the finest parts that a rank ratio, κ and the hosts' decay may have."""
    return Rational.reduced(prng.randint(0, 10**6), 10**6)


def arena_rules(prng: Random) -> ArenaParameters:
    """Within the bounds."""
    small = Rational.reduced(prng.randint(1, HUGE), HUGE + 1)
    cut = (None, 1, 2)
    return ArenaParameters(
        vesting=VestingRules(in_millionths(prng), exponent(prng), prng.choice(cut), share(prng)),
        distance_lambda=prng.choice((Rational(0, 1), Rational(10**6, 1), small)),
        validator_alpha=exponent(prng),
        paid_validators_max=prng.choice(cut),
        gamma=share(prng),
        outlier_kappa=prng.choice((None, Rational(100, 1), in_millionths(prng))),
        outlier_tolerance=prng.choice((0, 10**7, 10**9)),
        no_reveal_slash=share(prng),
        no_commit_slash=share(prng),
        creator_share=share(prng),
        creator_decay=share(prng),
    )


def emission_rules(prng: Random) -> EmissionParameters:
    """Within the bounds."""
    daily = prng.choice((0, 1, FML, DAILY_MAX))
    decay = Rational.reduced(prng.randint(0, 10**6), 10**6)
    return EmissionParameters(
        daily, decay, exponent(prng), share(prng), host_decay=in_millionths(prng)
    )


def play(prng: Random) -> World:
    """Two tasks under random rules, some of whose participants are away now and then."""
    world = new_world(checks=False)
    world.tasks.set_parameters(frame.ROOT, arena_rules(prng))
    world.emission.set_parameters(frame.ROOT, emission_rules(prng))
    world.go_to(1)
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(days=2))
    without = terms(seats=0, final_seats=0, days=2)
    world.tasks.create_task(signed(account("creator")), without, 77 * FML + 1)
    for task in (0, 1):
        with_participants(world, task)
    world.ledger.delegate(signed(account("idle")), 0, account("v1"), 7 * FML)
    world.ledger.delegate(signed(account("idle")), 1, account("n1"), 7 * FML)
    away_percent = prng.choice((0, 10, 40))
    for _ in range(BLOCKS):
        world.next_block()
        if prng.randrange(100) >= away_percent:
            play_honestly(world)
    return world


@settings(max_examples=60)
@given(st.integers(0, 2**64))
def test_days_settle_under_any_rules(seed: int) -> None:
    world = play(Random(seed))
    world.check()
    assert world.tasks.live.get() == []
    assert world.arena.cursor.find() is None
