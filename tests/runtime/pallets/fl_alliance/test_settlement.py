"""What rounds pay and take, to the planck: every outcome, the last round, expulsion, emission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from runtime import frame
from runtime.frame.origin import signed
from runtime.pallets.fl_alliance import events, settlement
from runtime.pallets.fl_alliance.records import Ballot, MemberStatus, Payment, RoundKey
from runtime.pallets.fl_alliance.stages import EndReason, Outcome, Stage, Standing, VoidReason
from runtime.pallets.fl_alliance.storage import pot_of
from runtime.pallets.fl_alliance.terms import AllianceParameters, RoundWindows
from runtime.primitives.apportion import apportion
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.fl_alliance.alliance_world import (
    Alliance,
    create,
    finish_arena_task,
    new_alliance,
    no,
    no_data,
    yes,
)
from tests.runtime.pallets.world import World, account

TEN, NINE = 10 * FML, 9 * FML
SHARE = 200 * FML  # of a pool of 1,000 FML in the first of five rounds
QUARTER, THIRDS = TEN + SHARE // 4, TEN + SHARE // 3


@pytest.mark.parametrize(
    ("votes", "outcome", "proposer", "voters", "pool"),
    [
        # all are honest
        ({"b": yes(), "c": yes(), "d": yes()}, Outcome.ACCEPTED, QUARTER, [QUARTER] * 3, 800),
        # one abstains: two of three is the quorum
        (
            {"b": yes(), "c": yes(), "d": None},
            Outcome.ACCEPTED,
            THIRDS + 1,
            [THIRDS + 1, THIRDS, NINE],
            801,
        ),
        # one reveals
        ({"b": yes(), "c": None, "d": None}, Outcome.VOID, TEN, [TEN, NINE, NINE], 1_002),
        # none reveals
        (dict.fromkeys("bcd"), Outcome.VOID, TEN, [NINE] * 3, 1_003),
        # all voters are malicious
        (
            {"b": no(), "c": no(), "d": no()},
            Outcome.REJECTED,
            NINE,
            [THIRDS + 1, THIRDS + 1, THIRDS],
            801,
        ),
        # one of two that reveal is: the missing vote counts against
        (
            {"b": yes(), "c": no(), "d": None},
            Outcome.REJECTED,
            NINE,
            [NINE, TEN + SHARE, NINE],
            803,
        ),
        # each tells of another aggregate
        ({"b": yes("1"), "c": yes("2"), "d": no("3")}, Outcome.VOID, TEN, [TEN] * 3, 1_000),
        # nobody has data
        (dict.fromkeys("bcd", no_data(1)), Outcome.VOID, NINE, [TEN] * 3, 1_001),
    ],
    ids=["all", "two", "one", "none", "malicious", "split", "hashes", "no data"],
)
def test_abstaining_and_malicious_voters(
    votes: Mapping[str, Ballot | None],
    outcome: Outcome,
    proposer: int,
    voters: list[int],
    pool: int,
) -> None:
    made = new_alliance(*"abcde")
    made.play("a", votes)
    assert made.result(0).outcome is outcome
    assert made.balance("a") == proposer
    assert list(made.balances("bcd").values()) == voters
    assert made.balance("e") == TEN  # not drawn
    assert made.pool == pool * FML
    assert proposer + sum(voters) + made.pool == 1_040 * FML


def test_a_tie_accepts_and_pays_one_side() -> None:
    made = new_alliance(*"abcde")
    made.play("ad", {"b": yes(), "c": no()})
    result = made.result(0)
    assert (result.outcome, result.votes, result.opened) == (Outcome.ACCEPTED, 0, 2)
    assert made.balances("abcd") == {"a": THIRDS + 1, "b": THIRDS + 1, "c": NINE, "d": THIRDS}


def test_a_payment_can_be_explained() -> None:
    made = new_alliance(*"abcde")
    made.play("ae", {"b": yes(), "c": no(), "d": None})
    key = RoundKey(1, 0)
    result = made.pallet.results.get(key)
    assert (result.outcome, result.void) == (Outcome.REJECTED, None)
    assert (result.pool, result.from_pool, result.minted) == (1_000 * FML, SHARE, 0)
    assert (result.good, result.votes) == (TEN, -1)
    paid = {name: made.pallet.payments.get((key, account(name))) for name in "abcde"}
    assert paid == {
        "a": Payment(Standing.LOSING, TEN, FML),
        "b": Payment(Standing.LOSING, TEN, FML),
        "c": Payment(Standing.GOOD, TEN, SHARE),
        "d": Payment(Standing.ABSENT, TEN, FML),
        "e": Payment(Standing.LOSING, TEN, FML),
    }
    world = made.world
    assert world.events(events.Rewarded) == [events.Rewarded(1, 0, account("c"), SHARE)]
    slashed = [events.Slashed(1, 0, account(name), paid[name].standing, FML) for name in "aebd"]
    assert world.events(events.Slashed) == slashed
    tallied = events.RoundTallied(1, 0, Outcome.REJECTED, None, -1, SHARE)
    assert world.events(events.RoundTallied) == [tallied]
    model = made.pallet.get_task(1).origin_model
    settled = events.RoundSettled(1, 0, model, 804 * FML)
    assert world.events(events.RoundSettled) == [settled]
    assert world.tasks.rewarded.get(account("c"))
    assert not world.tasks.rewarded.get(account("a"))


def test_losses_are_of_the_start_of_the_round_and_floored() -> None:
    made = new_alliance(*"abcde", slash=Rational(1, 3))
    made.play("a", dict.fromkeys("bcd", no()))
    assert made.balance("a") == TEN - TEN // 3
    assert TEN % 3


def test_absence_has_a_rate_of_its_own_fixed_when_the_round_opens() -> None:
    made = new_alliance(*"abcde")
    made.pallet.set_parameters(frame.ROOT, AllianceParameters(Rational(1, 4)))
    made.play("a", {"b": yes(), "c": yes(), "d": None})
    assert made.balance("d") == NINE  # the round was open already
    made.play("a", {"b": yes(), "c": yes(), "d": None})
    assert made.balance("d") == NINE - NINE // 4


def test_the_last_round_has_all_of_the_pool() -> None:
    made = new_alliance(*"abcde", rounds=2, pool=7)
    made.play("a", {"b": yes(), "c": yes(), "d": None})
    first = made.result(0)
    assert first.from_pool == 3
    before = made.pool
    assert before == 4 + FML
    made.play("b", {"a": yes(), "c": yes(), "d": yes()})
    assert made.result(1).from_pool == before
    assert made.pallet.get_task(1).ended is EndReason.ALL_ROUNDS
    ended = events.TaskEnded(1, EndReason.ALL_ROUNDS, 0, 0)
    assert made.world.events(events.TaskEnded) == [ended]


def test_what_the_last_round_leaves_is_burned() -> None:
    made = new_alliance(*"abcde", rounds=1)
    burned = made.world.balances.total_burned.get()
    made.play("a", {"b": yes(), "c": None, "d": None})
    ended = events.TaskEnded(1, EndReason.ALL_ROUNDS, 0, 1_002 * FML)
    assert made.world.events(events.TaskEnded) == [ended]
    assert made.world.balances.total_burned.get() == burned + 1_002 * FML
    assert made.world.balances.free(pot_of(1)) == sum(made.member(n).earned for n in "abcde")


def test_voided_rounds_do_not_return_the_pool() -> None:
    """Else a creator with Sybil voters could void rounds and train for free."""
    made = new_alliance(*"abcde", rounds=4, threshold=Rational(0, 1))
    for _ in range(2):
        made.play("a", {"b": yes(), "c": None, "d": None})
    opened, pool = made.pallet.runs.get(1).opened, made.pool
    assert pool > 1_000 * FML
    made.pallet.playing.ending.end(1, EndReason.LIFETIME)
    returned = 1_000 * FML * (4 - opened) // 4
    ended = events.TaskEnded(1, EndReason.LIFETIME, returned, pool - returned)
    assert made.world.events(events.TaskEnded) == [ended]


def test_no_more_returns_than_is_left() -> None:
    made = new_alliance(*"abcde", rounds=4)
    purse = made.pallet.purses.get(1)
    made.pallet.purses.put(1, replace(purse, pool=5))
    made.pallet.playing.ending.end(1, EndReason.LIFETIME)
    ended = events.TaskEnded(1, EndReason.LIFETIME, 5, 0)
    assert made.world.events(events.TaskEnded) == [ended]


def test_a_balance_below_the_threshold_is_expelled() -> None:
    made = new_alliance(*"abcde", slash=Rational(1, 2), threshold=Rational(1, 2))
    made.play("a", dict.fromkeys("bcd", no()))
    assert made.balance("a") == 5 * FML  # exactly the threshold: still a candidate
    assert made.member("a").status is MemberStatus.JOINED
    run = made.pallet.runs.get(1)
    assert (run.active, run.staked) == (5, 45 * FML)
    made.play("a", dict.fromkeys("bcd", no()))
    assert made.member("a").status is MemberStatus.EXPELLED
    assert made.balance("a") == 5 * FML // 2
    run = made.pallet.runs.get(1)
    assert (run.active, run.staked) == (4, 40 * FML)
    made.open_round()
    assert made.round.members == 4
    with pytest.raises(events.NotACandidate):
        made.check_in("a")


def test_earnings_pay_for_slashes_once_the_stake_is_gone() -> None:
    made = new_alliance(*"abcde", slash=Rational(1, 1), threshold=Rational(0, 1))
    made.play("a", dict.fromkeys("bcd", yes()))
    assert made.member("a").earned == 50 * FML
    made.play("a", dict.fromkeys("bcd", no()))
    member = made.member("a")
    assert (member.stake, member.earned) == (0, 0)
    assert made.pallet.runs.get(1).staked == 40 * FML
    assert made.pool == 600 * FML + 60 * FML


def test_a_stake_of_nothing_shares_by_nothing() -> None:
    made = new_alliance(*"abcde", slash=Rational(1, 1), threshold=Rational(0, 1))
    made.play("a", dict.fromkeys("bcd", no()))
    made.play("a", dict.fromkeys("bcd", yes()))
    assert made.balance("a") == 0
    assert made.result(1).from_pool == made.result(1).pool // 4


# -- leave-one-out attribution


def test_marked_proposers_lose_instead_of_all() -> None:
    made = new_alliance(*"abcdef", attributes=True)
    made.play("abc", {"d": no(marks=0b010), "e": no(marks=0b011), "f": yes(marks=0b100)})
    assert made.result(0).outcome is Outcome.REJECTED
    assert made.result(0).marked == 0b010
    assert made.balances("abc") == {"a": TEN, "b": NINE, "c": TEN}
    assert made.balance("f") == NINE
    assert made.pool == 802 * FML


@pytest.mark.parametrize(("attributes", "marks"), [(True, 0), (False, 0b010)])
def test_without_marks_or_attribution_all_of_the_aggregate_lose(
    attributes: bool, marks: int
) -> None:
    made = new_alliance(*"abcdef", attributes=attributes)
    made.play("abc", dict.fromkeys("def", no(marks=marks)))
    assert made.balances("abc") == dict.fromkeys("abc", NINE)


def test_marked_proposers_of_an_accepted_aggregate_lose_too() -> None:
    made = new_alliance(*"abcdef", attributes=True)
    made.play("ab", {"d": yes(marks=0b01), "e": yes(marks=0b01), "f": yes(marks=0b10)})
    assert (made.result(0).outcome, made.result(0).marked) == (Outcome.ACCEPTED, 0b01)
    assert set(made.balances("bdef").values()) == {TEN + SHARE // 4}
    assert made.balance("a") == NINE
    assert made.pool == 801 * FML


def test_accusing_most_of_an_accepted_round_alone_costs_the_accuser() -> None:
    made = new_alliance(*"abcdefg", attributes=True)
    accusing = yes(marks=0b110)
    made.play("abc", {"d": accusing, "e": yes(), "f": yes(marks=0b100)})
    assert (made.result(0).outcome, made.result(0).marked) == (Outcome.ACCEPTED, 0b100)
    assert set(made.balances("abdef").values()) == {TEN + SHARE // 5}  # one of two was shared
    assert made.balance("c") == NINE
    before = made.balances("abdef")
    made.play("abc", {"d": yes(marks=0b111), "e": yes(), "f": yes(marks=0b100)})
    slashed = before["d"] // 10
    assert made.balance("d") == before["d"] - slashed  # two of three were not
    assert made.result(1).marked == 0b100
    of_c = NINE // 10
    reward = made.result(1).from_pool
    assert made.pool == 801 * FML - reward + of_c + slashed


def test_marks_of_most_of_an_accepted_round_take_nothing() -> None:
    made = new_alliance(*"abcdefg", attributes=True)
    made.play("abc", dict.fromkeys("def", yes(marks=0b011)))
    assert (made.result(0).outcome, made.result(0).marked) == (Outcome.ACCEPTED, 0b011)
    shares = sorted(made.balances("abcdef").values())
    assert sum(shares) == 6 * TEN + SHARE
    assert shares[0] == TEN + SHARE // 6
    assert made.pool == 800 * FML


def test_marks_of_most_of_a_rejected_round_count() -> None:
    made = new_alliance(*"abcdefg", attributes=True)
    made.play("abc", dict.fromkeys("def", no(marks=0b011)))
    assert made.balances("abc") == {"a": NINE, "b": NINE, "c": TEN}
    assert made.pool == 802 * FML


def test_without_attribution_marks_on_an_accepted_aggregate_change_nothing() -> None:
    made = new_alliance(*"abcdef")
    made.play("ab", dict.fromkeys("def", yes(marks=0b01)))
    assert made.result(0).marked == 0b01
    assert set(made.balances("abdef").values()) == {TEN + SHARE // 5}


def test_most_of_the_voters_can_frame_a_proposer_and_fewer_cannot() -> None:
    made = new_alliance(*"abcdef", attributes=True)
    framing, honest = yes(marks=0b01), yes()
    made.play("ab", {"c": framing, "d": honest, "e": honest})
    assert made.balance("a") == TEN + SHARE // 5
    before = made.balances("abcde")
    made.play("ab", {"c": framing, "d": framing, "e": honest})
    slashed = before["a"] // 10
    assert made.balance("a") == before["a"] - slashed
    assert made.pool == 600 * FML + slashed
    gained = sum(made.balance(name) - before[name] for name in "bcde")
    assert gained == 200 * FML


# -- emission


def verified_alliance(**changes: object) -> Alliance:
    """A verified task beside nothing else: all emission is its own."""
    world = World()
    world.endow("creator", "idle", *"abcde", amount=20_000 * FML)
    world.next_block()
    finish_arena_task(world)
    create(world, None, **changes)
    made = Alliance(world)
    for name in "abcde":
        made.join(name)
    return made


def test_verified_stakes_are_what_is_held_of_those_who_stay() -> None:
    made = verified_alliance()
    pallet = made.pallet
    assert pallet.verified_stakes(0) == [(1, 50 * FML)]
    pallet.pause(signed(account("e")), 1)
    assert pallet.verified_stakes(0) == [(1, 40 * FML)]
    pallet.leave(signed(account("d")), 1)
    assert pallet.verified_stakes(0) == []  # too few for a round
    pallet.resume(signed(account("e")), 1)
    assert pallet.verified_stakes(0) == [(1, 40 * FML)]
    pallet.unverify_task(frame.ROOT, 1)
    assert (pallet.verified_stakes(0), pallet.verified_stakes(1)) == ([(1, 40 * FML)], [])


def test_a_days_emission_is_shared_by_its_planned_rounds() -> None:
    made = verified_alliance(rounds=9)
    made.open_round()
    assert made.world.emission.reward_of(1, 1) == 100_000 * FML
    assert (made.round.day, made.round.part, made.round.planned) == (1, 0, 1)
    made.play("a", dict.fromkeys("bcd", yes()))
    assert made.result(0).minted == 100_000 * FML
    assert made.balance("a") == TEN + 25_000 * FML
    made.open_round()
    assert made.round.day == 1
    made.play("a", dict.fromkeys("bcd", yes()))  # one more than was planned: it has no part
    assert (made.result(1).from_pool, made.result(1).minted) == (0, 0)
    assert made.world.emission.minted.get() == 100_000 * FML


def test_parts_of_several_rounds_add_up_to_the_day() -> None:
    windows = RoundWindows(1, 1, 1, 1, 0, 1, 1)
    made = verified_alliance(windows=windows, rounds=99, threshold=Rational(0, 1))
    while made.world.number < 40:
        made.world.next_block()
    made.go_to(Stage.CHECK_IN)
    first = made.key.round
    parts = apportion(100_000 * FML, [1, 1, 1])
    for place, part in enumerate(parts):
        assert (made.round.day, made.round.part, made.round.planned) == (2, place, 3)
        made.play("a", dict.fromkeys("bcd", yes()))
        assert made.result(first + place).minted == part


def test_void_rounds_mint_nothing() -> None:
    made = verified_alliance()
    made.play("a", dict.fromkeys("bcd"))
    result = made.result(0)
    assert (result.void, result.minted) == (VoidReason.TOO_FEW_VOTES, 0)
    assert made.world.emission.minted.get() == 0


def test_self_funded_and_verified_later_it_has_both() -> None:
    made = new_alliance(*"abcde")
    made.pallet.verify_task(frame.ROOT, 1)
    while made.pallet.today() < 2:
        made.world.next_block()
    assert made.world.emission.reward_of(2, 1) == 100_000 * FML
    made.open_round()
    while made.round.day < 2:
        made.open_round()
    round_, pool = made.key.round, made.pool
    made.play("a", dict.fromkeys("bcd", yes()))
    result = made.pallet.results.get(RoundKey(1, round_))
    assert result.from_pool == pool // (5 - round_)
    assert result.minted == 100_000 * FML


def test_what_was_allotted_too_long_ago_is_not_minted(monkeypatch: pytest.MonkeyPatch) -> None:
    made = verified_alliance()
    made.seat("a", "bcd")
    made.propose("a")
    made.report_all("bcd")
    monkeypatch.setattr(settlement, "MINTABLE_DAYS", 0)
    made.vote(dict.fromkeys("bcd", yes()))
    result = made.result(0)
    assert (result.outcome, result.minted) == (Outcome.ACCEPTED, 0)
