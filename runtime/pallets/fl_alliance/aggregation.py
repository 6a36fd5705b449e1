"""Rounds with an aggregator: commitments of clients, its proof, and who takes its place.

Clients commit to their updates on the chain themselves, so nobody drops them silently. The present
voter with the lowest output aggregates; the next one takes over if it posts no proof in time or a
wrong one, or if most voters do not get the sum that was proved, which costs it s_p. Then clients
hand their updates over anew, each to the new key, and who does not is out of the sum.
Invariant: a stored hash of a sum was proved in this round.
Source: WP VI.H; zkFL (arXiv 2310.02554) 4; rotation and replacement are this project's.
"""

from __future__ import annotations

from dataclasses import replace

from runtime.pallets.fl_alliance import events, refusals
from runtime.pallets.fl_alliance.masking import Masking
from runtime.pallets.fl_alliance.proposals import OpenedProposal, Proposals
from runtime.pallets.fl_alliance.records import (
    Aggregation,
    ClientCommitments,
    NoData,
    Progress,
    RoundKey,
    VoterRecord,
)
from runtime.pallets.fl_alliance.seals import delivery_context
from runtime.pallets.fl_alliance.stages import FailureReason, Stage, VoidReason
from runtime.pallets.fl_alliance.storage import FlAlliance
from runtime.pallets.fl_alliance.terms import AGGREGATORS_MAX, Mode
from runtime.primitives.hashing import sha2_256
from runtime.primitives.types import AccountId
from runtime.primitives.zk_aggregation import hash_of_sum, is_admissible, verify_aggregation
from runtime.primitives.zk_delivery import Delivery, is_delivery
from runtime.primitives.zk_points import POINT_BYTES
from runtime.primitives.zk_transcript import Commitments, RoundContext, Statement


