"""Governance: who locks tokens decides what the chain does.

A proposal is a call of its track. It is debated, voted on with the weights that were locked when
the vote opened, and made by the scheduler as root after a timelock. Its deposit returns unless half
of the locked tokens call it a scam; the treasury rewards what passed.
Invariant (`try_state`): an account's hold for VOTE_LOCK is its lock and what is on its way out, for
PROPOSAL the deposits of its live proposals; a delegate has received what is lent to it; tallies are
the sums of the ballots.

Source: WP VII; litepaper (governance, gmFLOCK).
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from runtime import frame
from runtime.economy.governance import GovernanceParameters, Track
from runtime.economy.parameters import ParameterOutOfBounds
from runtime.frame.call import RUNTIME_CALL
from runtime.frame.weights import Weight
from runtime.pallets.governance import events, records, storage
from runtime.pallets.governance.invariants import check
from runtime.pallets.governance.locks import Locks
from runtime.pallets.governance.records import Proposal, Stage
from runtime.pallets.governance.stages import Stages
from runtime.pallets.governance.votes import Votes
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import U32, AccountId, BlockNumber, Bytes32, CompactBalance, Hash

LOCK: Final = Weight(250_000_000)  # two positions with all their standings are read and written
VOTE: Final = Weight(200_000_000)
PROPOSE: Final = Weight(250_000_000)
CALL_BYTE: Final = Weight(5_000)
LOOK: Final = Weight(60_000_000)  # at all that is on its way
MOVE: Final = Weight(300_000_000)  # one proposal, with agenda and treasury


class Governance(storage.Governance, index=37):
    @cached_property
    def locks(self) -> Locks:
        """Locks, notice and delegation."""
        return Locks(self)

    @cached_property
    def votes(self) -> Votes:
        """Flags and votes."""
        return Votes(self)

    @cached_property
    def stages(self) -> Stages:
        """The way of proposals."""
        return Stages(self)

    # -- calls of who locks

    @frame.call(0, weight=LOCK)
    def lock(self, origin: frame.Origin, amount: CompactBalance, days: U32) -> None:
        """Lock more tokens to vote, all with a notice of `days`, which only grows. Signed.

        0 planck more lengthens the notice. Emits Locked. Raises LockTooSmall, TermOutOfBounds,
        TokenError.
        """
        self.locks.lock(frame.ensure_signed(origin), amount, days)

    @frame.call(1, weight=LOCK)
    def unlock(self, origin: frame.Origin, amount: CompactBalance) -> None:
        """Give notice for a part of the lock: it counts no more in votes that open later. Signed.

        It is free after the notice, and not before a vote that is open now is enacted. Emits
        UnlockBegun. Raises NotSoMuchLocked, LockTooSmall, TooManyParts, LockInUse.
        """
        self.locks.unlock(frame.ensure_signed(origin), amount)

    @frame.call(2, weight=LOCK)
    def withdraw(self, origin: frame.Origin) -> None:
        """Take what was unlocked and is free. Signed. Emits Withdrawn. Raises NothingFree."""
        self.locks.withdraw(frame.ensure_signed(origin))

    @frame.call(3, weight=LOCK)
    def delegate(self, origin: frame.Origin, to: AccountId) -> None:
        """Let another account with a lock vote with one's own in weighted votes. Signed.

        It acts in debates and votes that open later, and goes no further than `to`. Emits
        Delegated. Raises NoLock, BadDelegate.
        """
        self.locks.delegate(frame.ensure_signed(origin), to)

    @frame.call(4, weight=LOCK)
    def undelegate(self, origin: frame.Origin) -> None:
        """Vote oneself again, in what opens later. Signed. Emits Delegated. Raises NotDelegated."""
        self.locks.delegate(frame.ensure_signed(origin), None)

    # -- calls on proposals

    @frame.call(
        5,
        weight=lambda track, description, call: (
            PROPOSE + CALL_BYTE.times(len(RUNTIME_CALL.encode(call)))
        ),
    )
    def propose(
        self, origin: frame.Origin, track: Track, description: Bytes32, call: frame.RuntimeCall
    ) -> None:
        """Propose that the chain make a call, as a content id explains. Signed, with a deposit.

        Emits Proposed. Raises TooManyProposals, CallTooLong, NotOnTrack, TokenError.
        """
        who, data = frame.ensure_signed(origin), RUNTIME_CALL.encode(call)
        made = self._proposal(who, track, description, Hash(blake2b_256(data)), len(data))
        self.stages.propose(made, call, data)

    @frame.call(6, weight=PROPOSE + CALL_BYTE.times(records.CALL_BYTES_MAX))
    def propose_noted(
        self, origin: frame.Origin, track: Track, description: Bytes32, call: Hash
    ) -> None:
        """As `propose`, for a call whose bytes are noted as a preimage. Raises PreimageMissing."""
        who = frame.ensure_signed(origin)
        found, length = self.stages.noted_call(call)
        made = self._proposal(who, track, description, call, length)
        self.stages.propose(made, found, None)

    @frame.call(7, weight=VOTE)
    def comment(self, origin: frame.Origin, proposal: U32, content: Bytes32) -> None:
        """Say something in the debate, by content id, in place of what one said. Signed.

        Emits Commented. Raises UnknownProposal, NotInDebate, NoLock, TooManyComments.
        """
        self.stages.comment(frame.ensure_signed(origin), proposal, content)

    @frame.call(8, weight=VOTE)
    def flag(self, origin: frame.Origin, proposal: U32, is_scam: bool) -> None:
        """Call a proposal a scam in its debate, or say that it is none. Signed.

        Emits Flagged. Raises UnknownProposal, NotInDebate, NoVotes.
        """
        self.votes.flag(frame.ensure_signed(origin), proposal, is_scam=is_scam)

    @frame.call(9, weight=VOTE)
    def vote(self, origin: frame.Origin, proposal: U32, is_aye: bool) -> None:
        """Vote with all that one has in this vote; the last vote counts. Signed.

        Emits Voted. Raises UnknownProposal, NotInVoting, NoVotes.
        """
        self.votes.vote(frame.ensure_signed(origin), proposal, is_aye=is_aye)

    # -- calls of the DAO

    @frame.call(10, weight=VOTE)
    def attest_account(self, origin: frame.Origin, who: AccountId, is_attested: bool) -> None:
        """Let an account count in quadratic votes, or no longer. Root. Emits AccountAttested."""
        frame.ensure_root(origin)
        if is_attested:
            self.attested.put(who, True)
        else:
            self.attested.remove(who)
        self.deposit_event(events.AccountAttested(who, is_attested))

    @frame.call(11, weight=VOTE)
    def set_parameters(self, origin: frame.Origin, parameters: GovernanceParameters) -> None:
        """Change how proposals go their way, for stages that begin from now on. Root.

        Emits ParametersChanged. Raises ParametersOutOfBounds.
        """
        frame.ensure_root(origin)
        try:
            parameters.ensure_within_bounds()
        except ParameterOutOfBounds:
            raise events.ParametersOutOfBounds from None
        self.parameters.put(parameters)
        self.deposit_event(events.ParametersChanged(parameters))

    # -- what other pallets ask

    def spare(self, who: AccountId) -> int:
        """What an account's lock counts and no minimum needs yet, planck."""
        return self.locks.spare(who)

    def cover(self, who: AccountId, amount: int) -> None:
        """Let a part of that, not more, stand in for stake until it is given back."""
        self.locks.cover(who, amount)

    def uncover(self, who: AccountId, amount: int) -> None:
        """Give a part back."""
        self.locks.uncover(who, amount)

    def locked(self) -> int:
        """All tokens that are locked and not on their way out, planck."""
        return self.total_locked.get()

    def keep_snapshot(self, snapshot: int, until: int) -> None:
        """Remember before block `until` what was locked before block `snapshot`, and bind it.

        The one before is forgotten.
        """
        self.kept.put(records.Kept(snapshot, until))

    def power_at(self, who: AccountId, snapshot: int) -> records.Power:
        """What an account could vote with before a block whose weights are remembered."""
        return self.votes.power_at(who, snapshot)

    def _proposal(
        self, who: AccountId, track: Track, description: bytes, call: Hash, length: int
    ) -> Proposal:
        deposit, number = self.parameters.get().deposit, self.block.block_number()
        return Proposal(who, track, description, call, length, deposit, Stage.SUBMITTED, number)

    # -- hooks and genesis

    def on_initialize(self, number: BlockNumber) -> Weight:
        """Move on what is due. The scheduler has made the block's calls before."""
        return LOOK + MOVE.times(self.stages.move_on(number))

    def genesis_build(self, parameters: GovernanceParameters) -> None:
        """Set the rules. Raises ParameterOutOfBounds."""
        parameters.ensure_within_bounds()
        self.parameters.put(parameters)

    def try_state(self) -> None:
        check(self)
