"""What one key does in one task of the FL Alliance, asked anew on every block.

The chain says what is due (`AllianceApi.part_of`), so restarts of worker and node, and forks, are
nothing special. Invariant: whatever phase a worker is killed in, the next start goes on from it.

Source: WP VI.B to VI.F; Algorithm 1.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Final

from flockchain.workers.alliance.aggregator import Aggregator
from flockchain.workers.alliance.committing import hand_over
from flockchain.workers.alliance.desk import AllianceDesk
from flockchain.workers.alliance.masking import Masker
from flockchain.workers.alliance.membership import Membership
from flockchain.workers.alliance.proposer import Proposer
from flockchain.workers.alliance.round_view import RoundView
from flockchain.workers.alliance.voter import Voter
from flockchain.workers.moment import Moment
from runtime.fl_api import AllianceApi
from runtime.frame.pallet import encode_call
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance.records import RoundKey
from runtime.pallets.fl_alliance.stages import Stage
from runtime.pallets.fl_alliance.terms import Mode
from runtime.pallets.fl_alliance.views import AllianceInfo, Duty, Part, Role
from runtime.primitives import vrf

log = logging.getLogger(__name__)

_DECIDING: Final = (Stage.VOTE, Stage.OPEN, Stage.TALLY)  # whether an aggregate becomes the model


class AllianceDuty:
    """One key in one task."""

    def __init__(self, desk: AllianceDesk, task: int) -> None:
        self._desk = desk
        self._task = task
        self._membership = Membership(desk, task)
        self._proposer = Proposer(desk)
        self._voter = Voter(desk)
        self._aggregator = Aggregator(desk)
        self._masker = Masker(desk)
        self._is_told = False

    async def step(self, now: Moment) -> None:
        """Join, check in, propose, vote, claim: whatever the block calls for. Raises SdkError."""
        desk, view = self._desk, now.view
        finding = view.find(FlAlliance.members, (self._task, desk.account))
        info, part, member = await asyncio.gather(
            view.ask(AllianceApi.alliance_task, self._task),
            view.ask(AllianceApi.part_of, self._task, desk.account),
            finding,
        )
        if info is None:
            if not self._is_told:
                self._is_told = True
                log.warning("task %d is no task of the FL Alliance: waiting for it", self._task)
            return
        if not await self._membership.ensure(now, info, member):
            return
        self._publish_model(now, info)
        if part.duty is Duty.CLAIM:
            self._membership.claim(now)
        elif part.round is not None:
            await self._play(now, info, part, part.round)

    def _check_in(self, now: Moment, part: Part, round_: int) -> None:
        proof = vrf.prove(self._desk.vrf_seed(self._task), part.vrf_input)
        call = encode_call(FlAlliance.check_in, self._task, round_, proof)
        text = f"checked in for round {round_} of task {self._task}"
        self._desk.act(now, ("check in", self._task, round_), call, text)

    async def _play(self, now: Moment, info: AllianceInfo, part: Part, round_: int) -> None:
        if part.duty is Duty.CHECK_IN:
            self._check_in(now, part, round_)
        if part.role not in (Role.PROPOSER, Role.VOTER):
            return
        made = await now.view.ask(AllianceApi.round_info, self._task, round_)
        if made is None:
            return
        key = RoundKey(self._task, round_)
        is_summed = info.record.terms.mode is not Mode.OPEN
        view = RoundView(now, info, part, made)
        if is_summed:
            found = await now.view.find(FlAlliance.aggregations, key)
            view = replace(view, aggregation=found)
        self._act(view)

    def _act(self, view: RoundView) -> None:
        """Do what the chain says is due."""
        part = view.part
        if view.is_summed:
            self._desk.get_ready(view.now)
        match part.duty:
            case Duty.INITIALISE_MODEL:
                self._proposer.initialise(view)
            case Duty.COMMIT_PROPOSAL:
                self._proposer.commit(view)
            case Duty.REVEAL_PROPOSAL:
                self._proposer.reveal(view)
            case Duty.REPORT:
                self._voter.report(view)
            case Duty.COMMIT_VOTE:
                self._voter.commit(view)
            case Duty.REVEAL_VOTE:
                self._voter.reveal(view)
            case Duty.HAND_OVER:
                hand_over(self._desk, view)
            case Duty.SHARE_SECRETS:
                self._masker.share(view)
            case Duty.REVEAL_SHARES:
                self._masker.reveal(view)
            case Duty.PROVE:
                self._aggregator.prove(view)
            case _ if part.role is Role.PROPOSER:
                self._proposer.keep_ready(view)

    def _publish_model(self, now: Moment, info: AllianceInfo) -> None:
        """Hand out the global model if it was made here, so that members who did not vote have it.

        Aggregates that were not accepted are forgotten.
        """
        memory, model = self._desk.memory, info.run.model
        for name in memory.of_task(self._task).made:
            content = bytes.fromhex(name)
            if content == model:
                self._hand_out(now, content)
            elif info.progress is None or info.progress.stage not in _DECIDING:
                memory.drop_made(self._task, content)

    def _hand_out(self, now: Moment, content: bytes) -> None:
        desk = self._desk
        done = desk.jobs.poll(
            ("publish model", content), now.head.number, lambda: self._upload(content)
        )
        if done is not None:
            desk.memory.drop_made(self._task, content)

    async def _upload(self, content: bytes) -> bool:
        """Raises SdkError."""
        model = self._desk.memory.find_blob(content)
        if model is not None:
            await self._desk.client.put_blob(model, self._desk.key)
        return True
