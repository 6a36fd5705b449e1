"""Masked rounds: secrets are shared, sums proved and unmasked; who withholds shares pays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.frame.origin import signed
from runtime.pallets.fl_alliance import events, refusals
from runtime.pallets.fl_alliance.mask_records import Masked, Share
from runtime.pallets.fl_alliance.stages import Outcome, Stage, Standing, VoidReason
from runtime.pallets.fl_alliance.terms import Mode
from runtime.pallets.fl_alliance.views import Duty
from runtime.primitives.rational import Rational
from runtime.primitives.zk_aggregation import OFFSET
from tests.runtime.pallets.fl_alliance.alliance_world import WINDOWS, new_alliance, no_data, yes
from tests.runtime.pallets.fl_alliance.masked_world import (
    MASKED_WINDOWS,
    at_unmasking,
    masked_round,
)
from tests.runtime.pallets.fl_alliance.test_aggregation import zk_alliance
from tests.runtime.pallets.world import account

ALL = "abcde"
VOTERS = "vwxyz"


def test_a_masked_round_from_shares_to_pay() -> None:
    found = at_unmasking()
    assert found.dealers == ALL
    # Commitments count once: each client multiplied by its weight before it masked.
    assert {client.weight for client in found.statement.clients} == {1}
    found.reveal_shares(*ALL)
    found.made.go_to(Stage.VOTE)
    assert found.unmasked() == found.expected(ALL)
    found.made.vote({name: yes() for name in VOTERS})
    assert found.result().outcome is Outcome.ACCEPTED
    assert {found.standing(name) for name in ALL + VOTERS} == {Standing.GOOD}


def test_two_drop_outs_of_ten_still_finish() -> None:
    """After the shares, when their masks are in everybody's updates."""
    names = "abcdefghij"
    found = at_unmasking(names, absent="dj")
    there = "abcefghi"
    assert found.made.round.aggregate == 0b0111110111
    found.reveal_shares(*there)
    found.made.go_to(Stage.VOTE)
    assert found.unmasked() == found.expected(there)
    # What was handed over is masked: it is nowhere near the numbers of an update of weight 10.
    plain = range(10 * OFFSET, 10 * OFFSET + 11)
    handed = [number for name in there for number in found.openings[name].numbers.tolist()]
    assert not any(number in plain for number in handed)
    found.made.vote({name: yes() for name in VOTERS})
    assert found.result().outcome is Outcome.ACCEPTED
    assert [found.standing(name) for name in "dj"] == [Standing.ABSENT] * 2
    assert {found.standing(name) for name in there} == {Standing.GOOD}


def test_who_is_in_the_sum_and_reveals_nothing_loses_and_the_round_goes_on() -> None:
    found = at_unmasking()
    found.reveal_shares(*"abcd")
    found.made.go_to(Stage.VOTE)
    assert found.unmasked() == found.expected(ALL)
    before = found.made.balance("e")
    found.made.vote({name: yes() for name in VOTERS})
    assert found.result().outcome is Outcome.ACCEPTED
    assert found.standing("e") is Standing.LOSING
    assert found.made.balance("e") == before - before // 10


def test_without_enough_shares_the_round_is_void_and_only_the_silent_lose() -> None:
    found = at_unmasking()
    found.reveal_shares(*"abc")
    found.made.settle()
    assert found.result().void is VoidReason.NOT_UNMASKED
    assert [found.standing(name) for name in ALL] == ([Standing.EXEMPT] * 3 + [Standing.LOSING] * 2)
    assert {found.standing(name) for name in VOTERS} == {Standing.EXEMPT}


@pytest.mark.parametrize("early", ["", "a"])
def test_where_most_reveal_nothing_none_of_them_pays(early: str) -> None:
    """No block became final, so the honest could not; a few that do not wait harm nobody."""
    found = at_unmasking("abcd")
    found.reveal_shares(*early)
    found.made.settle()
    assert found.result().void is VoidReason.NOT_UNMASKED
    assert {found.standing(name) for name in "abcd" + VOTERS} == {Standing.EXEMPT}


def test_half_that_reveals_nothing_pays() -> None:
    """Else two of four void every round for nothing."""
    found = at_unmasking("abcd")
    found.reveal_shares(*"ab")
    found.made.settle()
    assert found.result().void is VoidReason.NOT_UNMASKED
    assert [found.standing(name) for name in "abcd"] == (
        [Standing.EXEMPT] * 2 + [Standing.LOSING] * 2
    )


@pytest.mark.parametrize("early", ["", "a"])
def test_where_most_dealers_seal_nothing_the_round_is_void_and_no_dealer_pays(early: str) -> None:
    found = masked_round()
    found.share(*"abcd")
    found.made.go_to(Stage.PROPOSE)
    for name in early:
        found.seal(name)
    found.made.settle()
    assert found.result().void is VoidReason.NOT_SEALED
    assert [found.standing(name) for name in ALL] == [Standing.EXEMPT] * 4 + [Standing.ABSENT]
    assert {found.standing(name) for name in VOTERS} == {Standing.EXEMPT}


