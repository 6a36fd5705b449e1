"""Rounds with an aggregator: commitments, a proof, who fails, who takes over and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
import torch
from nacl.signing import SigningKey

from ml.zk.openings import Opening, add_up, commit, is_opening, opening_of
from ml.zk.prover import prove_aggregation
from runtime.frame.origin import signed
from runtime.pallets.fl_alliance import aggregation, events, refusals
from runtime.pallets.fl_alliance.disputes import Accusation
from runtime.pallets.fl_alliance.records import Aggregation, VoterRecord
from runtime.pallets.fl_alliance.seals import delivery_context, seal_proposal
from runtime.pallets.fl_alliance.stages import (
    FailureReason,
    Outcome,
    Stage,
    Standing,
    VoidReason,
)
from runtime.pallets.fl_alliance.terms import Mode
from runtime.pallets.fl_alliance.views import Duty, Part
from runtime.primitives import vrf
from runtime.primitives.curve import hash_to_scalar
from runtime.primitives.hashing import sha2_256
from runtime.primitives.rational import Rational
from runtime.primitives.types import FML
from runtime.primitives.zk_aggregation import hash_of_commitments
from runtime.primitives.zk_delivery import Chunk, Delivery, deliver, prove_shared
from runtime.primitives.zk_setup import ethereum_setup
from runtime.primitives.zk_transcript import Statement, update_message
from tests.runtime.pallets.fl_alliance.alliance_world import (
    WINDOWS,
    Alliance,
    new_alliance,
    no,
    no_data,
    salt,
    vrf_key,
    vrf_seed,
    yes,
)
from tests.runtime.pallets.world import GENESIS, account, content

PARAMETERS = 6
VOTERS = "defgh"


@dataclass
class Aggregated:
    """A round of task 1 in which a, b and c propose and d to h vote."""

    made: Alliance
    openings: dict[str, Opening] = field(default_factory=dict)
    posted: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    pieces: dict[str, list[bytes]] = field(default_factory=dict)
    sends_wrong: str = ""  # who sends another number than it committed to
    voters: str = VOTERS

    @property
    def pallet(self):  # type: ignore[no-untyped-def]
        return self.made.pallet

    @property
    def aggregation(self) -> Aggregation:
        return self.pallet.aggregations.get(self.made.key)

    @property
    def statement(self) -> Statement:
        return self.pallet.playing.aggregations.statement(self.made.key)

    def prepare(self, name: str) -> tuple[bytes, bytes]:
        """Commitments to an update of zeros and ones, and their signature."""
        setup = ethereum_setup()
        update = torch.tensor([ord(name) >> bit & 1 for bit in range(PARAMETERS)])
        opening = opening_of(update.to(torch.int16), setup)
        points = commit(opening, setup)
        self.openings[name] = opening
        weight = self.made.round.weights[0]  # all have the same units
        context = self.pallet.playing.aggregations.context(self.made.key)
        message = update_message(context, weight, points)
        signature = SigningKey(vrf_seed(name)).sign(message).signature
        self.posted[name] = (b"".join(points), bytes(signature))
        return self.posted[name]

    def deliver(self, name: str, receiver: str) -> Delivery:
        """What it sends, encrypted to a voter."""
        opening = self.openings[name]
        numbers = opening.numbers.tolist()
        numbers[0] += name in self.sends_wrong
        context = delivery_context(GENESIS, self.made.place, account(name), vrf_key(receiver))
        secret = hash_to_scalar(b"tests", name.encode(), receiver.encode())
        chunks = [Chunk(numbers, opening.blinders[0])]
        delivery, self.pieces[name] = deliver(chunks, vrf_key(receiver), context, secret)
        return delivery

    def seal(self, name: str, **changes: bytes) -> None:
        points, signature = self.prepare(name)
        points = changes.get("points", points)
        self.posted[name] = points, signature
        sealed = content(f"{name} to d")
        seal = seal_proposal(
            GENESIS,
            self.made.place,
            account(name),
            sha2_256(points),
            sealed,
            salt(name),
        )
        who = signed(account(name))
        self.pallet.commit_proposal(who, self.made.task, self.made.key.round, seal)

    def reveal(self, name: str, receiver: str = "d", **changes: bytes) -> None:
        points, signature = self.posted[name]
        opened = {"points": points, "signature": signature, **changes}
        self.pallet.reveal_commitments(
            signed(account(name)),
            self.made.task,
            self.made.key.round,
            opened["points"],
            opened["signature"],
            self.deliver(name, receiver),
            content(f"{name} to d"),
            salt(name),
        )

    def propose(self, names: str = "abc") -> None:
        """Each commits; all voters hold what travels."""
        self.made.go_to(Stage.PROPOSE)
        for name in names:
            self.seal(name)
        self.made.go_to(Stage.DISCLOSE)
        for name in names:
            self.reveal(name)
        self.made.report_all(self.voters)

    def hand_over(self, *names: str) -> None:
        for name in names:
            self.pallet.hand_over(
                signed(account(name)),
                self.made.task,
                self.made.key.round,
                self.deliver(name, self.aggregator),
                content(f"{name} to e"),
            )

    @property
    def aggregator(self) -> str:
        return VOTERS[self.aggregation.place]

    def accuse(self, by: str, name: str, **changes: object) -> None:
        posted = self.pallet.commitments.get((self.made.key, account(name)))
        context = delivery_context(GENESIS, self.made.place, account(name), vrf_key(by))
        secret = vrf.secret_scalar(vrf_seed(by))
        shared, proof = prove_shared(secret, posted.delivery, context, b"entropy")
        piece = self.pieces[name][0]
        accused = Accusation(account(name), 0, piece, [], shared, proof)
        who = signed(account(by))
        made = replace(accused, **changes)  # type: ignore[arg-type]
        self.pallet.accuse(who, self.made.task, self.made.key.round, made)

    def proof(self) -> bytes:
        openings = [self.openings[client.id.rstrip(b".").decode()] for client in self.clients()]
        return prove_aggregation(self.statement, openings, ethereum_setup())

    def clients(self):  # type: ignore[no-untyped-def]
        return self.statement.clients

    def post(self, name: str, proof: bytes, count: int = 3) -> None:
        who, opening = signed(account(name)), content("opening")
        self.pallet.post_proof(who, self.made.task, self.made.key.round, count, proof, opening)

    def standing(self, name: str) -> Standing:
        """How a participant came out of the first round."""
        key = replace(self.made.key, round=0)
        found: Standing = self.pallet.payments.get((key, account(name))).standing
        return found

    def result(self):  # type: ignore[no-untyped-def]
        return self.made.result(0)


HALF_PROPOSE = {"proposing": Rational(1, 2), "units_max": 256}  # so that eight members are enough


def zk_alliance(**changes: object) -> Alliance:
    declared = {
        "mode": Mode.ZK,
        "parameters": PARAMETERS,
        "windows": replace(WINDOWS, aggregate=5),
        **HALF_PROPOSE,
        **changes,
    }
    return new_alliance(*"abcdefgh", **declared)


def seated() -> Aggregated:
    made = zk_alliance()
    made.seat("abc", VOTERS)
    return Aggregated(made)


def at_aggregation() -> Aggregated:
    found = seated()
    found.propose()
    found.made.go_to(Stage.AGGREGATE)
    return found


def spoiled(proof: bytes) -> bytes:
    return proof[:-1] + bytes((proof[-1] ^ 1,))


def test_a_round_is_proved_voted_on_and_paid() -> None:
    found = at_aggregation()
    assert found.aggregation == Aggregation()
    found.post("d", found.proof())
    proved = hash_of_commitments(found.statement.totals)
    assert found.aggregation == Aggregation(0, 0, proved, content("opening"))
    assert found.made.world.events(events.SumProved) == [
        events.SumProved(1, 0, account("d"), proved, content("opening"))
    ]
    with pytest.raises(refusals.AlreadyProved):
        found.post("d", found.proof())
    with pytest.raises(refusals.AlreadyProved):
        found.accuse("d", "a")
    total = add_up([found.openings[name] for name in "abc"], [10, 10, 10])
    assert is_opening(found.statement.totals, total, ethereum_setup())
    found.made.vote({name: yes() for name in VOTERS})
    result = found.result()
    assert (result.outcome, result.aggregate) == (Outcome.ACCEPTED, content("aggregate"))
    assert {found.standing(name) for name in "abcdefgh"} == {Standing.GOOD}


def test_a_cheating_aggregator_is_slashed_and_replaced_within_the_round() -> None:
    """One weight changed: the proof is of another sum."""
    found = at_aggregation()
    clients = list(found.statement.clients)
    clients[1] = replace(clients[1], weight=11)
    forged = Statement(found.statement.context, tuple(clients))
    openings = [found.openings[name] for name in "abc"]
    found.post("d", prove_aggregation(forged, openings, ethereum_setup()))
    assert found.made.world.events(events.AggregatorFailed) == [
        events.AggregatorFailed(1, 0, account("d"), FailureReason.BAD_PROOF)
    ]
    assert (found.made.stage, found.aggregation) == (Stage.DISCLOSE, Aggregation(1))
    found.hand_over("a", "b", "c")
    assert found.pallet.proposals.get((found.made.key, account("b"))).ciphertext == content(
        "b to e"
    )
    found.made.report_all(VOTERS)
    found.made.go_to(Stage.AGGREGATE)
    with pytest.raises(refusals.NotTheAggregator):
        found.post("d", found.proof())
    found.post("e", found.proof())
    before = found.made.balance("d")
    found.made.vote({name: yes() for name in VOTERS})
    assert found.result().outcome is Outcome.ACCEPTED
    assert found.standing("d") is Standing.LOSING
    assert found.made.balance("d") == before - before // 10
    assert found.made.balance("e") > 10 * FML


def test_a_silent_aggregator_is_replaced_and_who_hands_nothing_over_is_out() -> None:
    found = seated()
    found.propose()
    found.made.go_to(Stage.AGGREGATE)
    found.made.go_to(Stage.DISCLOSE)
    assert found.made.world.events(events.AggregatorFailed)[0].reason is FailureReason.NO_PROOF
    found.hand_over("a", "b")
    with pytest.raises(events.AlreadyRevealed):
        found.hand_over("a")
    found.made.report_all(VOTERS)
    found.made.settle()
    result = found.result()
    assert (result.outcome, result.void) == (Outcome.VOID, VoidReason.TOO_FEW_CLIENTS)
    assert [found.standing(name) for name in "abcde"] == [
        Standing.EXEMPT,
        Standing.EXEMPT,
        Standing.ABSENT,
        Standing.LOSING,
        Standing.EXEMPT,
    ]


def test_a_round_without_any_proof_is_void() -> None:
    found = at_aggregation()
    for name in "def":
        found.post(name, spoiled(found.proof()))
        if name != "f":
            found.hand_over("a", "b", "c")
            found.made.report_all(VOTERS)
            found.made.go_to(Stage.AGGREGATE)
    found.made.settle()
    assert found.result().void is VoidReason.NO_PROOF
    assert [found.standing(name) for name in "defgh"] == (
        [Standing.LOSING] * 3 + [Standing.EXEMPT] * 2
    )
    assert [found.standing(name) for name in "abc"] == [Standing.EXEMPT] * 3


def test_who_proves_a_sum_and_keeps_it_back_is_replaced_within_the_round() -> None:
    found = at_aggregation()
    found.post("d", found.proof())
    found.made.cast({"d": yes(), **{name: no_data() for name in "efgh"}})
    found.made.go_to(Stage.DISCLOSE)
    assert found.made.world.events(events.AggregatorFailed) == [
        events.AggregatorFailed(1, 0, account("d"), FailureReason.NO_OPENING)
    ]
    assert (found.made.stage, found.aggregation) == (Stage.DISCLOSE, Aggregation(1))
    for name in VOTERS:
        assert found.pallet.votes.get((found.made.key, account(name))) == VoterRecord()
    found.hand_over("a", "b", "c")
    found.made.report_all(VOTERS)
    found.made.go_to(Stage.AGGREGATE)
    found.post("e", found.proof())
    before = found.made.balance("d")
    found.made.vote({name: yes() for name in VOTERS})
    assert found.result().outcome is Outcome.ACCEPTED
    assert found.standing("d") is Standing.LOSING
    assert found.made.balance("d") == before - before // 10
    assert found.standing("e") is Standing.GOOD


def test_half_of_the_drawn_voters_without_the_sum_replace_nobody() -> None:
    made = zk_alliance()
    made.seat("abc", "defg")
    found = Aggregated(made)
    found.voters = "defg"
    found.propose()
    made.go_to(Stage.AGGREGATE)
    found.post("d", found.proof())
    made.vote({"d": yes(), "e": yes(), "f": no_data(), "g": no_data()})
    assert found.result().void is VoidReason.NO_MAJORITY
    assert {found.standing(name) for name in "defg"} == {Standing.EXEMPT}


def test_three_sums_that_nobody_can_have_void_the_round() -> None:
    found = at_aggregation()
    for name in "def":
        found.post(name, found.proof())
        found.made.cast({name: no_data() for name in VOTERS})
        if name != "f":
            found.made.go_to(Stage.DISCLOSE)
            found.hand_over("a", "b", "c")
            found.made.report_all(VOTERS)
            found.made.go_to(Stage.AGGREGATE)
    found.made.settle()
    assert found.result().void is VoidReason.NO_PROOF
    assert [found.standing(name) for name in "defgh"] == (
        [Standing.LOSING] * 3 + [Standing.EXEMPT] * 2
    )


def test_a_rejected_sum_leaves_the_model() -> None:
    found = at_aggregation()
    found.post("d", found.proof())
    found.made.vote({name: no() for name in VOTERS})
    assert found.result().outcome is Outcome.REJECTED
    assert [found.standing(name) for name in "abc"] == [Standing.LOSING] * 3


def at_disclosure(**changes: bytes) -> Aggregated:
    """a has sealed what is told, in place of what it should."""
    found = seated()
    found.made.go_to(Stage.PROPOSE)
    for name in "bca":
        found.seal(name, **(changes if name == "a" else {}))
    found.made.go_to(Stage.DISCLOSE)
    return found


@pytest.mark.parametrize("points", [b"", b"\xc0" + bytes(47), bytes(48), bytes(47), bytes(96)])
def test_commitments_that_are_no_points_of_the_chunks_are_refused(points: bytes) -> None:
    with pytest.raises(refusals.BadCommitments):
        at_disclosure(points=points).reveal("a")


def test_commitments_that_another_key_signed_are_refused() -> None:
    found = at_disclosure()
    _, signature = found.posted["a"]
    for wrong in (signature[:-1] + bytes((signature[-1] ^ 1,)), found.posted["b"][1]):
        with pytest.raises(refusals.BadCommitments):
            found.reveal("a", signature=wrong)


def test_points_are_looked_at_after_all_that_costs_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may not open anything now does not make the chain decompress points."""
    found = at_disclosure()

    def not_now(*_: object) -> bool:
        raise AssertionError("points were looked at")

    monkeypatch.setattr(aggregation, "is_admissible", not_now)
    points, _ = found.posted["b"]
    with pytest.raises(events.WrongSeal):
        found.reveal("a", points=points)
    found.posted["d"], found.openings["d"] = found.posted["a"], found.openings["a"]
    with pytest.raises(events.NotAProposer):
        found.reveal("d")


