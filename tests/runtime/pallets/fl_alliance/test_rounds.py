"""Rounds: windows to the block, early ends, pauses, plans for a day, and how a task ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.frame.origin import signed
from runtime.frame.traits import HoldReason
from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.records import RoundKey
from runtime.pallets.fl_alliance.stages import EndReason, Outcome, Stage, VoidReason
from runtime.pallets.fl_alliance.storage import pot_of
from runtime.pallets.fl_alliance.terms import RoundWindows
from runtime.primitives.rational import Rational
from tests.runtime.pallets.fl_alliance.alliance_world import (
    NAMES,
    POOL,
    Alliance,
    alliance_terms,
    create,
    new_alliance,
    no,
    yes,
)
from tests.runtime.pallets.world import account, content

CREATOR = account("creator")


def blocks_of(made: Alliance, stage: Stage) -> int:
    """How many blocks the stage lasts if nobody acts."""
    count = 0
    while made.stage is stage:
        made.world.next_block()
        count += 1
    return count


def test_windows_last_exactly_as_long_as_they_should() -> None:
    made = new_alliance(*NAMES)
    made.check_in(*NAMES[1:])
    assert blocks_of(made, Stage.CHECK_IN) == 4
    proposers, voters = made.roles()
    assert (len(proposers), len(voters)) == (2, 6)
    made.commit_proposal(proposers[0], "x")
    assert blocks_of(made, Stage.PROPOSE) == 4
    made.reveal_proposal(proposers[0], "x")  # all that were sealed are opened
    assert blocks_of(made, Stage.DISCLOSE) == 1
    for name in voters[1:]:
        made.report(name, 1)
    assert blocks_of(made, Stage.REPORT) == 3
    made.commit_vote(voters[0], yes())
    assert blocks_of(made, Stage.VOTE) == 4
    assert blocks_of(made, Stage.OPEN) == 3
    assert made.result(0).void is VoidReason.TOO_FEW_VOTES
    began = [(e.stage, e.until) for e in made.world.events(events.StageBegan)]  # type: ignore[attr-defined]
    stages = [Stage.CHECK_IN, Stage.PROPOSE, Stage.DISCLOSE, Stage.REPORT, Stage.VOTE, Stage.OPEN]
    assert [stage for stage, _ in began[:6]] == stages
    start = began[0][1] - 4
    assert [until - start for _, until in began[:6]] == [4, 8, 11, 12, 16, 19]


def test_a_round_of_busy_participants_takes_six_blocks() -> None:
    made = new_alliance(*"abcde")
    opened = made.world.number
    made.check_in(*"abcde")
    made.world.next_block()
    proposers, voters = made.roles()
    made.propose(*proposers)
    made.report_all(voters)
    made.vote(dict.fromkeys(voters, yes()))
    assert made.world.number == opened + 6
    assert made.result(0).outcome is Outcome.ACCEPTED


def test_the_stage_closes_on_time_whatever_work_there_is() -> None:
    made = new_alliance(*"abcde")
    create(made.world)
    made.pallet.config = replace(made.pallet.config, steps_per_block=1)
    assert blocks_of(made, Stage.CHECK_IN) == 4


def test_a_step_at_a_time_gives_the_same_round() -> None:
    results = []
    for steps in (1, 3, 1_000):
        made = new_alliance(*"abcdef")
        made.pallet.config = replace(made.pallet.config, steps_per_block=steps)
        made.check_in(*"abcde")
        made.go_to(Stage.PROPOSE)
        proposers, voters = made.roles()
        made.propose(*proposers)
        made.report_all(voters)
        made.vote(dict.fromkeys(voters, yes()))
        result = made.result(0)
        assert result.outcome is Outcome.ACCEPTED
        results.append((made.balances("abcdef"), made.pool, replace(result, settled_at=0)))
    assert results[0] == results[1] == results[2]


def test_calls_of_another_stage_or_round_are_refused() -> None:
    made = new_alliance(*"abcde")
    pallet, who, hash_ = made.pallet, signed(account("a")), content("x")
    for call in (
        lambda: pallet.initialise_model(who, 1, 0, hash_),
        lambda: pallet.commit_proposal(who, 1, 0, hash_),
        lambda: pallet.reveal_proposal(who, 1, 0, hash_, hash_, bytes(32)),
        lambda: pallet.report(who, 1, 0, 0),
        lambda: pallet.commit_vote(who, 1, 0, hash_),
        lambda: pallet.reveal_vote(who, 1, 0, yes(), bytes(32)),
    ):
        with pytest.raises(events.WrongStage):
            call()
    made.seat("a", "bcd")
    with pytest.raises(events.WrongRound):
        pallet.commit_proposal(who, 1, 1, hash_)


def test_too_few_candidates_pause_a_task_until_others_come() -> None:
    made = new_alliance(*"abcd", rounds=100)
    made.play("a", dict.fromkeys("bcd", yes()))
    made.open_round()
    made.pallet.pause(signed(account("a")), 1)
    rounds = made.pallet.runs.get(1).opened
    while made.stage is not Stage.IDLE:
        made.world.next_block()
    run = made.pallet.runs.get(1)
    assert run.paused_at == made.world.number
    assert made.world.events(events.TaskPaused) == [events.TaskPaused(1, 3, 4)]
    assert run.opened > rounds
    assert not made.pallet.rounds.contains(RoundKey(1, run.opened))
    made.pallet.resume(signed(account("a")), 1)
    acting = made.member("a").changes[-1].from_turn
    while made.pallet.turn.get().count < acting:
        assert made.stage is Stage.IDLE
        made.world.next_block()
    assert made.stage is Stage.CHECK_IN
    assert made.key.round == run.opened
    assert made.pallet.runs.get(1).paused_at is None
    assert len(made.world.events(events.TaskPaused)) == 1


def test_a_new_task_waits_for_members_without_a_word() -> None:
    made = new_alliance()
    for _ in range(25):
        made.world.next_block()
    assert made.stage is Stage.IDLE
    assert made.world.events(events.TaskPaused) == []


def test_seven_days_of_pause_end_a_task() -> None:
    made = new_alliance()
    created = made.pallet.get_task(1).created_at
    while made.world.number < created + 7 * 20 - 1:
        made.world.next_block()
    assert made.pallet.get_task(1).ended is None
    before = made.world.owned("creator")
    made.world.next_block()
    assert made.pallet.get_task(1).ended is EndReason.PAUSED_TOO_LONG
    ended = events.TaskEnded(1, EndReason.PAUSED_TOO_LONG, POOL, 0)
    assert made.world.events(events.TaskEnded) == [ended]
    assert made.world.owned("creator") == before + POOL


def test_the_lifetime_ends_a_task_after_the_round_in_progress() -> None:
    made = new_alliance(*"abcde", days=2)
    assert made.pallet.get_task(1).ends_at == 41
    while made.world.number < 40:
        made.world.next_block()
    assert made.stage is Stage.CHECK_IN
    round_ = made.key.round
    made.check_in(*"abcde")
    made.world.next_block()
    assert (made.world.number, made.stage) == (41, Stage.PROPOSE)
    proposers, voters = made.roles()
    made.propose(*proposers)
    made.report_all(voters)
    made.vote(dict.fromkeys(voters, yes()))
    assert made.pallet.results.get(RoundKey(1, round_)).outcome is Outcome.ACCEPTED
    assert made.pallet.get_task(1).ended is EndReason.LIFETIME
    ended = made.world.events(events.TaskEnded)[0]
    share = POOL * (5 - made.pallet.runs.get(1).opened) // 5
    assert ended.returned == share  # type: ignore[attr-defined]
    assert made.world.balances.held(HoldReason.FL_STAKE, CREATOR) == 0


def plans_of(made: Alliance, rounds: int) -> list[tuple[int, int, int]]:
    """Day, place and number of planned rounds of the next rounds, in which nobody acts."""
    plans = [(made.round.day, made.round.part, made.round.planned)]
    for _ in range(rounds - 1):
        made.open_round()
        plans.append((made.round.day, made.round.part, made.round.planned))
    return plans


def test_rounds_that_fit_into_a_day_are_planned_for_it() -> None:
    windows = replace(alliance_terms().windows, check_in=1)
    made = new_alliance(*"abcde", windows=windows)
    assert windows.total() == 18
    # A void round takes a block, so more are opened than were planned: they have no part.
    assert plans_of(made, 4) == [(1, place, 1) for place in range(4)]


def test_short_rounds_share_a_day_and_the_last_day_plans_what_is_left() -> None:
    windows = RoundWindows(1, 1, 1, 1, 0, 1, 1)
    made = new_alliance(*"abcde", windows=windows, rounds=12, threshold=Rational(0, 1))
    while made.pallet.today() < 2:
        made.open_round()
    assert plans_of(made, 2) == [(2, 0, 2), (2, 1, 2)]  # 10 void rounds were opened on day 1
    longer = new_alliance(*"abcde", windows=windows, rounds=100)
    assert plans_of(longer, 3) == [(1, 0, 3), (1, 1, 3), (1, 2, 3)]


def test_when_all_rounds_are_over_the_model_is_recorded_and_stakes_are_free() -> None:
    made = new_alliance(*"abcde", rounds=2)
    made.play("a", {"b": yes("first"), "c": yes("first"), "d": no("first")})
    assert made.pallet.runs.get(1).model == content("first")
    assert made.pallet.runs.get(1).accepted_round == 0
    made.open_round()
    assert made.round.base == content("first")
    made.play("b", {"a": no("second"), "c": no("second"), "d": yes("second")})
    assert made.pallet.get_task(1).ended is EndReason.ALL_ROUNDS
    assert made.pallet.live.get() == []
    model = made.world.models.model_of(1)
    assert model is not None
    assert (model.content, model.parents) == (content("first"), [content("arena model")])
    assert (model.owner, model.submission) == (CREATOR, 0)
    assert (model.score_numerator, model.score_denominator) == (0, 1)
    for name in "abcde":
        owned, member = made.world.owned(name), made.member(name)
        made.pallet.claim(signed(account(name)), 1)
        assert made.world.owned(name) == owned + member.earned
    assert made.world.balances.free(pot_of(1)) == 0
    assert list(made.pallet.memberships.keys()) == []
    with pytest.raises(events.TaskHasEnded):
        made.join("idle")
    made.world.check()


def test_a_task_without_an_accepted_round_leaves_no_model() -> None:
    made = new_alliance(*"abcde", rounds=1)
    made.play("a", dict.fromkeys("bcd", no()))
    assert made.pallet.get_task(1).ended is EndReason.ALL_ROUNDS
    assert made.world.models.model_of(1) is None
