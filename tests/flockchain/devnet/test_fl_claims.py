"""Each claim of the FL chapter holds for a good story and fails for a spoilt one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from flockchain.devnet.checks import CheckFailed
from flockchain.devnet.fl import claims
from flockchain.devnet.fl.cast import CHOICES, CLIENTS, EVERYBODY, POISONER, POOL, QUANTITY
from flockchain.devnet.fl.record import Record
from flockchain.devnet.fl.reporter import Reporter
from runtime.pallets.fl_alliance import events as alliance
from runtime.pallets.fl_alliance.stages import EndReason, Outcome, Standing
from runtime.primitives.types import FML, Bytes32
from tests.flockchain.devnet.alliance_record import record_of

TASK = 2
LOSS = 30 * FML
MODEL = Bytes32(b"m" * 32)


def story() -> list[object]:
    """Everybody joins, all rounds are accepted, the poisoner loses and is expelled, all claim."""
    events: list[object] = [
        alliance.Joined(TASK, each.account, QUANTITY, 10, 3) for each in EVERYBODY
    ]
    for round_ in range(CHOICES.rounds):
        events.append(alliance.RoundTallied(TASK, round_, Outcome.ACCEPTED, None, 3, 60 * FML))
        events += [alliance.Rewarded(TASK, round_, each.account, 10 * FML) for each in CLIENTS]
        events.append(alliance.RoundSettled(TASK, round_, MODEL, POOL))
    events += [
        alliance.Slashed(TASK, 0, POISONER.account, Standing.LOSING, LOSS),
        alliance.Expelled(TASK, POISONER.account, QUANTITY - LOSS, 9),
    ]
    gain = 10 * FML * CHOICES.rounds
    events += [alliance.Claimed(TASK, each.account, QUANTITY, gain) for each in CLIENTS]
    events.append(alliance.Claimed(TASK, POISONER.account, QUANTITY - LOSS, 0))
    paid = gain * len(CLIENTS)
    events.append(alliance.TaskEnded(TASK, EndReason.ALL_ROUNDS, 0, POOL + LOSS - paid))
    return events


def test_a_good_story_holds() -> None:
    found = claims.check_claims(record_of(TASK, story()), [970_000_000, 975_000_000])
    texts = [each.text for each in found]
    assert texts[0] == "of 6 rounds 6 were accepted, 0 rejected, 0 void"
    assert texts[1].endswith("does not fall: 97.00 % -> 97.50 %")
    assert texts[2].startswith("the poisoner staked 50 FML, lost 30 FML, has 20 FML and was expell")
    assert texts[4].endswith("exactly")


def test_events_of_other_tasks_are_none_of_its() -> None:
    record = record_of(TASK, [replace(event, task=9) for event in story()])  # type: ignore[type-var]
    assert record == Record(TASK)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda events: events[:-2], r"^6 took their balance$"),
        (
            lambda events: [e for e in events if getattr(e, "round", 0) != 5],
            r"^5 rounds took place$",
        ),
        (
            lambda events: [
                replace(e, outcome=Outcome.VOID) if isinstance(e, alliance.RoundTallied) else e
                for e in events
            ],
            r"^no model was ever accepted$",
        ),
        (
            lambda events: [e for e in events if not isinstance(e, alliance.Slashed)],
            r"^the poisoner has 50 FML of 50 FML$",
        ),
        (
            lambda events: [
                *events,
                alliance.Slashed(TASK, 1, CLIENTS[0].account, Standing.LOSING, 100 * FML),
            ],
            r"^the poisoner has 20 FML, an honest client 10 FML$",
        ),
        (
            lambda events: [
                *events,
                alliance.Slashed(TASK, 1, CLIENTS[0].account, Standing.ABSENT, FML),
            ],
            r"^honest clients were absent \(client 1 in round 1\): their workers missed a phase",
        ),
        (
            lambda events: [
                replace(e, burned=e.burned + 1) if isinstance(e, alliance.TaskEnded) else e
                for e in events
            ],
            r"planck came in, ",
        ),
        (
            lambda events: [e for e in events if not isinstance(e, alliance.TaskEnded)],
            r"^the task did not end$",
        ),
    ],
)
def test_a_spoilt_story_fails(spoil: Callable[[list[object]], list[object]], message: str) -> None:
    with pytest.raises(CheckFailed, match=message):
        claims.check_claims(record_of(TASK, spoil(story())), [970_000_000, 975_000_000])


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([970_000_000, 960_000_000], r"^accuracy fell: 97\.00 % -> 96\.00 %$"),
        ([970_000_000], r"^no model was made$"),
    ],
)
def test_accuracy_must_not_fall(scores: list[int], message: str) -> None:
    with pytest.raises(CheckFailed, match=message):
        claims.check_accuracy(scores)


def test_each_event_is_told_in_words() -> None:
    lines: list[str] = []
    reporter = Reporter(lines.append, TASK)
    for number, event in enumerate(story()):
        reporter.on_event(number, event)
    reporter.on_event(99, alliance.VoteRevealed(TASK, 0, POISONER.account, False, MODEL))
    reporter.on_event(99, alliance.VoteRevealed(9, 0, POISONER.account, False, MODEL))
    reporter.on_settled(100, 0)
    assert lines[0] == "  #0    client 1 joins with 50 FML and 10 units of samples"
    assert "  #99   round 0: the poisoner rejects" in lines
    assert sum("the poisoner rejects" in line for line in lines) == 1
    assert lines[-2].startswith("  #100  round 0: paid: client 1 10 FML, client 2 10 FML")
    assert lines[-1] == "  #100  round 0: slashed: the poisoner 30 FML"