def test_refused_openings_of_commitments() -> None:
    found = at_disclosure()
    with pytest.raises(refusals.BadDelivery):
        found.reveal("a", receiver="e")
    with pytest.raises(events.WrongMode):
        found.made.reveal_proposal("a", "a 0")
    with pytest.raises(events.WrongStage):
        found.pallet.hand_over(signed(account("a")), 1, 0, found.deliver("a", "d"), content("x"))
    found.reveal("a")
    with pytest.raises(events.AlreadyRevealed):
        found.reveal("a")


def test_a_proof_declares_what_its_check_costs() -> None:
    found = at_aggregation()
    with pytest.raises(refusals.TooManyCommitments):
        found.post("d", found.proof(), count=2)
    found.post("d", found.proof(), count=4)
    assert found.aggregation.proved is not None


def test_refusals_of_handing_over() -> None:
    found = at_aggregation()
    with pytest.raises(refusals.NotTheAggregator):
        found.post("e", found.proof())
    found.post("d", spoiled(found.proof()))
    with pytest.raises(events.WrongStage):
        found.reveal("a")
    delivery = found.deliver("a", "d")
    for name, error in (
        ("d", events.NotAProposer),
        ("idle", events.NotAProposer),
        ("a", refusals.BadDelivery),  # not to the new aggregator
    ):
        with pytest.raises(error):
            found.pallet.hand_over(signed(account(name)), 1, 0, delivery, content("x"))
    with pytest.raises(events.WrongStage):
        found.post("e", spoiled(bytes(80)))


