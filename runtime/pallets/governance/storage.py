"""Governance's state: every item, its constants, and the reads that its parts share.

Owns the items; `locks`, `votes` and `stages` work on them.
Source: WP VII.
"""

from __future__ import annotations

from dataclasses import dataclass

from runtime import frame
from runtime.economy.governance import GovernanceParameters
from runtime.frame.traits import BlockInfo, Currency
from runtime.pallets.governance import events, records
from runtime.pallets.governance.needs import Agenda, Preimages, TrackFilter
from runtime.pallets.governance.records import Live, Position, Proposal
from runtime.primitives.types import FML, U32, AccountId, Balance


@dataclass(frozen=True)
class Config:
    """`day_blocks`: blocks of a day of notice; `lock_min` in planck; `treasury` pays rewards."""

    day_blocks: U32
    treasury: AccountId
    lock_min: Balance = FML


class Governance(frame.Pallet[Config], index=37):
    """Storage and neighbours."""

    parameters = frame.StorageValue[GovernanceParameters](
        GovernanceParameters, default=GovernanceParameters(), docs="How proposals go their way."
    )
    total_locked = frame.StorageValue[int](
        Balance, default=0, docs="All tokens that are locked and not on their way out, planck."
    )
    positions = frame.StorageMap[AccountId, Position](
        AccountId, Position, docs="Locks, and what others let an account vote with."
    )
    covering = frame.StorageMap[AccountId, int](
        AccountId, Balance, default=0, docs="What of a lock's weight stands in for stake, planck."
    )
    attested = frame.StorageMap[AccountId, bool](
        AccountId, bool, default=False, docs="Accounts that count in quadratic votes."
    )
    next_proposal = frame.StorageValue[int](U32, default=0, docs="The next proposal's number.")
    proposals = frame.StorageMap[int, Proposal](
        U32, Proposal, docs="Proposals on their way, and the last that ended."
    )
    comments = frame.StorageMap[int, list[records.Comment]](
        U32, records.Comments, default=[], docs="What is said of proposals on their way."
    )
    live = frame.StorageValue[list[Live]](
        records.Lives, default=[], docs="Proposals on their way, in order."
    )
    finished = frame.StorageValue[list[int]](
        records.Finished, default=[], docs="Proposals that ended, the latest last."
    )
    kept = frame.StorageValue[records.Kept](
        records.Kept, docs="What the last vote on models counts, or counted."
    )
    rewarded_at = frame.StorageValue[int](U32, docs="The block of the last reward.")

    def __init__(
        self,
        ext: frame.Externalities,
        config: Config,
        *,
        currency: Currency,
        block: BlockInfo,
        preimages: Preimages,
        agenda: Agenda,
        track_filter: TrackFilter,
    ) -> None:
        super().__init__(ext, config)
        self.currency, self.block = currency, block
        self.preimages, self.agenda, self.track_filter = preimages, agenda, track_filter

    def live_proposal(self, number: int) -> tuple[Live, Proposal]:
        """A proposal on its way. Raises UnknownProposal."""
        entry = next((each for each in self.live.get() if each.proposal == number), None)
        if entry is None:
            raise events.UnknownProposal
        return entry, self.proposals.get(number)

    def snapshots(self) -> list[int]:
        """Blocks before which standings are still asked for."""
        found, kept = [each.snapshot for each in self.live.get()], self.kept.find()
        if kept is not None and self.block.block_number() < kept.until:
            found.append(kept.snapshot)
        return found

    def is_engaged(self, who: AccountId) -> bool:
        """Whether `who` has locked tokens, votes for others or proposed what is on its way."""
        position, live = self.positions.find(who), self.live.get()
        if position is not None and position.is_needed(self.snapshots()):
            return True
        return any(self.proposals.get(each.proposal).proposer == who for each in live)
