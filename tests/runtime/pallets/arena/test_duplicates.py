"""Behaviour duplicates: what makes a copy, who is ranked and paid then, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from runtime import frame
from runtime.constants import DEVNET
from runtime.pallets.arena import duplicates, events
from runtime.pallets.arena.budget import Budget
from runtime.pallets.arena.cursor import Job, JobKind, Phase, first_task
from runtime.pallets.arena.duplicates import (
    BEHAVIOUR_STEPS,
    COMPARISONS_PER_STEP,
    Duplicates,
    consensus_fingerprint,
    find_original,
)
from runtime.pallets.arena.records import (
    Ballot,
    Behaviour,
    DayKey,
    Fingerprinted,
    GivenScore,
    PaymentKind,
    Roster,
    RosterEntry,
    Score,
    Verdict,
)
from runtime.pallets.arena.work_records import Original
from runtime.primitives.apportion import apportion
from runtime.primitives.types import FML, Hash
from tests.runtime.pallets.arena.test_verified_task import SAME, paid
from tests.runtime.pallets.world import (
    MODELS,
    NODES,
    VALIDATORS,
    World,
    account,
    content,
    new_world,
    open_key,
    score,
    submit,
    terms,
    with_participants,
)

DISTANCE = 4
SCORES = {"good": 950_000_000, "fair": 800_000_000, "noise": 400_000_000}
FAR = {"good": 0, "fair": 0xFF, "noise": 0xFF00}
WEIGHED = {"seats": 0, "final_seats": 0}

Fingerprints = Mapping[str, int]


# -- the pure parts


def ballot(name: str, weight: int, verdict: Verdict) -> Ballot:
    return Ballot(account(name), weight, verdict)


def test_each_bit_goes_by_weighted_majority() -> None:
    ballots = [
        ballot("c", 3, Fingerprinted(5, 0b0111)),
        ballot("a", 2, Fingerprinted(5, 0b1011)),
        ballot("b", 1, Fingerprinted(5, 0b1101)),
    ]
    # Bit 3 has exactly half of the weight, which is not a majority.
    assert consensus_fingerprint(ballots, [True] * 3) == 0b0111
    # `kept` is by validator: without c, a alone has two thirds.
    assert consensus_fingerprint(ballots, [True, True, False]) == 0b1011
    top = [ballot("a", 1, Fingerprinted(1, 2**64 - 1))]
    assert consensus_fingerprint(top, [True]) == 2**64 - 1


def test_scores_of_zero_have_no_say() -> None:
    ballots = [ballot("a", 9, Score(0)), ballot("b", 1, Fingerprinted(5, 0b1))]
    assert consensus_fingerprint(ballots, [True, True]) == 0b1
    assert consensus_fingerprint(ballots, [True, False]) is None
    assert consensus_fingerprint([], []) is None


@pytest.mark.parametrize(
    ("bits", "owner", "expected"),
    [
        (0b1111, b"b", 7),  # exactly the distance
        (0b11111, b"b", None),
        (0b1111, b"a", None),  # its own
        (0b1111, None, 7),  # of nobody known: another's
    ],
)
def test_a_copy_is_near_another_owners_original(
    bits: int, owner: bytes | None, expected: int | None
) -> None:
    originals = [Original(3, account("far"), 2**63 - 1), Original(7, account("a"), 0)]
    who = None if owner is None else account(owner.decode())
    assert find_original(Original(9, who, bits), originals, DISTANCE) == expected


# -- days


def compared_world(**changes: object) -> World:
    """Day 1 of a task of two days that compares behaviour, everything revealed."""
    world = new_world()
    chosen = {"days": 2, "duplicate_distance": DISTANCE, **WEIGHED, **changes}
    world.tasks.create_verified_task(frame.ROOT, account("creator"), terms(**chosen))
    with_participants(world, 0)
    submit(world, 1, 0, MODELS)
    return world


def sheet_of(
    world: World, name: str, fingerprints: Fingerprints, scores: dict[str, int | None] | None = None
) -> list[GivenScore]:
    """A sheet with a fingerprint for each score above 0."""
    models = {content(model): model for model in FAR}
    todo = world.arena.views.to_score(0, world.arena.today(), account(name))
    plain = world.sheet(name, 0, {**SCORES} if scores is None else scores)
    found = []
    for line, given in zip(todo, plain, strict=True):
        verdict = given.verdict
        if isinstance(verdict, Fingerprinted):
            verdict = Fingerprinted(verdict.value, fingerprints[models[line.content]])
        found.append(replace(given, verdict=verdict))
    return found


def play_day(world: World, sheets: Mapping[str, list[GivenScore]], until: int = 20) -> None:
    """Seal and open the sheets; go on to a block of the day, or to the next day."""
    day = world.arena.today()
    for name, sheet in sheets.items():
        world.seal_sheet(name, 0, sheet)
    world.go_to(day, 14)
    for name, sheet in sheets.items():
        world.open_sheet(name, 0, sheet)
    world.go_to(day, until)


def scored_day(world: World, fingerprints: Fingerprints) -> World:
    """Everybody agrees on scores and fingerprints."""
    world.go_to(world.arena.today(), 10)
    play_day(world, {name: sheet_of(world, name, fingerprints) for name in VALIDATORS})
    return world


def ranked(world: World, day: int = 1) -> list[str]:
    return [node.owner.rstrip(b".").decode() for node in world.arena.views.leaderboard(0, day)]


@pytest.mark.parametrize(
    ("fingerprints", "expected", "copies"),
    [
        (FAR, ["n1", "n2", "n3"], {}),
        ({"good": 0, "fair": 0b1111, "noise": 0xFF00}, ["n1", "n3"], {1: 0}),
        ({"good": 0, "fair": 0b11111, "noise": 0xFF00}, ["n1", "n2", "n3"], {}),
        # n3 is near n2, which is itself a copy, and far from n1: it is an original.
        ({"good": 0, "fair": 0b1111, "noise": 0xFF}, ["n1", "n3"], {1: 0}),
        # n3 is near both others: the earliest is what it copies.
        ({"good": 0, "fair": 0b111111, "noise": 0b111}, ["n1", "n2"], {2: 0}),
        ({"good": 0, "fair": 0, "noise": 0}, ["n1"], {1: 0, 2: 0}),
    ],
)
def test_who_is_ranked(
    fingerprints: Fingerprints, expected: list[str], copies: dict[int, int]
) -> None:
    world = scored_day(compared_world(), fingerprints)
    assert ranked(world) == expected
    key = DayKey(0, 1)
    found = {number: each.copy_of for number, each in world.arena.behaviours.items_of(key)}
    assert found == {0: None, 1: None, 2: None} | copies
    told = [events.BehaviourCopied(0, 1, one, original) for one, original in copies.items()]
    assert world.events(events.BehaviourCopied) == told
    scored = world.arena.views.scored_submission(0, 1, 1)
    assert scored is not None
    assert scored.behaviour == Behaviour(fingerprints["fair"], copies.get(1))


def test_the_earliest_commitment_is_the_original_whatever_its_score() -> None:
    world = compared_world()
    world.go_to(1, 10)
    lowest: dict[str, int | None] = {"good": 50_000_000, "fair": 900_000_000, "noise": 400_000_000}
    near = {**FAR, "fair": 1}
    play_day(world, {name: sheet_of(world, name, near, lowest) for name in VALIDATORS})
    assert ranked(world) == ["n3"]  # n1 is the original and below the baseline


def test_validators_of_copies_are_paid_all_the_same() -> None:
    plain = scored_day(compared_world(), FAR)
    copied = scored_day(compared_world(), {**FAR, "fair": 1, "noise": 2})
    kind = PaymentKind.VALIDATION
    assert paid(plain, kind) == paid(copied, kind)
    assert paid(copied, PaymentKind.REWARD_A) == {"n1": 4_900 * FML}


def test_reward_b_leaves_copies_out() -> None:
    world = scored_day(compared_world(), FAR)
    open_key(world, 2, 0)
    scored_day(world, {**FAR, "noise": 1})
    assert ranked(world, 2) == ["n1", "n2"]
    parts = apportion(2 * 44_100 * FML, [20 * 10, 17 * 20])
    assert paid(world, PaymentKind.REWARD_B) == dict(zip(("n1", "n2"), parts, strict=True))


@pytest.mark.parametrize(("liar", "expected"), [("v1", ["n1", "n2", "n3"]), ("v3", ["n1", "n3"])])
def test_half_of_the_weight_is_no_majority(liar: str, expected: list[str]) -> None:
    """v3 has 300 of 600: where it differs from the others, no bit is set."""
    world = compared_world()
    world.go_to(1, 10)
    sheets = {name: sheet_of(world, name, FAR) for name in VALIDATORS}
    sheets[liar] = sheet_of(world, liar, {**FAR, "fair": 0})
    play_day(world, sheets)
    # Of n2 v1's lie leaves 0xFF; v3's leaves no bit above half.
    assert ranked(world) == expected


def test_few_seats_make_nobody_an_original() -> None:
    world = compared_world()
    world.go_to(1, 10)
    near = {**FAR, "fair": 0}
    some: dict[str, int | None] = {**SCORES, "good": None}
    sheets = {"v1": sheet_of(world, "v1", near, some), "v2": sheet_of(world, "v2", near)}
    play_day(world, sheets)  # v3, half of the stake, is silent
    assert not world.arena.behaviours.contains((DayKey(0, 1), 0))
    assert ranked(world) == ["n2", "n3"]


def test_tasks_without_the_switch_compare_nothing() -> None:
    world = compared_world(duplicate_distance=None)
    world.go_to(1, 10)
    score(world, 1, 0, SAME)
    assert list(world.arena.behaviours.keys()) == []
    assert ranked(world) == ["n1", "n2"]


@pytest.mark.parametrize(
    ("distance", "verdict"),
    [
        (DISTANCE, Score(1)),
        (DISTANCE, Fingerprinted(0, 5)),
        (None, Fingerprinted(1, 5)),
        (None, Fingerprinted(0, 5)),
    ],
)
def test_scores_have_fingerprints_where_they_are_due(
    distance: int | None, verdict: Verdict
) -> None:
    world = compared_world(duplicate_distance=distance)
    world.go_to(1, 10)
    sheet = [replace(given, verdict=verdict) for given in world.sheet("v1", 0, {**SCORES})]
    world.seal_sheet("v1", 0, sheet)
    world.go_to(1, 14)
    with pytest.raises(events.WrongFingerprint):
        world.open_sheet("v1", 0, sheet)


def test_a_fingerprinted_score_has_the_same_top() -> None:
    world = compared_world()
    world.go_to(1, 10)
    verdict = Fingerprinted(10**9 + 1, 0)
    sheet = [replace(given, verdict=verdict) for given in world.sheet("v1", 0, {**SCORES})]
    world.seal_sheet("v1", 0, sheet)
    world.go_to(1, 14)
    with pytest.raises(events.ScoreTooHigh):
        world.open_sheet("v1", 0, sheet)


# -- the work


@pytest.mark.parametrize("steps", [1, 2])
def test_copies_do_not_depend_on_the_budget_of_a_block(
    steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "COMPARISONS_PER_STEP", 1)
    outcomes = []
    for budget in (steps, 1_000):
        world = compared_world()
        world.go_to(1, 10)
        sheets = {
            name: sheet_of(world, name, {"good": 0, "fair": 1, "noise": 0xFF})
            for name in VALIDATORS
        }
        world.arena.config = replace(world.arena.config, steps_per_block=budget)
        play_day(world, sheets, until=40 + 7)
        result = world.arena.day_results.get(DayKey(0, 1))
        outcomes.append((result, [world.owned(name) for name in (*NODES, *VALIDATORS)]))
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0][0].ranking) == 2


def test_a_thousand_submissions_fit_into_the_steps_of_a_block() -> None:
    world = compared_world()
    key, count = DayKey(0, 1), 1_000
    revealed = world.arena.submissions.get((0, 0))
    for number in range(count):
        who = account(f"node {number % 999}")  # the last is of the first's owner
        world.arena.submissions.put((0, number), replace(revealed, owner=who))
        fingerprint = 0 if number == count - 1 else int.from_bytes(content(str(number))[:8])
        world.arena.behaviours.put((key, number), Behaviour(fingerprint))
    world.arena.behaviours.put((key, 0), Behaviour(1))
    entries = [RosterEntry(number, None, b"") for number in range(count)]
    roster = Roster(Hash(bytes(32)), 1, entries, [])
    cursor = first_task(Job(JobKind.SETTLE, 1), [0]).at(Phase.COMPARE)
    compare, calls = Duplicates(world.arena), []
    while cursor.index < count:
        budget = Budget(DEVNET.settlement_steps)
        cursor = compare.step(key, roster, cursor, budget)
        calls.append(budget.used)
    pairs = count * (count - 1) // 2
    assert len(calls) == 2
    assert max(calls) <= DEVNET.settlement_steps
    assert sum(calls) <= BEHAVIOUR_STEPS * count + pairs // COMPARISONS_PER_STEP + count
    found = dict(world.arena.behaviours.items_of(key))
    assert found[count - 1] == Behaviour(0)
    assert all(each.copy_of is None for each in found.values())
