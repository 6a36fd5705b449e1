"""Each claim of the market's chapter holds for a good story and fails for a spoilt one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from flockchain.devnet.checks import CheckFailed, Verdict
from flockchain.devnet.market import claims
from flockchain.devnet.market.cast import CALLER, CHEAT, HONEST, JURORS
from flockchain.devnet.market.changes import Change
from flockchain.devnet.market.record import Called, Record
from flockchain.devnet.market.reporter import Reporter
from flockchain.devnet.market.rows import Rows
from runtime.constants import DEVNET
from runtime.frame.events import ApplyExtrinsic, EventRecord, Initialization
from runtime.pallets.marketplace import case_records, events
from runtime.primitives.types import FML, AccountId, Bytes32, Hash
from runtime.primitives.vouchers import Answer

LLAMA, HOSTED = 3, 2
MODELS = {LLAMA: b"l" * 32, HOSTED: b"h" * 32}
PRICES = {LLAMA: FML // 4, HOSTED: FML // 5}
BLOCK, END, CASE = 90, 80, 0
HOST = f"0x{HONEST.account.hex()}"
RULES = DEVNET.market
STAKE = RULES.host_stake
SLASH = STAKE // 5


def calls() -> list[Called]:
    """Four free calls of each model, then three paid ones; chats in pieces."""
    return [
        Called(task, HOST, PRICES[task] * (place > 3), *((("text", 9)) if task == LLAMA else ()))
        for task in MODELS
        for place in range(7)
    ]


@dataclass
class Story:
    """What the claims are made from."""

    record: Record
    calls: list[Called] = field(default_factory=calls)
    paid: dict[int, Change] = field(default_factory=dict)
    ended: dict[AccountId, Change] = field(default_factory=dict)


def answer() -> Answer:
    zero = Hash(bytes(32))
    return Answer(zero, CHEAT.account, CALLER.account, MODELS[HOSTED], zero, zero, 0, zero)


def noted(record: Record, number: int, event: object, phase: int = 2) -> None:
    record.note(number, EventRecord(ApplyExtrinsic(phase), event, []))


def good_story() -> Story:
    record = Record(frozenset((HONEST.account, CHEAT.account)))
    own = 0
    for task, model in MODELS.items():
        paid = 3 * PRICES[task]
        split = RULES.split(paid)
        own += split.host
        made = events.Settled(
            CALLER.account, HONEST.account, Bytes32(model), paid, paid, split.burned, split.royalty
        )
        noted(record, BLOCK, made)
    jurors = [each.account for each in JURORS]
    noted(record, 50, events.CaseOpened(CASE, CALLER.account, case_records.Disputed(answer())))
    noted(record, 55, events.CaseMoved(CASE, case_records.CaseStage.SEALING, jurors))
    for who in jurors[:4]:
        noted(record, 70, events.VerdictOpened(CASE, who, case_records.Wrong()))
    noted(record, END, events.HostSlashed(CHEAT.account, SLASH, SLASH // 2))
    noted(record, END, events.CaseEnded(CASE, case_records.CaseStage.UPHELD, jurors[:4]))
    ended = {
        CHEAT.account: Change(0, -SLASH),
        CALLER.account: Change(SLASH // 2 + RULES.jury.bond + RULES.jury.juror_fee, -15 * FML),
        **{who: Change(RULES.jury.juror_fee - 9, 0, fees=9) for who in jurors[:4]},
        jurors[4]: Change(0, 0),
    }
    fees, emission = 1_000, 500
    paid = {BLOCK: Change(own - fees + emission, 0, fees, emission)}
    return Story(record, paid=paid, ended=ended)


def costs(story: Story) -> dict[bytes, int]:
    return {
        model: sum(each.charge for each in story.calls if each.task == task)
        for task, model in MODELS.items()
    }


CHECKS: dict[str, Callable[[Story], Verdict]] = {
    "calls": lambda story: claims.check_calls(story.calls, RULES, days=1),
    "streams": lambda story: claims.check_streams(story.calls),
    "settlement": lambda story: claims.check_settlement(
        story.record, costs(story), story.paid, RULES
    ),
    "slash": lambda story: claims.check_slash(story.record, STAKE, story.ended, RULES),
}


def test_a_good_story_holds() -> None:
    story = good_story()
    assert {name: check(story).text for name, check in CHECKS.items()} == {
        "calls": "the openai client called both models of host 1: 4 free and 3 for 0.20 FML each, "
        "then 4 free and 3 for 0.25 FML each",
        "streams": "7 chats were streamed, each in 9 pieces or more",
        "settlement": "1.35 FML of 2 channels were settled by 1 extrinsic; host 1 keeps 0.81 FML "
        "of it, exactly",
        "slash": "4 of 5 jurors, keys of one worker that ran the pinned model again, found host "
        "2's answer wrong: it lost 10 FML of 50 FML, 5 FML of it to the caller, who has its bond "
        "back; each of them earned 1 FML, exactly",
    }


def change_call(place: int, **changes: object) -> Callable[[Story], None]:
    def spoil(story: Story) -> None:
        story.calls[place] = replace(story.calls[place], **changes)  # type: ignore[arg-type]

    return spoil


def drop_calls(first: int, last: int) -> Callable[[Story], None]:
    def spoil(story: Story) -> None:
        del story.calls[first:last]

    return spoil


def change_account(who: AccountId, **changes: int) -> Callable[[Story], None]:
    def spoil(story: Story) -> None:
        story.ended[who] = replace(story.ended[who], **changes)

    return spoil


def earn_less(story: Story) -> None:
    story.paid[BLOCK] = replace(story.paid[BLOCK], free=0)


def settle_once(story: Story) -> None:
    story.record.settled.pop()


def reject(story: Story) -> None:
    story.record.ended = (
        END,
        events.CaseEnded(CASE, case_records.CaseStage.REJECTED, []),
    )


def pay_another(story: Story) -> None:
    jurors = [each.account for each in JURORS]
    story.record.ended = (END, events.CaseEnded(CASE, case_records.CaseStage.UPHELD, jurors))


def find_it_right(story: Story) -> None:
    story.record.verdicts = story.record.verdicts[:2]


def slash_less(story: Story) -> None:
    story.record.slashed = events.HostSlashed(CHEAT.account, SLASH - 1, SLASH // 2)


def slash_nobody(story: Story) -> None:
    story.record.slashed = None


@pytest.mark.parametrize(
    ("check", "spoil", "message"),
    [
        ("calls", change_call(3, charge=5), "^task 3: one of the first 4 calls was not free$"),
        ("calls", drop_calls(1, 4), "^task 3: one of the first 4 calls was not free$"),
        ("calls", change_call(4, charge=0), "^task 3: 5 calls were free in 1 days, not 4 a day$"),
        ("calls", drop_calls(3, 7), "^task 3: 3 calls were free in 1 days, not 4 a day$"),
        ("calls", drop_calls(6, 7), "^task 3: only 2 calls were paid$"),
        ("calls", change_call(5, charge=7), r"^task 3: calls cost \[7, 250000000000000000\]$"),
        ("calls", change_call(5, host="0x00"), "^1 calls were answered by another host$"),
        ("streams", lambda story: story.calls.clear(), "^nobody chatted$"),
        ("streams", change_call(2, pieces=1), "^an answer came in one piece$"),
        ("settlement", settle_once, "^0 planck were settled of 600000000000000000$"),
        ("settlement", earn_less, "^host 1 earned 500 in #90, not 810000000000000000$"),
        ("slash", reject, "^the case ended as REJECTED$"),
        ("slash", find_it_right, "^2 jurors found the answer wrong$"),
        ("slash", pay_another, "^others than those who found it wrong were paid$"),
        ("slash", slash_nobody, "^nobody was slashed$"),
        ("slash", slash_less, "^slashed: HostSlashed"),
        ("slash", change_account(CHEAT.account, held=-1), "^1 planck left host 2's stake"),
        ("slash", change_account(CALLER.account, free=1), "^1 planck came to the caller"),
        ("slash", change_account(JURORS[0].account, free=0), "^juror 1 earned 9, not"),
    ],
)
def test_a_spoilt_story_fails(check: str, spoil: Callable[[Story], None], message: str) -> None:
    story = good_story()
    spoil(story)
    with pytest.raises(CheckFailed, match=message):
        CHECKS[check](story)


def test_the_doubted_host_must_be_the_worse_one() -> None:
    rows = Rows([[0.0]] * 3, (1, 2, 3))
    cheap = Called(HOSTED, f"0x{CHEAT.account.hex()}", 0, labels=(1, 0, 0))
    honest = Called(HOSTED, "", 0, labels=(1, 2, 3))
    verdict = claims.check_doubt(cheap, honest, rows)
    assert verdict.text == "of 3 rows host 1 named 3 right, the cheaper host 2 1"
    for spoilt, message in (
        ((replace(cheap, host=HOST), honest), "^the cheapest host was 0x"),
        ((cheap, replace(honest, labels=(1, 0, 0))), "^both hosts gave the same answer$"),
        ((replace(cheap, labels=(1, 2, 3)), replace(honest, labels=(1, 2, 0))), "^host 1 named 2"),
    ):
        with pytest.raises(CheckFailed, match=message):
            claims.check_doubt(*spoilt, rows)


def test_what_is_told() -> None:
    said: list[str] = []
    reporter = Reporter(said.append, Record(frozenset((HONEST.account, CHEAT.account))))
    told = (
        events.HostRegistered(HONEST.account, STAKE),
        events.HostRegistered(JURORS[0].account, STAKE),  # not of the chapter
        events.Offered(CHEAT.account, Bytes32(MODELS[HOSTED]), HOSTED, FML // 10),
        events.CaseOpened(CASE, CALLER.account, case_records.Disputed(answer())),
        events.CaseMoved(CASE, case_records.CaseStage.SEALING, [JURORS[1].account]),
        events.VerdictOpened(CASE, JURORS[1].account, case_records.Wrong()),
        events.VerdictOpened(CASE + 1, JURORS[1].account, case_records.Wrong()),
        events.HostSlashed(CHEAT.account, SLASH, SLASH // 2),
        events.CaseEnded(CASE, case_records.CaseStage.UPHELD, []),
    )
    for event in told:
        reporter.on_event(7, EventRecord(Initialization(), event, []))
    assert said == [
        "  #7    market: host 1 stakes 50 FML",
        "  #7    market: host 2 offers the model of task 2 for 0.10 FML a call",
        "  #7    market: the caller challenges an answer: case 0",
        "  #7    market: drawn: juror 2",
        "  #7    market: juror 2 found the answer wrong",
        "  #7    market: host 2 is slashed 10 FML, 5 FML of it reward",
        "  #7    market: case 0 is upheld",
    ]