@pytest.mark.parametrize(("dealers", "there"), [(ALL, "abc"), ("abcd", "ab")])
def test_where_half_of_the_dealers_seal_the_others_pay(dealers: str, there: str) -> None:
    found = masked_round()
    found.share(*dealers)
    found.made.go_to(Stage.PROPOSE)
    for name in there:
        found.seal(name)
    found.made.go_to(Stage.DISCLOSE)
    for name in there:
        found.reveal(name, "v")
    found.made.report_all(VOTERS)
    found.made.settle()
    assert found.result().void is VoidReason.TOO_FEW_CLIENTS
    assert {found.standing(name) for name in there} == {Standing.EXEMPT}
    assert {found.standing(name) for name in set(ALL) - set(there)} == {Standing.ABSENT}


def test_a_drop_out_may_reveal_but_nobody_waits_for_it() -> None:
    found = at_unmasking(absent="e")
    assert found.made.progress.due == 4
    found.reveal_shares("e")
    assert found.made.progress.done == 0
    found.reveal_shares(*"abc")  # with that of e, four shares of each
    found.made.go_to(Stage.VOTE)
    assert found.unmasked() == found.expected("abcd")
    found.made.vote({name: yes() for name in VOTERS})
    assert [found.standing(name) for name in "de"] == [Standing.LOSING, Standing.ABSENT]


def test_never_both_kinds_of_share_of_one_client() -> None:
    found = at_unmasking(absent="e")
    other = [
        Share(each.value) for each in found.shares("a")
    ]  # right ones, but one of them of the other kind
    posted = found.posted_deal("b")
    from runtime.primitives import vrf
    from runtime.primitives.curve import point_mul
    from runtime.primitives.zk_shares import open_piece
    from tests.runtime.pallets.fl_alliance.alliance_world import vrf_seed

    shared = point_mul(vrf.secret_scalar(vrf_seed("a")), posted.ephemeral)
    opened = open_piece(posted, 0, shared)
    assert opened is not None
    other[1] = Share(opened.pair)
    with pytest.raises(refusals.BadShares):
        found.post_shares("a", other)
    found.reveal_shares("a")
    with pytest.raises(events.AlreadyRevealed):
        found.post_shares("a", other)


def test_a_dealer_of_a_wrong_share_loses_and_the_holder_does_not() -> None:
    found = at_unmasking(wrong="b")
    found.post_shares("a", found.shares("a", wrong="b"))
    assert found.made.world.events(events.WrongShareShown) == [
        events.WrongShareShown(1, 0, account("b"), account("a"))
    ]
    found.reveal_shares(*"bcde")
    found.made.go_to(Stage.VOTE)
    assert found.unmasked() == found.expected(ALL)  # four shares of b are left
    found.made.vote({name: yes() for name in VOTERS})
    assert [found.standing(name) for name in "ab"] == [Standing.GOOD, Standing.LOSING]


def test_an_honest_dealer_cannot_be_accused() -> None:
    found = at_unmasking()
    with pytest.raises(refusals.ShareIsFine):
        found.post_shares("a", found.shares("a", wrong="b"))
    forged = found.shares("a", wrong="b")
    forged[1] = replace(found.revealed("a", "b", is_wrong=True), shared=found.dealt("c").ephemeral)  # type: ignore[type-var]
    with pytest.raises(refusals.BadShares):
        found.post_shares("a", forged)
    for shares in ([], found.shares("a")[1:], found.shares("b"), found.shares("a")[::-1]):
        with pytest.raises(refusals.BadShares):
            found.post_shares("a", shares)
    with pytest.raises(events.NotAProposer):
        found.post_shares("v", found.shares("a"))
    assert found.pallet.masked.get(found.made.key) == Masked(0b11111)


def test_refusals_of_sharing() -> None:
    found = masked_round()
    found.share("a")
    with pytest.raises(refusals.AlreadyShared):
        found.share("a")
    for name in "bv":
        error = refusals.BadDeal if name == "b" else events.NotAProposer
        with pytest.raises(error):
            found.post_deal(name, found.dealt("a"))
    with pytest.raises(events.WrongStage):
        found.post_shares("a", [])
    found.share(*"bcd")
    found.made.go_to(Stage.PROPOSE)
    with pytest.raises(events.WrongStage):
        found.share("e")
    assert found.made.progress.due == 4
    with pytest.raises(refusals.NotADealer):
        found.made.commit_proposal("e", "e 0")


def test_too_few_that_share_are_a_void_round() -> None:
    found = masked_round()
    found.share(*"abc")  # four are needed of five
    found.made.settle()
    assert found.result().void is VoidReason.NOT_SHARED
    assert [found.standing(name) for name in ALL] == ([Standing.EXEMPT] * 3 + [Standing.ABSENT] * 2)
    assert {found.standing(name) for name in VOTERS} == {Standing.EXEMPT}