class Aggregations:
    """Commitments, proofs, replacement."""

    def __init__(self, alliance: FlAlliance) -> None:
        self.alliance = alliance

    # -- clients

    def reveal(
        self,
        who: AccountId,
        place: tuple[int, int],
        posted: ClientCommitments,
        ciphertext: bytes,
        salt: bytes,
    ) -> None:
        """Open a proposal of commitments. Emits ProposalRevealed."""
        alliance = self.alliance
        task, round_ = place
        self._ensure_aggregated(task)
        key = alliance.ensure_stage(task, round_, Stage.DISCLOSE)
        if alliance.aggregations.contains(key):
            raise events.WrongStage  # only those in the sum hand over to another aggregator
        Masking(alliance).ensure_dealer(who, task, round_)
        opened = OpenedProposal(sha2_256(posted.points), ciphertext)
        proposals = Proposals(alliance)  # its checks come first: they cost less than points
        proposals.ensure_sealed(who, place, opened, salt)
        client = self._client(key, who, posted)
        setup = alliance.reference_string()
        if client is None or not is_admissible(self.context(key), client, setup):
            raise refusals.BadCommitments
        if not is_delivery(posted.delivery, self.delivery_context(key, who)):
            raise refusals.BadDelivery
        proposals.enter(who, place, opened)
        alliance.commitments.put((key, who), posted)

    def hand_over(
        self, who: AccountId, task: int, round_: int, delivery: Delivery, ciphertext: bytes
    ) -> None:
        """Send the opening to the aggregator that took over. Emits HandedOver."""
        alliance = self.alliance
        key = alliance.ensure_stage(task, round_, Stage.DISCLOSE)
        if not alliance.aggregations.contains(key):
            raise events.WrongStage
        found = alliance.proposals.find((key, who))
        if found is None or found.content is None:
            raise events.NotAProposer
        if not alliance.rounds.get(key).aggregate >> found.index & 1:
            raise events.NotAProposer
        if alliance.progress.get(task).mask >> found.index & 1:
            raise events.AlreadyRevealed
        if not is_delivery(delivery, self.delivery_context(key, who)):
            raise refusals.BadDelivery
        posted = alliance.commitments.get((key, who))
        alliance.commitments.put((key, who), replace(posted, delivery=delivery))
        alliance.proposals.put((key, who), replace(found, ciphertext=ciphertext))
        alliance.note_done(task, 1 << found.index)
        alliance.deposit_event(events.HandedOver(task, round_, who, ciphertext))

    # -- the aggregator

    def begin(self, key: RoundKey) -> None:
        """Ask for a proof over the proposals that are held, if there are any. Emits StageBegan."""
        alliance = self.alliance
        if not self._are_enough(key):
            return
        if not alliance.aggregations.contains(key):
            alliance.aggregations.put(key, Aggregation())
        alliance.begin_stage(key, Stage.AGGREGATE, 1, alliance.rounds.get(key).aggregate)

    def leave_out(self, key: RoundKey, fault: int) -> None:
        """Take a client out of the sum. The first time the aggregator's window begins again.

        Once only: clients that it has for friends must not make a round last. May emit StageBegan.
        """
        alliance, drawn = self.alliance, self.alliance.rounds.get(key)
        found = alliance.aggregations.get(key)
        alliance.rounds.put(key, replace(drawn, aggregate=drawn.aggregate & ~fault))
        after = replace(found, faulty=found.faulty | fault, has_more_time=True)
        alliance.aggregations.put(key, after)
        if not found.has_more_time:
            self.begin(key)
        elif self._are_enough(key):
            progress = alliance.progress.get(key.task)
            alliance.progress.put(key.task, replace(progress, mask=drawn.aggregate & ~fault))

    def _are_enough(self, key: RoundKey) -> bool:
        """Whether as many are in the sum as hide one another's updates; too few void the round."""
        count = self.alliance.rounds.get(key).aggregate.bit_count()
        least = Masking(self.alliance).least(key)
        if 0 < count < least:
            void = Progress(Stage.TALLY, void=VoidReason.TOO_FEW_CLIENTS)
            self.alliance.progress.put(key.task, void)
        return count >= least

    def post_proof(
        self, who: AccountId, place: tuple[int, int], count: int, proof: bytes, opening: bytes
    ) -> None:
        """Check the aggregator's proof; a wrong one replaces it. Emits SumProved or
        AggregatorFailed."""
        alliance, (task, round_) = self.alliance, place
        key = alliance.ensure_stage(task, round_, Stage.AGGREGATE)
        found = alliance.aggregations.get(key)
        if who != alliance.rounds.get(key).voters[found.place]:
            raise refusals.NotTheAggregator
        if found.proved is not None:
            raise refusals.AlreadyProved
        statement = self.statement(key)
        if sum(len(client.points) for client in statement.clients) > count:
            raise refusals.TooManyCommitments
        if not verify_aggregation(statement, proof, alliance.reference_string()):
            self._replace(key, FailureReason.BAD_PROOF)
            return
        proved = hash_of_sum(statement)
        alliance.aggregations.put(key, replace(found, proved=proved, opening=opening))
        alliance.note_done(task)
        alliance.deposit_event(events.SumProved(task, round_, who, proved, opening))

    def close(self, key: RoundKey, progress: Progress) -> int:
        """Ask for votes on the proved sum, or replace who was silent; the steps used."""
        voters = len(self.alliance.rounds.get(key).voters)
        if progress.done and self._is_masked(key.task):
            count = self.alliance.rounds.get(key).aggregate.bit_count()
            self.alliance.begin_stage(key, Stage.UNMASK, count)
            return 1
        if progress.done:
            self.alliance.begin_stage(key, Stage.VOTE, voters)
            return 1
        self._replace(key, FailureReason.NO_PROOF)
        return 1 + voters

    def replace_who_withheld(self, key: RoundKey) -> int:
        """Replace the aggregator if most drawn voters say that its sum cannot be had, or is not
        the one that was proved; the steps used, 0 if they do not."""
        alliance, drawn = self.alliance, self.alliance.rounds.get(key)
        ballots = [alliance.votes.get((key, who)).ballot for who in drawn.voters]
        without = sum(isinstance(ballot, NoData) for ballot in ballots)
        if 2 * without <= drawn.drawn_voters:
            return 0
        if self._is_masked(key.task):
            self._give_up(key)
        else:
            self._replace(key, FailureReason.NO_OPENING)
        return 1 + len(drawn.voters)

    def _give_up(self, key: RoundKey) -> None:
        """Void a masked round whose sum is withheld. Emits AggregatorFailed.

        Shares were revealed for its set; another aggregator's could be smaller, and then a client
        would have to reveal the other kind as well.
        """
        alliance, found = self.alliance, self.alliance.aggregations.get(key)
        alliance.aggregations.put(key, replace(found, place=found.place + 1))
        who, reason = alliance.rounds.get(key).voters[found.place], FailureReason.NO_OPENING
        alliance.deposit_event(events.AggregatorFailed(key.task, key.round, who, reason))
        alliance.progress.put(key.task, Progress(Stage.TALLY, void=VoidReason.NO_PROOF))

    def _replace(self, key: RoundKey, reason: FailureReason) -> None:
        """Let the next voter aggregate, or give the round up. Emits AggregatorFailed."""
        alliance, drawn = self.alliance, self.alliance.rounds.get(key)
        found = alliance.aggregations.get(key)
        alliance.aggregations.put(key, Aggregation(found.place + 1, found.faulty))
        who = drawn.voters[found.place]
        alliance.deposit_event(events.AggregatorFailed(key.task, key.round, who, reason))
        if found.place + 1 >= min(AGGREGATORS_MAX, len(drawn.voters)):
            void = Progress(Stage.TALLY, void=VoidReason.NO_PROOF)
            alliance.progress.put(key.task, void)
            return
        for voter in drawn.voters:
            alliance.votes.put((key, voter), VoterRecord())
        alliance.begin_stage(key, Stage.DISCLOSE, drawn.aggregate.bit_count())

    # -- what is proved

    def context(self, key: RoundKey) -> RoundContext:
        """The round as transcripts name it."""
        alliance, terms = self.alliance, self.alliance.get_task(key.task).terms
        base = alliance.rounds.get(key).base or bytes(32)
        genesis, setup = alliance.block.genesis_hash(), alliance.reference_string().id
        scale = 1 << terms.fraction_bits
        return RoundContext(genesis, key.task, key.round, base, setup, terms.parameters, scale)

    def receiver(self, key: RoundKey) -> bytes:
        """The VRF key of the aggregator, to which openings are encrypted."""
        alliance, found = self.alliance, self.alliance.aggregations.find(key)
        place = 0 if found is None else found.place
        aggregator = alliance.rounds.get(key).voters[place]
        return alliance.members.get((key.task, aggregator)).key

    def delivery_context(self, key: RoundKey, client: AccountId) -> bytes:
        """What a client's delivery to the aggregator is bound to."""
        genesis, receiver = self.alliance.block.genesis_hash(), self.receiver(key)
        return delivery_context(genesis, (key.task, key.round), client, receiver)

    def statement(self, key: RoundKey) -> Statement:
        """Over the proposals of the aggregate, in the order of accounts."""
        drawn = self.alliance.rounds.get(key)
        clients = []
        for place, who in enumerate(drawn.proposers):
            if drawn.aggregate >> place & 1:
                client = self._client(key, who, self.alliance.commitments.get((key, who)))
                assert client is not None, "it proposes"
                clients.append(client)
        ordered = sorted(clients, key=lambda client: client.id)
        return Statement(self.context(key), tuple(ordered))

    def _client(
        self, key: RoundKey, who: AccountId, posted: ClientCommitments
    ) -> Commitments | None:
        """A proposer with its key and weight; None if the account does not propose."""
        alliance, drawn = self.alliance, self.alliance.rounds.get(key)
        found = alliance.proposals.find((key, who))
        if found is None:
            return None
        member, weight = alliance.members.get((key.task, who)), drawn.weights[found.index]
        if self._is_masked(key.task):
            weight = 1  # a client multiplies before it masks: else masks would not cancel
        points = posted.points
        pieces = tuple(points[at : at + POINT_BYTES] for at in range(0, len(points), POINT_BYTES))
        return Commitments(who, member.key, weight, pieces, posted.signature)

    def _is_masked(self, task: int) -> bool:
        return self.alliance.get_task(task).terms.mode is Mode.ZK_MASKED

    def _ensure_aggregated(self, task: int) -> None:
        if self.alliance.get_task(task).terms.mode is Mode.OPEN:
            raise events.WrongMode
