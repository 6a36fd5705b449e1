"""The finality voter: a state machine that is handed time and messages and returns effects.

Owns when things happen: it votes, repeats itself, asks, and goes from round to round. How a node
that was away recovers: in a round that does not end everyone's own votes go out again every
`repeat_ms` in an envelope that changes, a node that sees or suspects a higher round asks a peer for
the last completed one, commits finalize for whoever lags. Invariant: no method raises for anything
a peer sent; no vote leaves before the journal has it; finality only rises.
Source: GRANDPA paper 2.3 and 4; Substrate `finality_grandpa::voter`; WP II.A.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from flockchain.consensus.grandpa.authorities import AuthorityId, AuthoritySet
from flockchain.consensus.grandpa.ballot import Ballot, Signer
from flockchain.consensus.grandpa.catch_up import (
    BadCatchUp,
    IncompleteCatchUp,
    check_votes,
    is_by_supermajorities,
    rebuild_round,
)
from flockchain.consensus.grandpa.chain import Chain
from flockchain.consensus.grandpa.effects import (
    AskCatchUp,
    Effect,
    Gossip,
    Handled,
    ReportEquivocation,
    StopVoting,
    TellNeighbours,
)
from flockchain.consensus.grandpa.finality import Finality, Judged
from flockchain.consensus.grandpa.journal import Journal
from flockchain.consensus.grandpa.messages import (
    BlockRef,
    CatchUp,
    CatchUpRequest,
    CatchUpResponse,
    CommitMessage,
    Envelope,
    GossipCommit,
    GossipMessage,
    GossipNeighbour,
    GossipVote,
    Message,
    Precommit,
    Prevote,
    View,
    VoteMessage,
    is_signed,
)
from flockchain.consensus.grandpa.neighbours import TELL_EVERY_MS, Neighbours
from flockchain.consensus.grandpa.observation import Observation
from flockchain.consensus.grandpa.round import Round
from flockchain.consensus.grandpa.rounds import Placed, Rounds
from flockchain.consensus.grandpa.votes import Equivocation
from flockchain.consensus.grandpa.voting_round import Stage
from p2p.interface import PeerId, Verdict
from runtime.primitives.types import Hash

_STALLED_AFTER_GOSSIP = 16
"""A round that lasts this many gossip times has lost something: four after a block it is over."""
_GOSSIP_PER_COMMIT = 2
"""A voter sends a commit if those before it in turn have not, so many gossip times each."""
_GOSSIP_PER_SLOT = 6
_GOSSIP_MS_MAX = 1_000
_QUIET_GOSSIP = 15
"""A key that acts elsewhere votes within so many gossip times: a round's patience, and the way."""
_QUIET_MS_MIN = 2_500


