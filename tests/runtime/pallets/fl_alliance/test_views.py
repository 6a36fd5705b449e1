"""What the views tell in every stage of a round, and that a round's roles can be drawn again."""

from __future__ import annotations

import pytest

from runtime.frame.origin import signed
from runtime.pallets.fl_alliance.records import MemberStatus, NoData
from runtime.pallets.fl_alliance.seals import vrf_input
from runtime.pallets.fl_alliance.sortition import draw
from runtime.pallets.fl_alliance.stages import EndReason, Outcome, Stage, Standing
from runtime.pallets.fl_alliance.views import Duty, Part, Role, Views
from runtime.primitives import vrf
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from tests.runtime.pallets.fl_alliance.alliance_world import (
    NAMES,
    Alliance,
    name_of,
    new_alliance,
    no,
    no_data,
    yes,
)
from tests.runtime.pallets.world import GENESIS, account, content


def views(made: Alliance) -> Views:
    found: Views = made.pallet.views
    return found


def part(made: Alliance, name: str) -> tuple[Role, Duty]:
    found = views(made).part_of(1, account(name))
    return found.role, found.duty


def test_what_a_proposer_and_a_voter_have_to_do() -> None:
    made = new_alliance(*"abcde", model=None)
    found = views(made).part_of(1, account("a"))
    until = made.progress.until
    assert found == Part(Role.UNDECIDED, Duty.CHECK_IN, 0, until, None, made.input("a"))
    made.check_in(*"abcd")
    assert part(made, "a") == (Role.UNDECIDED, Duty.NOTHING)
    made.seat("a", "bcd", absent=1)
    assert part(made, "a") == (Role.PROPOSER, Duty.INITIALISE_MODEL)
    made.pallet.initialise_model(signed(account("a")), 1, 0, content("made"))
    found = views(made).part_of(1, account("a"))
    until = made.progress.until
    assert found == Part(Role.PROPOSER, Duty.COMMIT_PROPOSAL, 0, until, 0, b"")
    assert part(made, "b") == (Role.VOTER, Duty.NOTHING)
    made.commit_proposal("a", "x")
    assert part(made, "a") == (Role.PROPOSER, Duty.NOTHING)
    made.go_to(Stage.DISCLOSE)
    assert part(made, "a") == (Role.PROPOSER, Duty.REVEAL_PROPOSAL)
    made.reveal_proposal("a", "x")
    assert part(made, "a") == (Role.PROPOSER, Duty.NOTHING)
    made.go_to(Stage.REPORT)
    assert part(made, "b") == (Role.VOTER, Duty.REPORT)
    made.report_all("bcd")
    assert part(made, "b") == (Role.VOTER, Duty.NOTHING)
    made.go_to(Stage.VOTE)
    assert part(made, "b") == (Role.VOTER, Duty.COMMIT_VOTE)
    for name in "bcd":
        made.commit_vote(name, yes())
    assert part(made, "b") == (Role.VOTER, Duty.NOTHING)
    made.go_to(Stage.OPEN)
    assert part(made, "b") == (Role.VOTER, Duty.REVEAL_VOTE)
    made.reveal_vote("b", yes())
    assert part(made, "b") == (Role.VOTER, Duty.NOTHING)
    assert part(made, "e") == (Role.ABSENT_VOTER, Duty.NOTHING)
    assert part(made, "idle") == (Role.NONE, Duty.NOTHING)


def test_nothing_is_due_in_the_block_that_ends_the_window() -> None:
    made = new_alliance(*"abcde")
    while made.world.number + 1 < made.progress.until:
        assert part(made, "a") == (Role.UNDECIDED, Duty.CHECK_IN)
        made.world.next_block()
    assert part(made, "a") == (Role.UNDECIDED, Duty.NOTHING)


def test_who_was_not_drawn_has_no_role() -> None:
    made = new_alliance(*NAMES, participation=Rational(1, 2))
    made.check_in(*NAMES)
    made.world.next_block()
    proposers, voters = made.roles()
    rest = next(name for name in NAMES if name not in (*proposers, *voters))
    assert part(made, rest) == (Role.NONE, Duty.NOTHING)


def test_a_balance_is_claimed_when_it_is_free() -> None:
    made = new_alliance(*"abcde")
    assert views(made).part_of(7, account("a")).role is Role.NONE
    made.pallet.playing.ending.end(1, EndReason.LIFETIME)
    assert part(made, "a") == (Role.NONE, Duty.CLAIM)
    made.pallet.claim(signed(account("a")), 1)
    assert part(made, "a") == (Role.NONE, Duty.NOTHING)


