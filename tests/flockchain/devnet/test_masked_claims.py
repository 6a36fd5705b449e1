"""Each claim of the chapter of masked sums holds for a good story and fails for a spoilt one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from flockchain.devnet.checks import CheckFailed
from flockchain.devnet.fl.cast import QUANTITY
from flockchain.devnet.fl.reporter import Reporter
from flockchain.devnet.masked.cast import EVERYBODY, GROUPS, POOL, PROPOSERS
from flockchain.devnet.masked.chapter import choose_leaving
from flockchain.devnet.masked.claims import check_claims
from flockchain.devnet.processes import DevnetError
from runtime.pallets.fl_alliance import events as alliance
from runtime.pallets.fl_alliance.stages import EndReason, FailureReason, Outcome, Standing
from runtime.primitives.types import FML, Bytes32, Hash
from tests.flockchain.devnet.alliance_record import record_of

TASK = 3
LOSS = 5 * FML
ACCOUNTS = [each.account for each in EVERYBODY]
DEALERS = ACCOUNTS[:PROPOSERS]
GONE = DEALERS[2:4]
VOTER = ACCOUNTS[-1]
SCORES = [970_000_000, 975_000_000]


def story() -> list[object]:
    """An accepted round of seven, two of whom drop out after sharing."""
    events: list[object] = [alliance.Joined(TASK, who, QUANTITY, 10, 3) for who in ACCOUNTS]
    events += [alliance.SecretsShared(TASK, 0, who) for who in DEALERS]
    events.append(alliance.SumProved(TASK, 0, VOTER, Hash(b"s" * 32), Bytes32(b"o" * 32)))
    events += [alliance.SharesRevealed(TASK, 0, who) for who in DEALERS if who not in GONE]
    events.append(alliance.RoundTallied(TASK, 0, Outcome.ACCEPTED, None, 3, 0))
    events += [alliance.Slashed(TASK, 0, who, Standing.ABSENT, LOSS) for who in GONE]
    for who in ACCOUNTS:
        left = QUANTITY - (LOSS if who in GONE else 0)
        events.append(alliance.Claimed(TASK, who, left, 0))
    events.append(alliance.TaskEnded(TASK, EndReason.ALL_ROUNDS, 0, POOL + 2 * LOSS))
    return events


def test_a_good_story_holds() -> None:
    texts = [each.text for each in check_claims(record_of(TASK, story()), SCORES, GONE)]
    assert texts[0] == "the round was accepted, by a proof of 80 bytes over masked numbers"
    assert texts[1] == (
        "client 3 and client 4 dropped out with their masks in all numbers; 5 of 7 revealed the "
        "shares that strip them off; nobody else lost anything"
    )
    assert texts[3].endswith("exactly")


def test_whoever_proposes_two_of_them_have_a_process_in_common() -> None:
    assert sorted(each.name for group in GROUPS for each in group.clients) == sorted(
        each.name for each in EVERYBODY
    )
    spread = [group.clients[at].account for at in (0, 1, 2) for group in GROUPS][:PROPOSERS]
    leaving = choose_leaving(spread)
    assert {each.account for each in leaving.clients} < set(spread)
    assert len(leaving.clients) == 2
    with pytest.raises(DevnetError, match=r"^3 proposers have no process in common$"):
        choose_leaving([group.clients[0].account for group in GROUPS])


def without(kind: type, *accounts: bytes) -> Callable[[list[object]], list[object]]:
    """The story without events of a kind, of all or of these accounts."""
    return lambda events: [
        event
        for event in events
        if not isinstance(event, kind) or (accounts and getattr(event, "who", None) not in accounts)
    ]


def changed(kind: type, **fields: object) -> Callable[[list[object]], list[object]]:
    """The story with other fields in the events of a kind."""
    return lambda events: [
        replace(event, **fields) if isinstance(event, kind) else event  # type: ignore[type-var]
        for event in events
    ]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda events: events[:-2], r"^13 took their balance$"),
        (changed(alliance.RoundTallied, outcome=Outcome.VOID), r"^outcomes \['VOID'\]$"),
        (without(alliance.SumProved), r"^0 sums were proved$"),
        (
            lambda events: [
                *events,
                alliance.AggregatorFailed(TASK, 0, VOTER, FailureReason.NO_PROOF),
            ],
            r"^1 aggregators failed$",
        ),
        (without(alliance.SecretsShared, DEALERS[0]), r"^6 shared the secrets of their masks$"),
        (without(alliance.SharesRevealed, DEALERS[0]), r"^4 revealed their shares$"),
        (without(alliance.Slashed, GONE[0]), r"^1 lost as absent$"),
        (
            lambda events: [*events, alliance.Slashed(TASK, 0, VOTER, Standing.LOSING, LOSS)],
            r"^3 lost something$",
        ),
    ],
)
def test_a_spoilt_story_fails(spoil: Callable[[list[object]], list[object]], message: str) -> None:
    with pytest.raises(CheckFailed, match=message):
        check_claims(record_of(TASK, spoil(story())), SCORES, GONE)


def test_who_dropped_out_had_shared_before_and_there_were_two() -> None:
    with pytest.raises(CheckFailed, match=r"^1 dropped out$"):
        check_claims(record_of(TASK, story()), SCORES, GONE[:1])
    with pytest.raises(CheckFailed, match=r"^who dropped out had shared no secrets before$"):
        check_claims(record_of(TASK, story()), SCORES, (GONE[0], VOTER))


def test_what_is_told_of_masks() -> None:
    said: list[str] = []
    reporter = Reporter(said.append, TASK)
    for event in story():
        reporter.on_event(7, event)
    assert "  #7    round 0: client 1 shares the secrets of its masks" in said
    assert "  #7    round 0: client 1 reveals the shares that are asked for" in said
