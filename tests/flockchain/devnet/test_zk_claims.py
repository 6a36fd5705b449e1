"""Each claim of the chapter of proved sums holds for a good story and fails for a spoilt one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from flockchain.devnet.checks import CheckFailed
from flockchain.devnet.fl.cast import CLIENTS, EVERYBODY, QUANTITY
from flockchain.devnet.fl.reporter import Reporter
from flockchain.devnet.zk.cast import POOL
from flockchain.devnet.zk.claims import check_claims
from runtime.pallets.fl_alliance import events as alliance
from runtime.pallets.fl_alliance.stages import EndReason, FailureReason, Outcome, Standing
from runtime.primitives.types import FML, AccountId, Bytes32, Hash
from tests.flockchain.devnet.alliance_record import record_of

TASK = 3
LOSS = 10 * FML
CHEATER, NEXT = CLIENTS[4].account, CLIENTS[0].account
SCORES = [970_000_000, 975_000_000]


def proved(round_: int, who: AccountId) -> alliance.SumProved:
    return alliance.SumProved(TASK, round_, who, Hash(b"s" * 32), Bytes32(b"o" * 32))


def story() -> list[object]:
    """An accepted round in which the cheater is replaced and slashed."""
    events: list[object] = [
        alliance.Joined(TASK, each.account, QUANTITY, 10, 3) for each in EVERYBODY
    ]
    events += [
        proved(0, CHEATER),
        alliance.AggregatorFailed(TASK, 0, CHEATER, FailureReason.NO_OPENING),
        alliance.HandedOver(TASK, 0, CLIENTS[1].account, Bytes32(b"c" * 32)),
        proved(0, NEXT),
        alliance.RoundTallied(TASK, 0, Outcome.ACCEPTED, None, 3, 0),
        alliance.Slashed(TASK, 0, CHEATER, Standing.LOSING, LOSS),
    ]
    for each in EVERYBODY:
        left = QUANTITY - (LOSS if each.account == CHEATER else 0)
        events.append(alliance.Claimed(TASK, each.account, left, 0))
    events.append(alliance.TaskEnded(TASK, EndReason.ALL_ROUNDS, 0, POOL + LOSS))
    return events


def test_a_good_story_holds() -> None:
    texts = [each.text for each in check_claims(record_of(TASK, story()), SCORES, CHEATER)]
    assert texts[0] == "the round was accepted, by a proof of 80 bytes"
    assert texts[1] == (
        "client 5 changed one number of the sum, was caught by the voters, lost 10 FML, and client "
        "1 took over within the round; nobody else lost anything"
    )
    assert texts[3].endswith("exactly")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda events: events[:-2], r"^6 took their balance$"),
        (
            lambda events: [
                replace(e, outcome=Outcome.VOID) if isinstance(e, alliance.RoundTallied) else e
                for e in events
            ],
            r"^rounds \[\] were accepted$",
        ),
        (
            lambda events: [e for e in events if getattr(e, "proved", None) is None],
            r"^sums of rounds \[\] were proved$",
        ),
        (
            lambda events: [e for e in events if not isinstance(e, alliance.AggregatorFailed)],
            r"^0 aggregators failed: \[\]$",
        ),
        (
            lambda events: [*events, proved(0, CHEATER)],
            r"^nobody took over from the cheating aggregator$",
        ),
        (
            lambda events: [e for e in events if not isinstance(e, alliance.Slashed)],
            r"^slashed: \[\]$",
        ),
    ],
)
def test_a_spoilt_story_fails(spoil: Callable[[list[object]], list[object]], message: str) -> None:
    with pytest.raises(CheckFailed, match=message):
        check_claims(record_of(TASK, spoil(story())), SCORES, CHEATER)


def test_what_is_told_of_proofs() -> None:
    said: list[str] = []
    reporter = Reporter(said.append, TASK)
    for event in story():
        reporter.on_event(7, event)
    told = [line for line in said if "round 0: client" in line]
    assert told[0].startswith(
        "  #7    round 0: client 5 proves its sum by 80 bytes, H(Enc(w)) is 0x"
    )
    assert told[1] == (
        "  #7    round 0: client 5 fails to aggregate: what it handed out is not the sum that was "
        "proved, say the voters"
    )
    assert told[2].endswith("client 2 hands its update to the next aggregator")