def test_tasks_and_members() -> None:
    made = new_alliance(*"abcde")
    info = views(made).task_info(1)
    assert info is not None
    assert (info.task, info.round, info.run.joined, info.run.staked) == (1, 0, 5, 50 * FML)
    assert info.purse is not None
    assert info.purse.pool == 1_000 * FML
    assert info.progress == made.progress
    assert views(made).live_tasks() == [info]
    assert views(made).task_info(0) is None
    entries = views(made).members(1, 0)
    assert [name_of(entry.account) for entry in entries] == list("abcde")
    assert entries[2].member == made.member("c")
    assert [name_of(entry.account) for entry in views(made).members(1, 3)] == list("de")
    assert views(made).members(1, 5) == []
    made.pallet.playing.ending.end(1, EndReason.LIFETIME)
    info = views(made).task_info(1)
    assert info is not None
    assert (info.purse, info.progress) == (None, None)
    assert views(made).live_tasks() == []


def test_a_round_and_the_history() -> None:
    made = new_alliance(*"abcdef")
    made.play("ab", {"c": yes(), "d": no(marks=1), "e": no_data(0b10), "f": None})
    info = views(made).round_info(1, 0)
    assert info is not None
    assert [(name_of(p.account), p.weight) for p in info.proposers] == [("a", 10), ("b", 10)]
    assert info.proposers[1].proposal.content == content("b 0")
    ballots = {name_of(voter.account): voter.record.ballot for voter in info.voters}
    assert ballots == {"c": yes(), "d": no(marks=1), "e": NoData(0b10), "f": None}
    assert info.result is not None
    assert views(made).round_info(1, 1) is not None
    assert views(made).round_info(1, 2) is None
    history = views(made).history(1)
    assert [each.round for each in history] == [0, 1]
    first = history[0]
    assert (first.members, first.proposers, first.voters, first.absent) == (6, 2, 4, 0)
    assert (first.base, first.result) == (content("arena model"), info.result)
    assert history[1].result is None
    assert views(made).history(0) == []


def test_payments_and_their_explanation() -> None:
    made = new_alliance(*"abcde")
    made.play("a", {"b": yes(), "c": yes(), "d": None})
    paid = {name_of(entry.account): entry.payment for entry in views(made).payments(1, 0)}
    assert list(paid) == list("abcd")
    assert paid["d"].standing is Standing.ABSENT
    found = views(made).explain_payment(1, 0, account("b"))
    assert found is not None
    assert found.payment == paid["b"]
    assert found.result.outcome is Outcome.ACCEPTED
    assert (found.rounds_left, found.slash, found.absence_slash) == (
        5,
        Rational(1, 10),
        Rational(1, 10),
    )
    reward = found.result.from_pool + found.result.minted
    assert found.result.from_pool == found.result.pool // found.rounds_left
    exact = reward * found.payment.balance // found.result.good
    assert 0 <= found.payment.amount - exact <= 1
    assert found.vote is not None
    assert found.vote.ballot == yes()
    assert (found.proposal, found.posted_proof) == (None, True)
    assert views(made).explain_payment(1, 0, account("e")) is None
    assert views(made).explain_payment(1, 9, account("a")) is None


def test_the_explanation_of_an_absent_member() -> None:
    made = new_alliance(*"abcde")
    made.check_in(*"bcde")
    made.go_to(Stage.PROPOSE)
    made.settle()
    found = views(made).explain_payment(1, 0, account("a"))
    assert found is not None
    assert (found.payment.standing, found.payment.amount) == (Standing.ABSENT, FML)
    assert (found.posted_proof, found.proposal, found.vote) == (False, None, None)


@pytest.mark.parametrize("is_settled", [False, True])
def test_anybody_draws_the_roles_again(is_settled: bool) -> None:
    made = new_alliance(*NAMES, participation=Rational(7, 10), threshold=Rational(1, 1))
    made.check_in(*NAMES[:8])
    made.go_to(Stage.PROPOSE)
    roles, opened = made.roles(), made.round
    if is_settled:
        made.settle()
        assert made.member("j").status is MemberStatus.EXPELLED
    certificate = views(made).role_certificate(1, 0, 0)
    assert certificate is not None
    assert (certificate.seed, certificate.members) == (opened.seed, 10)
    assert certificate.next is None
    outputs = []
    for each in certificate.proofs:
        if each.proof is not None:
            alpha = vrf_input(GENESIS, certificate.seed, 1, 0, each.account)
            output = vrf.verify(each.key, each.proof, alpha)
            assert output == each.output is not None
            outputs.append((output, name_of(each.account)))
    assert len(certificate.proofs) == certificate.members
    again = draw(outputs, certificate.members, certificate.participation, certificate.proposing)
    assert (list(again.proposers), list(again.voters)) == roles


def test_certificates_last_as_long_as_the_proofs() -> None:
    made = new_alliance(*"abcde", rounds=100)
    for _ in range(3):
        made.go_to(Stage.CHECK_IN)
        made.check_in(*"abcde")
        made.seat("a", "bcd")
        made.settle()
    opened = made.pallet.runs.get(1).opened
    kept = [views(made).role_certificate(1, round_, 0) is not None for round_ in range(opened + 1)]
    assert kept == [False] * (opened - 2) + [True, True, False]
    assert views(made).role_certificate(9, 0, 0) is None
