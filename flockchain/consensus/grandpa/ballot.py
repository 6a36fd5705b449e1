"""Our own votes: each kind signed at most once a round, and never without being recorded first.

Owns the only call that signs a vote. Invariant: for a (set, round, kind) there is one message that
`cast` ever returns, before and after any crash; a round below the highest one voted in gets no new
vote, since the journal may have forgotten what was said there.
Source: GRANDPA paper 2.3; WP II.A (accountability of authorities).
"""

from collections.abc import Callable
from dataclasses import dataclass

from flockchain.consensus.grandpa.authorities import AuthorityId
from flockchain.consensus.grandpa.journal import Journal
from flockchain.consensus.grandpa.messages import (
    Message,
    SignedMessage,
    VoteMessage,
    signing_payload,
)


@dataclass(frozen=True, slots=True)
class Signer:
    """Our GRANDPA key; `sign` takes a payload and gives a 64-byte ed25519 signature."""

    authority: AuthorityId
    sign: Callable[[bytes], bytes]
    is_new: bool = False
    """Made by this node while it runs: nobody else has it."""


class Ballot:
    """The votes of one key in one authority set."""

    __slots__ = ("_cast", "_journal", "_remembered_from", "_set_id", "_signer", "highest_round")

    def __init__(self, signer: Signer, set_id: int, journal: Journal) -> None:
        self._signer = signer
        self._set_id = set_id
        self._journal = journal
        self._cast: dict[tuple[int, type[Message]], VoteMessage] = {}
        self.highest_round = 0
        recovered = journal.load(set_id)
        completed = recovered.completed
        self._remembered_from = completed.round_number if completed is not None else 0
        for vote in recovered.votes:
            self._keep(vote)

    @property
    def authority(self) -> AuthorityId:
        """Our key."""
        return self._signer.authority

    @property
    def is_known_ours(self) -> bool:
        """Whether the key voted here before, or was made here: else another machine may have it."""
        return self._signer.is_new or self._journal.has_voted(self.authority)

    def cast(self, round_number: int, message: Message) -> VoteMessage | None:
        """The vote of this kind for this round: the recorded one, else `message`, signed now.

        None if the round lies below one that was voted in. Raises: StorageError: the journal
        failed and no vote was made; the caller must stop, since the vote may yet be on disk.
        """
        recorded = self.find(round_number, type(message))
        if recorded is not None:
            return recorded
        if round_number < self.highest_round:
            return None
        payload = signing_payload(message, round_number, self._set_id)
        signed = SignedMessage(message, self._signer.sign(payload), self.authority)
        vote = VoteMessage(round_number, self._set_id, signed)
        self._journal.record(vote)
        self._keep(vote)
        return vote

    def take_over(self, vote: VoteMessage) -> bool:
        """Record a vote with our signature that a lost journal held; False if it has another.

        Raises: StorageError.
        """
        known = self.find(vote.round, type(vote.message.message))
        if known is None:
            self._journal.record(vote)
            self._keep(vote)
        return known is None or known.message.message == vote.message.message

    def find(self, round_number: int, kind: type[Message]) -> VoteMessage | None:
        """Our vote of a kind in a round, if it was cast and is still kept."""
        return self._cast.get((round_number, kind))

    def since(self, round_number: int) -> list[VoteMessage]:
        """Our votes from `round_number` on, oldest first."""
        return [vote for vote in self._cast.values() if vote.round >= round_number]

    def contradicts(self, vote: VoteMessage) -> bool:
        """Whether a vote with our signature is none of ours; False for rounds forgotten."""
        if vote.round < self._remembered_from:
            return False
        own = self.find(vote.round, type(vote.message.message))
        return own is None or own.message.message != vote.message.message

    def forget_below(self, round_number: int) -> None:
        """Drop votes of rounds that nobody asks about any more."""
        self._remembered_from = max(self._remembered_from, round_number)
        self._cast = {key: vote for key, vote in self._cast.items() if key[0] >= round_number}

    def _keep(self, vote: VoteMessage) -> None:
        self._cast[(vote.round, type(vote.message.message))] = vote
        self.highest_round = max(self.highest_round, vote.round)
