"""Joining a task, and getting the balance back: the beginning and the end of a participant.

Before there is a stake it is checked that rows, specification and first model fit together and that
others can seal to the account. Invariant: who left, was expelled or claimed is not joined again.

Source: WP VI.B (a specified quantity of coins), WP II.D.5 (FL clients).
"""

from __future__ import annotations

import logging

from flockchain.workers.alliance.computing import Check, check_data
from flockchain.workers.alliance.desk import AllianceDesk
from flockchain.workers.alliance.keys import public_vrf_key
from flockchain.workers.moment import Moment
from runtime.frame.pallet import encode_call
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.fl_alliance.records import Member
from runtime.pallets.fl_alliance.seals import possession_message
from runtime.pallets.fl_alliance.terms import Mode
from runtime.pallets.fl_alliance.views import AllianceInfo
from runtime.primitives import vrf

log = logging.getLogger(__name__)


class NotFitting(ValueError):
    """Rows, task and first model do not belong together; the message says how."""


class Membership:
    """One key's place in one task."""

    def __init__(self, desk: AllianceDesk, task: int) -> None:
        self._desk = desk
        self._task = task
        self._told = False

    async def ensure(self, now: Moment, info: AllianceInfo, member: Member | None) -> bool:
        """Whether the account is a member; joins if it never was one. Raises SdkError."""
        desk = self._desk
        if member is not None:
            desk.memory.note_membership(self._task)
            return True
        if desk.memory.of_task(self._task).was_member:
            self._tell_once("is over for it: it was a member before")
            return False
        if info.record.ended is not None:
            return False
        is_summed = info.record.terms.mode is not Mode.OPEN
        if is_summed:
            string = desk.jobs.poll(("reference string",), now.head.number, desk.string.get)
            if string is None:
                return False  # commitments under another string would be refused, and cost stake
        if not await desk.has_sealing_key(now):
            desk.publish_sealing_key(now)
            return False
        name = ("join", desk.account, self._task)
        units = desk.jobs.poll(name, now.head.number, lambda: self._units(info))
        if units is not None:
            self._join(now, units)
        return False

    def _tell_once(self, why: str) -> None:
        if not self._told:
            self._told = True
            log.info("%s does not join: task %d %s", self._desk.name, self._task, why)

    def claim(self, now: Moment) -> None:
        """Get the balance back, once it is free."""
        call = encode_call(FlAlliance.claim, self._task)
        self._desk.act(
            now, ("claim", self._task), call, f"claimed its balance of task {self._task}"
        )

    async def _units(self, info: AllianceInfo) -> int:
        """How many units of samples it has. Raises SdkError, NotFitting, `ArtifactError`."""
        desk, terms = self._desk, info.record.terms
        base = None if info.run.model is None else await desk.model(info.run.model)
        check = Check(await desk.around(info), base)
        found = await desk.training.run(check_data, check)
        if found.zero_update != terms.zero_update:
            raise NotFitting("the task names another zero update than its model has")
        if terms.mode is not Mode.OPEN and found.parameters != terms.parameters:
            raise NotFitting(f"a model of {found.parameters} numbers, not {terms.parameters}")
        units = min(found.rows // terms.unit_samples, terms.units_max)
        if not units:
            raise NotFitting(f"{found.rows} rows are less than a unit of {terms.unit_samples}")
        return units

    def _join(self, now: Moment, units: int) -> None:
        desk, task = self._desk, self._task
        message = possession_message(desk.client.genesis, task, desk.account)
        seed = desk.vrf_seed(task)
        possession = vrf.prove(seed, message)
        call = encode_call(FlAlliance.join, task, public_vrf_key(seed), possession, units)
        desk.act(now, ("join", task), call, f"joined task {task} with {units} units of samples")
