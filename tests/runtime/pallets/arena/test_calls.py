"""The arena's four calls: windows at their edges, seals, quotas, sheets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runtime import frame
from runtime.economy.tasks import Role
from runtime.frame.origin import signed
from runtime.pallets.arena import events
from runtime.pallets.arena.records import (
    Account,
    Alias,
    DayKey,
    GivenScore,
    NoData,
    Score,
    SubmittedModel,
    Submitter,
)
from runtime.pallets.arena.seals import seal_scores, seal_submission
from runtime.primitives.scale import codec_of
from runtime.primitives.types import FML
from tests.runtime.pallets.world import (
    GENESIS,
    MODELS,
    SCORES,
    World,
    account,
    content,
    new_world,
    submit,
    terms,
    with_participants,
)


@pytest.fixture
def world() -> World:
    """Day 0: a verified task without committees, with its participants."""
    made = new_world()
    made.tasks.create_verified_task(frame.ROOT, account("creator"), terms(seats=0, final_seats=0))
    with_participants(made, 0)
    return made


def at(world: World, day: int, position: int, act: Callable[[], None], *, is_open: bool) -> None:
    """Do it in that block, or see it refused."""
    world.go_to(day, position)
    if is_open:
        act()
    else:
        with pytest.raises(events.OutsideWindow):
            act()


def test_windows_are_half_open(world: World) -> None:
    def commit() -> None:
        world.commit("n1", 0, f"model {world.number}")

    def reveal() -> None:
        world.reveal("n1", 0, f"model {world.number - (world.number % 20 - 7)}")

    at(world, 1, 0, commit, is_open=True)
    at(world, 1, 7, commit, is_open=True)
    at(world, 1, 7, reveal, is_open=False)
    at(world, 1, 8, commit, is_open=False)
    at(world, 1, 9, reveal, is_open=True)
    sheets: list[list[GivenScore]] = []

    def seal() -> None:
        sheets.append([GivenScore(1, Score(5))])
        world.seal_sheet("v1", 0, sheets[-1])

    at(world, 1, 9, seal, is_open=False)
    at(world, 1, 10, reveal, is_open=False)
    at(world, 1, 13, seal, is_open=True)
    at(world, 1, 14, seal, is_open=False)
    at(world, 1, 16, lambda: world.open_sheet("v1", 0, sheets[0]), is_open=True)
    at(world, 1, 17, lambda: world.open_sheet("v1", 0, sheets[0]), is_open=False)


def test_who_may_submit_and_how_often(world: World) -> None:
    with pytest.raises(events.TaskNotActive):
        world.commit("n1", 0, "early")
    world.go_to(1)
    world.register("idle", 0, Role.TRAINING_NODE, 10 * FML)
    for name in ("idle", "v1", "creator"):  # stake of today counts from tomorrow
        with pytest.raises(events.NotANode):
            world.commit(name, 0, "good")
    world.commit("n1", 0, "0")
    with pytest.raises(events.DuplicateSeal):
        world.commit("n1", 0, "0")
    for number in range(1, 4):  # L(s_min) = 4
        world.commit("n1", 0, str(number))
    with pytest.raises(events.QuotaUsed):
        world.commit("n1", 0, "4")
    for number in range(5):  # L(2 s_min) = 5
        world.commit("n2", 0, str(number))
    with pytest.raises(events.QuotaUsed):
        world.commit("n2", 0, "5")
    world.go_to(2)
    world.commit("n1", 0, "4")
    assert world.arena.next_submission.get(0) == 10


def test_a_seal_opens_only_for_its_maker_and_its_day(world: World) -> None:
    world.go_to(1)
    who, salt = account("n1"), bytes(32)
    blob = content("good"), content("good sealed")
    seal = seal_submission(GENESIS, 0, Account(who), SubmittedModel(*blob, 1), salt)
    world.arena.commit_submission(signed(who), 0, seal)
    world.arena.commit_submission(signed(account("n2")), 0, seal)  # a stolen seal
    world.go_to(1, 8)

    def reveal(name: str, size: int = 1, with_salt: bytes = salt) -> None:
        world.arena.reveal_submission(signed(account(name)), 0, *blob, size, with_salt)

    def reveal_another(of: bytes, sealed: bytes) -> None:
        world.arena.reveal_submission(signed(who), 0, of, sealed, 1, salt)

    for wrong in (
        lambda: reveal("n2"),
        lambda: reveal("n3"),
        lambda: reveal("n1", 2),
        lambda: reveal("n1", with_salt=b"1" * 32),
        lambda: reveal_another(content("fair"), blob[1]),
        lambda: reveal_another(blob[0], content("fair sealed")),
    ):
        with pytest.raises(events.NoSuchSeal):
            wrong()
    for size in (0, 2**36 + 1):
        with pytest.raises(events.BadSize):
            reveal("n1", size)
    reveal("n1")
    with pytest.raises(events.AlreadyRevealed):
        reveal("n1")
    world.go_to(2)
    world.commit("n2", 0, "fair")
    world.go_to(3, 8)
    with pytest.raises(events.SubmissionsFrozen):
        world.reveal("n2", 0, "fair")


def test_the_last_commitment_stands_whatever_is_revealed_last(world: World) -> None:
    world.go_to(1)
    world.commit("n1", 0, "first")
    world.commit("n1", 0, "second")
    world.go_to(1, 8)
    world.reveal("n1", 0, "second")
    world.reveal("n1", 0, "first")
    assert world.arena.standing.get((0, account("n1"))) == 1
    world.go_to(2, 10)  # it stands until replaced
    todo = world.arena.views.to_score(0, 2, account("v1"))
    assert [item.content for item in todo] == [content("second")]


def test_the_final_day_takes_no_submission(world: World) -> None:
    world.go_to(3)
    with pytest.raises(events.SubmissionsFrozen):
        world.commit("n1", 0, "late")


def test_sheets_are_exact(world: World) -> None:
    submit(world, 1, 0, MODELS)
    with pytest.raises(events.OutsideWindow):
        world.seal_sheet("v1", 0, [])
    world.go_to(1, 10)
    right = world.sheet("v1", 0, SCORES)
    for name in ("n1", "idle"):
        with pytest.raises(events.NotDrawn):
            world.seal_sheet(name, 0, right)
    wrong = {
        "v1": right[:2],
        "v2": right[::-1],
        "v3": [*right[:2], GivenScore(2, Score(10**9 + 1))],
    }
    for name, sheet in wrong.items():
        world.seal_sheet(name, 0, sheet)
    with pytest.raises(events.AlreadyCommitted):
        world.seal_sheet("v1", 0, right)
    world.go_to(1, 14)
    with pytest.raises(events.NothingCommitted):
        world.open_sheet("n1", 0, right)
    with pytest.raises(events.WrongSeal):
        world.open_sheet("v1", 0, right)
    for name in ("v1", "v2"):
        with pytest.raises(events.WrongSheet):
            world.open_sheet(name, 0, wrong[name])
    with pytest.raises(events.ScoreTooHigh):
        world.open_sheet("v3", 0, wrong["v3"])


def test_a_sheet_opens_once(world: World) -> None:
    submit(world, 1, 0, MODELS)
    world.go_to(1, 10)
    sheet = world.sheet("v1", 0, SCORES)
    world.seal_sheet("v1", 0, sheet)
    world.go_to(1, 14)
    world.open_sheet("v1", 0, sheet)
    with pytest.raises(events.AlreadyRevealed):
        world.open_sheet("v1", 0, sheet)


def test_a_copied_seal_cannot_be_opened_by_another() -> None:
    sheet, salt = [GivenScore(0, Score(7)), GivenScore(1, NoData())], bytes(32)
    seals = {
        seal_scores(genesis, task, day, who, sheet, salt)  # type: ignore[arg-type]
        for genesis, task, day, who in (
            (GENESIS, 0, 1, account("v1")),
            (GENESIS, 0, 1, account("v2")),
            (GENESIS, 0, 2, account("v1")),
            (GENESIS, 1, 1, account("v1")),
            (bytes(32), 0, 1, account("v1")),
        )
    }
    assert len(seals) == 5


def test_aliases_have_their_place() -> None:
    codec = codec_of(Submitter)
    assert codec.encode(Account(account("n1"))) == b"\0" + account("n1")
    assert codec.decode_all(b"\1" + bytes(32)) == Alias(bytes(32))


def test_views_of_unknown_things() -> None:
    world = new_world()
    views = world.arena.views
    assert views.task_info(0) is views.day_report(0, 1) is views.scored_submission(0, 1, 0) is None
    assert (
        views.leaderboard(0, 1) == views.to_score(0, 1, account("v1")) == views.live_tasks() == []
    )


def test_views_of_a_running_task(world: World) -> None:
    submit(world, 1, 0, MODELS)
    (info,) = world.arena.views.live_tasks()
    assert (info.task, info.today, info.submissions, info.standing, info.vested) == (0, 1, 3, 3, 0)


def test_without_committees_exactly_the_days_validators_may_seal(world: World) -> None:
    submit(world, 1, 0, MODELS)
    world.register("idle", 0, Role.TASK_VALIDATOR, 100 * FML)  # counts from the next day
    world.go_to(1, 10)
    for name in ("idle", "n1", "creator"):
        with pytest.raises(events.NotDrawn):
            world.seal_sheet(name, 0, [])
    for name in ("v1", "v2", "v3"):
        world.seal_sheet(name, 0, world.sheet(name, 0, SCORES))


def test_nobody_seals_for_a_day_without_submissions(world: World) -> None:
    world.go_to(1, 10)
    with pytest.raises(events.NotDrawn):
        world.seal_sheet("v1", 0, [])


def test_ballots_are_stored_as_a_list(world: World) -> None:
    submit(world, 1, 0, MODELS)
    world.go_to(1, 10)
    sheets = {name: world.sheet(name, 0, SCORES) for name in ("v3", "v1", "v2")}
    for name, sheet in sheets.items():
        world.seal_sheet(name, 0, sheet)
    world.go_to(1, 14)
    for name, sheet in sheets.items():
        world.open_sheet(name, 0, sheet)
    ballots = world.arena.ballots.get((DayKey(0, 1), 0))
    assert [ballot.validator for ballot in ballots] == [account(n) for n in ("v3", "v1", "v2")]
    assert [ballot.weight for ballot in ballots] == [300 * FML, 100 * FML, 200 * FML]
