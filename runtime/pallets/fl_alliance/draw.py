"""The draw: members post VRF proofs, the lowest outputs take part, roles follow.

Bounded: members are looked at in the order of joining, so many a block; of all outputs only the
lowest 256 are kept. Invariant: every candidate is a participant, passed over, or an absent voter.
Source: WP VI.B (random role selection), WP VI.H (VRF).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runtime.economy.alliance import capped_weights
from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.records import (
    CheckIn,
    Drawn,
    PartialDraw,
    Progress,
    Proposal,
    RoundKey,
    VoterRecord,
)
from runtime.pallets.fl_alliance.seals import vrf_input
from runtime.pallets.fl_alliance.sortition import assign_roles, participants_of
from runtime.pallets.fl_alliance.stages import Stage, VoidReason
from runtime.pallets.fl_alliance.storage import FlAlliance
from runtime.pallets.fl_alliance.terms import Mode
from runtime.primitives import vrf
from runtime.primitives.types import AccountId


class Draw:
    """Check-in and roles."""

    def __init__(self, alliance: FlAlliance) -> None:
        self.alliance = alliance

    def check_in(self, who: AccountId, task: int, round_: int, proof: bytes) -> None:
        """Verify and keep a member's proof."""
        alliance = self.alliance
        key = alliance.ensure_stage(task, round_, Stage.CHECK_IN)
        opened, member = alliance.rounds.get(key), alliance.members.find((task, who))
        if member is None or not member.is_candidate(opened.turn):
            raise events.NotACandidate
        if alliance.check_ins.contains((key, who)):
            raise events.AlreadyCheckedIn
        genesis = alliance.block.genesis_hash()
        output = vrf.verify(member.key, proof, vrf_input(genesis, opened.seed, task, round_, who))
        if output is None:
            raise events.BadProof
        alliance.check_ins.put((key, who), CheckIn(output, proof))
        alliance.note_done(task)

    def work(self, task: int, progress: Progress, budget: int) -> int:
        """Look at the next members; after the last assign the roles. The steps used."""
        alliance, key = self.alliance, self.alliance.key_of(task)
        opened, joined = alliance.rounds.get(key), alliance.runs.get(task).joined
        partial, end = alliance.draws.get(task), min(progress.cursor + budget, joined)
        posted, absent = list(partial.lowest), partial.absent
        for place in range(progress.cursor, end):
            who = alliance.roster.find((task, place))
            if who is None or not alliance.members.get((task, who)).is_candidate(opened.turn):
                continue
            found = alliance.check_ins.find((key, who))
            if found is None:
                absent += 1
            else:
                posted.append(Drawn(found.output, who))
        count = participants_of(opened.members, alliance.get_task(task).terms.participation)
        lowest = sorted(posted, key=lambda each: (each.output, each.account))[:count]
        used = 1 + end - progress.cursor
        if end < joined:
            alliance.draws.put(task, PartialDraw(lowest, absent))
            alliance.progress.put(task, replace(progress, cursor=end))
            return used
        alliance.draws.remove(task)
        proposing = alliance.get_task(task).terms.proposing
        roles = assign_roles([each.account for each in lowest], absent, proposing)
        self.seat(key, roles.proposers, roles.voters, absent)
        return used + len(lowest)

    def seat(
        self,
        key: RoundKey,
        proposers: Sequence[AccountId],
        voters: Sequence[AccountId],
        absent: int,
    ) -> None:
        """Give the roles and ask for proposals. Emits RolesDrawn."""
        alliance, task = self.alliance, key.task
        units = [alliance.members.get((task, who)).units for who in proposers]
        drawn = replace(
            alliance.rounds.get(key),
            proposers=list(proposers),
            voters=list(voters),
            weights=capped_weights(units),
            absent=absent,
        )
        alliance.rounds.put(key, drawn)
        for index, who in enumerate(proposers):
            alliance.proposals.put((key, who), Proposal(index))
        for who in voters:
            alliance.votes.put((key, who), VoterRecord())
        alliance.deposit_event(
            events.RolesDrawn(task, key.round, len(proposers), len(voters), absent)
        )
        if proposers and voters:
            is_masked = alliance.get_task(task).terms.mode is Mode.ZK_MASKED
            first = Stage.SHARE if is_masked else Stage.PROPOSE
            alliance.begin_stage(key, first, len(proposers))
        else:
            void = Progress(Stage.TALLY, void=VoidReason.NOBODY_DRAWN)
            alliance.progress.put(task, void)