def test_a_proposer_outside_the_sum_does_not_hand_over() -> None:
    made = zk_alliance()
    made.seat("abcd", "efg")
    found = Aggregated(made)
    made.go_to(Stage.PROPOSE)
    for name in "abc":
        found.seal(name)
    made.go_to(Stage.DISCLOSE)
    for name in "abc":
        found.reveal(name, receiver="e")
    made.report_all("efg")
    made.go_to(Stage.AGGREGATE)
    found.post("e", bytes(80))
    delivery = found.deliver("a", "f")
    with pytest.raises(events.NotAProposer):
        found.pallet.hand_over(signed(account("d")), 1, 0, delivery, content("x"))


def test_commitments_belong_to_tasks_with_an_aggregator() -> None:
    made = new_alliance(*"abcdefgh")
    made.seat("abc", VOTERS)
    found = Aggregated(made)
    made.go_to(Stage.PROPOSE)
    found.made.commit_proposal("a", "a 0")
    made.go_to(Stage.DISCLOSE)
    found.prepare("a")
    with pytest.raises(events.WrongMode):
        found.reveal("a")


def test_a_round_needs_as_many_members_as_give_four_proposers() -> None:
    made = zk_alliance(voters_min=1)
    assert made.pallet.get_task(made.task).members_min == 7
    open_mode = new_alliance(*"abcdefgh", proposing=Rational(1, 2), voters_min=1)
    assert open_mode.pallet.get_task(made.task).members_min == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": 0},
        {"attributes": True},
        {"parameters": 4092 * 25},  # 25 chunks of 128 proposers
        {"proposing": Rational(1, 200)},
        {"proposing": Rational(1, 86)},  # three proposers: none may drop out
        {"proposing": Rational(1, 3), "units_max": 1_024},  # units of 86 proposers
        {"mode": Mode.OPEN, "windows": WINDOWS},
    ],
)
def test_terms_that_no_proof_fits(changes: dict[str, object]) -> None:
    with pytest.raises(events.BadAggregation):
        zk_alliance(**changes)


def test_records_are_dropped_with_the_round() -> None:
    found = at_aggregation()
    found.post("d", found.proof())
    found.made.vote({name: yes() for name in VOTERS})
    key = replace(found.made.key, round=0)
    assert found.pallet.commitments.contains((key, account("a")))
    found.pallet.playing.ending._drop_round(key, 1_000)
    assert not found.pallet.commitments.contains((key, account("a")))
    assert not found.pallet.aggregations.contains(key)


def test_what_is_due() -> None:
    found = at_aggregation()

    def duty(name: str) -> Duty:
        part: Part = found.pallet.views.part_of(found.made.task, account(name))
        return part.duty

    assert [duty(name) for name in "ade"] == [Duty.NOTHING, Duty.PROVE, Duty.NOTHING]
    found.post("d", bytes(80))
    assert [duty(name) for name in "ade"] == [Duty.HAND_OVER, Duty.NOTHING, Duty.NOTHING]
    found.hand_over("a")
    assert [duty(name) for name in "ab"] == [Duty.NOTHING, Duty.HAND_OVER]