def test_a_sum_of_fewer_than_the_threshold_is_not_proved() -> None:
    found = masked_round()
    found.share(*ALL)
    found.made.go_to(Stage.PROPOSE)
    for name in "abc":
        found.seal(name)
    found.made.go_to(Stage.DISCLOSE)
    for name in "abc":
        found.reveal(name, "v")
    found.made.report_all(VOTERS)
    found.made.settle()
    assert found.result().void is VoidReason.TOO_FEW_CLIENTS


def test_a_client_that_handed_over_other_numbers_is_accused_as_in_other_rounds() -> None:
    found = masked_round("abcdefgh")
    found.share(*"abcdefgh")
    found.sends_wrong = "b"
    found.made.go_to(Stage.PROPOSE)
    for name in "abcdefgh":
        found.seal(name)
    found.made.go_to(Stage.DISCLOSE)
    for name in "abcdefgh":
        found.reveal(name, "v")
    found.made.report_all(VOTERS)
    found.made.go_to(Stage.AGGREGATE)
    with pytest.raises(refusals.ChunkIsFine):
        found.accuse("v", "a")
    found.accuse("v", "b")
    found.post("v", found.proof(), 7)
    found.made.go_to(Stage.UNMASK)
    found.reveal_shares(*"acdefgh")
    found.made.go_to(Stage.VOTE)
    assert found.unmasked() == found.expected("acdefgh")


def test_a_sum_that_is_withheld_after_unmasking_voids_the_round() -> None:
    """Another aggregator could have another set, and a second kind of shares would be needed."""
    found = at_unmasking()
    found.reveal_shares(*ALL)
    found.made.vote({"v": yes(), **{name: no_data() for name in "wxyz"}})
    assert found.result().void is VoidReason.NO_PROOF
    assert [found.standing(name) for name in "vwab"] == [
        Standing.LOSING,
        *[Standing.EXEMPT] * 3,
    ]


def test_what_is_due() -> None:
    found = masked_round()

    def duty(name: str) -> Duty:
        due: Duty = found.pallet.views.part_of(found.made.task, account(name)).duty
        return due

    assert [duty(name) for name in "av"] == [Duty.SHARE_SECRETS, Duty.NOTHING]
    found.share(*"abcd")
    assert [duty(name) for name in "ae"] == [Duty.NOTHING, Duty.SHARE_SECRETS]
    found.made.go_to(Stage.PROPOSE)
    assert [duty(name) for name in "be"] == [Duty.COMMIT_PROPOSAL, Duty.NOTHING]
    late = at_unmasking()
    part = late.pallet.views.part_of(late.made.task, account("a"))
    assert part.duty is Duty.REVEAL_SHARES
    late.reveal_shares("a")
    assert late.pallet.views.part_of(late.made.task, account("a")).duty is Duty.NOTHING


def test_records_are_dropped_when_the_next_round_ends_or_with_the_round() -> None:
    found = at_unmasking()
    found.reveal_shares(*ALL)
    key = found.made.key
    found.made.vote({name: yes() for name in VOTERS})
    assert found.pallet.deals.contains((key, account("a")))
    found.made.open_round()
    found.made.settle()
    assert not found.pallet.deals.contains((key, account("a")))
    assert not found.pallet.reveals.contains((key, account("a")))
    assert found.pallet.masked.get(key).dealers == 0b11111
    found.pallet.playing.ending._drop_round(key, 1_000)
    assert not found.pallet.masked.contains(key)


def test_calls_of_masked_rounds_in_other_modes() -> None:
    made = zk_alliance()
    made.seat("abc", "defgh")
    dealt = masked_round().dealt("a")
    with pytest.raises(events.WrongStage):
        made.pallet.share_secrets(signed(account("a")), *made.place, dealt)
    with pytest.raises(events.WrongStage):
        made.pallet.reveal_shares(signed(account("a")), *made.place, [])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"windows": replace(MASKED_WINDOWS, share=0)}, events.BadWindows),
        ({"windows": replace(MASKED_WINDOWS, unmask=0)}, events.BadWindows),
        ({"windows": replace(MASKED_WINDOWS, propose=7)}, events.BadWindows),
        ({"windows": replace(MASKED_WINDOWS, unmask=7)}, events.BadWindows),
        ({"windows": replace(WINDOWS, aggregate=5)}, events.BadWindows),
        ({"mode": Mode.ZK}, events.BadWindows),
        ({"mode": Mode.OPEN, "parameters": 0}, events.BadWindows),
        ({"proposing": Rational(2, 3), "units_max": 300}, events.BadAggregation),
        ({"attributes": True}, events.BadAggregation),
    ],
)
def test_terms_that_masked_rounds_cannot_have(
    changes: dict[str, object], error: type[Exception]
) -> None:
    declared = {
        "mode": Mode.ZK_MASKED,
        "parameters": 6,
        "windows": MASKED_WINDOWS,
        **changes,
    }
    with pytest.raises(error):
        new_alliance(*"abcdefgh", **declared)


def test_a_masked_round_takes_its_windows_more() -> None:
    assert MASKED_WINDOWS.total() == replace(MASKED_WINDOWS, share=0, unmask=0).total() + 12