@dataclass(frozen=True, slots=True)
class VoterConfig:
    """Timings in milliseconds."""

    gossip_ms: int = 167
    """What a message needs to reach everyone."""
    repeat_ms: int = 1_000
    """Own votes of a round that lasts longer go out again this often; also the least time between
    two catch-up questions."""
    quiet_ms: int = _QUIET_MS_MIN
    """After a start, listen this long for our own key before voting: longer than a copy of this
    node can be without a vote, which is twice `repeat_ms`, or as long as a round may wait."""
    author_quiet_ms: int = 1_500
    """After a start, listen this long before making blocks. Not longer: where all nodes start
    together, nobody makes the blocks that voters wait for."""
    is_recovery: bool = False
    """The journal is lost: take over the votes of our key that peers know, then vote again."""
    distance: int = 2
    """Vote this many blocks behind the best one; 0 for a chain that seals on demand."""

    @classmethod
    def for_slots(cls, slot_ms: int, *, is_recovery: bool = False) -> Self:
        """A sixth of a slot for gossip, 1 s at most: a round takes four of them at worst, so that
        one that began late ends within its slot."""
        gossip_ms = min(slot_ms // _GOSSIP_PER_SLOT, _GOSSIP_MS_MAX)
        quiet_ms = max(_QUIET_MS_MIN, _QUIET_GOSSIP * gossip_ms)
        return cls(gossip_ms=gossip_ms, quiet_ms=quiet_ms, is_recovery=is_recovery)


class Voter:
    """One node's part in finality; an observer without a signer follows and never votes."""

    def __init__(
        self,
        authorities: AuthoritySet,
        base: BlockRef,
        chain: Chain,
        journal: Journal,
        signers: Sequence[Signer],
        config: VoterConfig,
        now_ms: int,
    ) -> None:
        """`base` is the last finalized block; what the journal holds for the set is resumed.

        `signers` is read anew for each set: keys may come while the node runs.
        """
        self._chain = chain
        self._journal = journal
        self._signers = signers
        self._config = config
        self._neighbours = Neighbours(config.repeat_ms)
        self._observation = Observation(now_ms, config.quiet_ms, is_recovery=config.is_recovery)
        self._is_stopped = False
        self._begin(authorities, base, now_ms)

    def on_tick(self, now_ms: int) -> list[Effect]:
        """Time has passed; call it at `next_wake_ms` or a little later."""
        effects: list[Effect] = []
        self._progress(now_ms, effects)
        if now_ms >= self._repeat_at_ms:
            self._repeat(effects)
        due_ms = self._finality.due_ms
        if due_ms is not None and now_ms >= due_ms:
            self._publish_commit(effects)
        return effects

    def on_message(self, now_ms: int, peer: PeerId, envelope: Envelope) -> Handled:
        """A gossip message that `peer` forwarded."""
        effects: list[Effect] = []
        verdict = Verdict.IGNORE
        match envelope.message:
            case GossipVote(vote=vote):
                verdict = self._take_vote(now_ms, peer, vote, effects)
            case GossipCommit(commit=commit):
                verdict = self._take_commit(commit, effects)
            case GossipNeighbour(sender=sender, view=view) if sender == peer:
                self._neighbours.note(peer, view)
        if verdict is Verdict.ACCEPT:
            self._progress(now_ms, effects)
        return Handled(verdict, effects)

    def on_block_imported(self, now_ms: int, block: Hash) -> list[Effect]:
        """`block` became known; also to be called when the best block changes."""
        effects: list[Effect] = []
        for vote in self._rounds.waiting.release_votes(block):
            self._place(vote, effects)
        for commit in self._rounds.waiting.release_commits():
            self._accept_commit(commit, effects)
        self._progress(now_ms, effects)
        return effects

    def on_finalized(self, now_ms: int, block: BlockRef) -> list[Effect]:
        """`block` became final by other means, such as a justification that came with it."""
        self._finality.raise_to(block)
        effects: list[Effect] = []
        self._progress(now_ms, effects)
        return effects

    def on_peer_connected(self, now_ms: int, peer: PeerId) -> list[Effect]:
        """Every new peer is asked once: after a restart it also knows what we voted last."""
        self._neighbours.add(peer)
        self._neighbours.asked(now_ms)
        return [AskCatchUp(peer, CatchUpRequest(self.authorities.set_id, self.round_number))]

    def on_peer_disconnected(self, peer: PeerId) -> None:
        """`peer` cannot be asked any more."""
        self._neighbours.remove(peer)

    def final_heights(self) -> list[tuple[PeerId, int]]:
        """How far the finality of connected peers is, as they told."""
        return self._neighbours.final_heights()

    def answer_catch_up(self, request: CatchUpRequest) -> CatchUpResponse:
        """The completed round if the peer has not got so far, and the votes of the one after it.

        The asking node finds its own votes among them, even those it has forgotten.
        """
        if request.set_id != self.authorities.set_id:
            return CatchUpResponse(self.view, None, [])
        previous, current = self._rounds.previous, self.round
        completed = None
        if isinstance(previous, Round) and previous.number >= request.round:
            completed = previous.catch_up()
        votes = [
            VoteMessage(current.number, self.authorities.set_id, signed)
            for tally in (current.prevotes, current.precommits)
            for signed in tally
        ]
        return CatchUpResponse(self.view, completed, votes)

    def on_catch_up(
        self, now_ms: int, peer: PeerId, request: CatchUpRequest, response: CatchUpResponse
    ) -> Handled:
        """A peer's answer. The verdict is REJECT if it holds anything wrongly signed."""
        effects: list[Effect] = []
        catch_up = response.catch_up
        self._neighbours.note(peer, response.view)
        if self._is_idle_claim(request, response.view, catch_up):
            self._neighbours.distrust(peer)
        if catch_up is not None and catch_up.round_number >= self.round_number:
            try:
                check_votes(catch_up, self.authorities)
                for signed in catch_up.votes():
                    vote = VoteMessage(catch_up.round_number, self.authorities.set_id, signed)
                    self._watch_own(vote, effects)
                completed = rebuild_round(catch_up, self.authorities, self._chain)
            except BadCatchUp:
                return Handled(Verdict.REJECT, effects)
            except IncompleteCatchUp:
                # Blocks are missing: they are asked for, and then this question again.
                self._rounds.waiting.hold_completed(catch_up.votes())
                if is_by_supermajorities(catch_up, self.authorities):
                    self._observation.show(now_ms, catch_up.round_number)
                return Handled(Verdict.IGNORE, effects)
            self._enter(completed, now_ms, effects)
        for vote in response.votes:
            if self._take_vote(now_ms, peer, vote, effects) is Verdict.REJECT:
                return Handled(Verdict.REJECT, effects)
        if self._is_shown_all(request, response.view):
            self._observation.hear(now_ms, self.round_number)
        self._progress(now_ms, effects)
        return Handled(Verdict.ACCEPT, effects)

    def enact(self, now_ms: int, authorities: AuthoritySet, base: BlockRef) -> list[Effect]:
        """`authorities` vote from now on: rounds start anew on `base`, final or to be taken so."""
        before = None if self._ballot is None else self._ballot.authority
        self._begin(authorities, base, now_ms)
        self._observe(before, now_ms)
        effects: list[Effect] = []
        self._tell(effects)
        self._progress(now_ms, effects)
        return effects

    @property
    def next_wake_ms(self) -> int:
        """When `on_tick` is due next, if nothing else happens before."""
        wake_ms = self._repeat_at_ms
        commit_ms = self._finality.due_ms
        if commit_ms is not None and commit_ms < wake_ms:
            wake_ms = commit_ms
        listen_until_ms = self._observation.listen_until_ms
        timer_ms = self._rounds.current.next_timer_ms(self._now_ms)
        if timer_ms is None and self._now_ms >= listen_until_ms:
            return wake_ms
        return min(wake_ms, max(timer_ms or 0, listen_until_ms))

    @property
    def view(self) -> View:
        """Where we stand."""
        return View(self.round_number, self.authorities.set_id, self.finalized.number)

    @property
    def round_number(self) -> int:
        """The round we are in, from 1."""
        return self._rounds.number

    @property
    def round(self) -> Round:
        """The votes of the round we are in."""
        return self._rounds.current.votes

    @property
    def awaited_blocks(self) -> list[Hash]:
        """Blocks named by votes and commits that cannot count before those are imported."""
        return self._rounds.waiting.targets()

    @property
    def finalized(self) -> BlockRef:
        """The highest block known to be final."""
        return self._finality.block

    @property
    def is_voting(self) -> bool:
        """Whether our key is in the set and has not been seen voting elsewhere."""
        return self._ballot is not None and not self._is_stopped

    @property
    def is_observing(self) -> bool:
        """Whether our key keeps silent until peers have told what it said before."""
        return not self._observation.is_over

    @property
    def author_from_ms(self) -> int:
        """From when on a node that started may make blocks."""
        return self._observation.begun_ms + self._config.author_quiet_ms

    @property
    def has_heard(self) -> bool:
        """Whether a peer of our set has answered since the start."""
        return self._observation.is_heard

    def _begin(self, authorities: AuthoritySet, base: BlockRef, now_ms: int) -> None:
        """Start with a set: in the round the journal knows, else in the first."""
        self.authorities = authorities
        self._ballot: Ballot | None = None
        signer = self._signer_in(authorities)
        if signer is not None:
            self._ballot = Ballot(signer, authorities.set_id, self._journal)
        config = self._config
        self._rounds = Rounds(authorities, base, self._chain, config.gossip_ms, config.distance)
        self._rounds.start(now_ms)
        self._finality = Finality(base, authorities, self._chain)
        self._forwarded_ms: dict[tuple[int, type[Message], Hash, int, bytes], int] = {}
        self._reported: set[tuple[int, type[Message], bytes]] = set()
        self._repeat_at_ms = now_ms + self._config.repeat_ms
        self._tell_at_ms = now_ms
        self._now_ms = now_ms
        completed = self._journal.load(authorities.set_id).completed
        if completed is not None:
            # If the block store is older than the journal, the round cannot be rebuilt. The ballot
            # refuses rounds below the last one voted in: we watch until a catch-up leads there.
            with suppress(IncompleteCatchUp):
                self._rounds.enter(rebuild_round(completed, authorities, self._chain), now_ms)
        self._restore_votes([])

    def _observe(self, before: AuthorityId | None, now_ms: int) -> None:
        """Listen anew for a key that was none of the voters' before: at the start it could not be
        heard, so another machine may have it. One that has voted with it speaks at once."""
        self._observation.enter_set()
        ballot = self._ballot
        if ballot is None or ballot.authority == before or ballot.is_known_ours:
            return
        if self._observation.is_over:
            self._observation = Observation(now_ms, self._config.quiet_ms, is_recovery=False)

    def _signer_in(self, authorities: AuthoritySet) -> Signer | None:
        """Our key in a set; of several the one that has voted there."""
        ours = [each for each in self._signers if each.authority in authorities]
        voted = {each.message.id for each in self._journal.load(authorities.set_id).votes}
        return next((each for each in ours if each.authority in voted), next(iter(ours), None))

    def _restore_votes(self, effects: list[Effect]) -> None:
        """Count our recorded votes and skip the stages they stand for."""
        if self._ballot is None:
            return
        for vote in self._ballot.since(self.round_number - 1):
            self._place(vote, effects)
        if self._ballot.find(self.round_number, Precommit) is not None:
            self._rounds.current.stage = Stage.PRECOMMITTED
        elif self._ballot.find(self.round_number, Prevote) is not None:
            self._rounds.current.stage = Stage.PREVOTED

    def _progress(self, now_ms: int, effects: list[Effect]) -> None:
        """Vote, finalize and go on as far as the votes at hand allow."""
        self._now_ms = max(self._now_ms, now_ms)
        if self.is_observing:
            own = 0 if self._ballot is None else self.authorities.weight(self._ballot.authority)
            self._observation.update(
                self._now_ms,
                self.round_number,
                decides_alone=own >= self.authorities.threshold,
            )
        self._cast_due(effects)
        self._finalize(effects)
        while self._rounds.current.is_over():
            self._enter(self.round, self._now_ms, effects)
            self._cast_due(effects)
            self._finalize(effects)

    def _enter(self, completed: Round, now_ms: int, effects: list[Effect]) -> None:
        """Go to the round after `completed`, which is on disk before we vote there."""
        self._journal.record_completed(self.authorities.set_id, completed.catch_up())
        self._reported = {one for one in self._reported if one[0] >= completed.number}
        for evidence in self._rounds.enter(completed, now_ms):
            self._report(evidence, effects)
        self._forwarded_ms = {
            key: at for key, at in self._forwarded_ms.items() if key[0] >= completed.number
        }
        if self._ballot is not None:
            self._ballot.forget_below(completed.number)
        self._restore_votes(effects)
        self._tell(effects)

    def _cast_due(self, effects: list[Effect]) -> None:
        """Say what is due. Those who may not speak pass through the stages in silence."""
        if self.is_voting and self.is_observing:
            return
        current, ballot = self._rounds.current, self._ballot
        is_primary = self.is_voting and self._turn() == 0
        while True:
            message = current.next_vote(self._now_ms, self._chain, is_primary=is_primary)
            if message is None:
                return
            if ballot is None or not self.is_voting:
                continue
            vote = ballot.cast(self.round_number, message)
            if vote is not None:
                self._place(vote, effects)
                self._publish(GossipVote(vote), effects)

    def _finalize(self, effects: list[Effect]) -> None:
        for votes in (self._rounds.previous, self._rounds.current.votes):
            if isinstance(votes, Round) and self._finality.rises_by(votes):
                wait_ms = self._turn() * _GOSSIP_PER_COMMIT * self._config.gossip_ms
                self._finality.by_round(votes, self._now_ms + wait_ms, effects)

    def _turn(self) -> int:
        """Our place behind this round's primary; observers never get their turn."""
        if self._ballot is None:
            return len(self.authorities)
        return self.authorities.turn(self._ballot.authority, self.round_number)

    def _take_vote(
        self, now_ms: int, peer: PeerId, vote: VoteMessage, effects: list[Effect]
    ) -> Verdict:
        """Check a vote from outside, count it, and say whether others should see it."""
        signed = vote.message
        if vote.set_id != self.authorities.set_id or vote.round < self.round_number - 1:
            return Verdict.IGNORE
        message = signed.message  # by its parts, which hash faster than it
        key = (vote.round, type(message), message.target_hash, message.target_number, signed.id)
        forwarded_ms = self._forwarded_ms.get(key)
        if forwarded_ms is not None and now_ms < forwarded_ms + self._config.repeat_ms // 2:
            return Verdict.IGNORE
        if signed.id not in self.authorities or not is_signed(signed, vote.round, vote.set_id):
            return Verdict.REJECT
        self._watch_own(vote, effects)
        if vote.round > self.round_number + 1:
            self._ask(peer, effects)
            return Verdict.IGNORE
        match self._place(vote, effects):
            case Placed.FALSE:
                return Verdict.REJECT
            case Placed.REFUSED:
                return Verdict.IGNORE
        self._forwarded_ms[key] = now_ms
        return Verdict.ACCEPT

    def _place(self, vote: VoteMessage, effects: list[Effect]) -> Placed:
        placed, evidence = self._rounds.place(vote)
        if evidence is not None:
            self._report(evidence, effects)
        return placed

    def _report(self, evidence: Equivocation, effects: list[Effect]) -> None:
        """Report an offender once a round and kind of vote."""
        offence = (evidence.round_number, type(evidence.first.message), evidence.authority)
        if offence not in self._reported:
            self._reported.add(offence)
            effects.append(ReportEquivocation(evidence))

    def _watch_own(self, vote: VoteMessage, effects: list[Effect]) -> None:
        """Stop for good if our key signed something that our journal does not know."""
        ballot = self._ballot
        if ballot is None or self._is_stopped or vote.message.id != ballot.authority:
            return
        if self._observation.takes_votes_over and ballot.take_over(vote):
            self._observation.hear(self._now_ms, vote.round)
            return
        if ballot.contradicts(vote):
            self._is_stopped = True
            kind = type(vote.message.message).__name__.lower()
            effects.append(
                StopVoting(
                    f"another node signed a {kind} in round {vote.round} of set {vote.set_id} with "
                    "the key of this one, or this one's database was lost or restored"
                )
            )

    def _take_commit(self, commit: CommitMessage, effects: list[Effect]) -> Verdict:
        if commit.set_id != self.authorities.set_id:
            return Verdict.IGNORE
        match self._finality.check(commit):
            case Judged.OLD:
                return Verdict.IGNORE
            case Judged.FALSE:
                return Verdict.REJECT
        return self._accept_commit(commit, effects)

    def _accept_commit(self, commit: CommitMessage, effects: list[Effect]) -> Verdict:
        """Follow a commit whose signatures are good, or keep it until its blocks are here."""
        match self._finality.by_commit(commit, effects):
            case Judged.FALSE:
                return Verdict.REJECT
            case Judged.OLD:
                return Verdict.IGNORE
            case Judged.INCOMPLETE:
                self._rounds.waiting.hold_commit(commit)
            case Judged.FINAL:
                for vote in commit.commit.precommits:
                    message = VoteMessage(commit.round, commit.set_id, vote.signed_message())
                    self._watch_own(message, effects)
                    self._place(message, effects)
        return Verdict.ACCEPT

    def _is_shown_all(self, request: CatchUpRequest, view: View) -> bool:
        """Whether an answer had to name the votes that our key has cast where we vote next. Asked
        about another set, or ahead of where its votes lead us, a peer has told nothing of them."""
        own_set = self.authorities.set_id
        return request.set_id == own_set == view.set_id and view.round <= self.round_number

    def _is_idle_claim(self, request: CatchUpRequest, view: View, shown: CatchUp | None) -> bool:
        """Whether a peer says that it is ahead and shows nothing that leads there. Asked about a
        set before its own, which may be ours by now, it had nothing to show."""
        is_ahead = view.set_id == self.authorities.set_id and view.round > self.round_number + 1
        return is_ahead and request.set_id == view.set_id and shown is None

    def _ask(self, peer: PeerId, effects: list[Effect]) -> None:
        if self._neighbours.is_due(self._now_ms):
            self._neighbours.asked(self._now_ms)
            request = CatchUpRequest(self.authorities.set_id, self.round_number)
            effects.append(AskCatchUp(peer, request))

    def _tell(self, effects: list[Effect]) -> None:
        """Tell the neighbours where we stand."""
        self._tell_at_ms = self._now_ms + TELL_EVERY_MS
        effects.append(TellNeighbours(self._beat(), self.view))

    def _repeat(self, effects: list[Effect]) -> None:
        """Say again what a peer that was away needs of us, and ask if we seem to lack something."""
        self._repeat_at_ms = self._now_ms + self._config.repeat_ms
        if self._now_ms >= self._tell_at_ms:
            self._tell(effects)
        age_ms = self._now_ms - self._rounds.current.started_ms
        if self._ballot is not None and self.is_voting and not self.is_observing:
            if age_ms >= self._config.repeat_ms and self._neighbours.can_use_votes(self.view):
                for vote in self._ballot.since(self.round_number - 1):
                    self._publish(GossipVote(vote), effects)
            if self._turn() == 0 and self._finality.commit is not None:
                self._publish_commit(effects)
        is_stalled = age_ms > _STALLED_AFTER_GOSSIP * self._config.gossip_ms
        is_asking = self.is_observing and not self.has_heard
        peer = self._neighbours.next_peer(self.view) if is_stalled or is_asking else None
        if peer is not None:
            self._ask(peer, effects)

    def _publish_commit(self, effects: list[Effect]) -> None:
        self._finality.sent()
        if self._finality.commit is not None and self.is_voting:
            self._publish(GossipCommit(self._finality.commit), effects)

    def _publish(self, message: GossipMessage, effects: list[Effect]) -> None:
        effects.append(Gossip(Envelope(self._beat(), message)))

    def _beat(self) -> int:
        return self._now_ms // self._config.repeat_ms % 2**32
