"""The end of a round's records, and the end of a task.

Invariant: after a task's end its pot holds what members earned and nothing else; all records but
the task's own and unclaimed balances are dropped some time later, so many a block.
Source: WP VI.F (rewards), WP II.D.3 (stakes are free when a task ends), WP IV.A.2 (the pool).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

from runtime import frame
from runtime.economy.tasks import SelfFunded
from runtime.frame.traits import HoldReason
from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.membership import Membership
from runtime.pallets.fl_alliance.records import EndedTask, MemberStatus, Progress, RoundKey
from runtime.pallets.fl_alliance.stages import EndReason, Stage
from runtime.pallets.fl_alliance.storage import FlAlliance, pot_of
from runtime.primitives.rational import mul_div_floor
from runtime.primitives.types import AccountId


class Ending:
    """Drops what is over, and ends tasks."""

    def __init__(self, alliance: FlAlliance) -> None:
        self.alliance = alliance

    # -- the end of a round

    def clean(self, task: int, budget: int) -> int:
        """Drop the proofs of the round before, and rounds that are no longer kept."""
        alliance, used = self.alliance, 0
        last = alliance.runs.get(task).opened - 1
        if last:
            for item in (alliance.check_ins, alliance.deals, alliance.reveals):
                used += self._drop(item, RoundKey(task, last - 1), budget - used)
        while used < budget:
            run = alliance.runs.get(task)
            if last < run.kept_from + alliance.config.kept_rounds:
                alliance.progress.put(task, Progress(Stage.IDLE))
                return used + 1
            used += self._drop_round(RoundKey(task, run.kept_from), budget - used)
        return used

    def _drop_round(self, key: RoundKey, budget: int) -> int:
        """Drop records of the oldest round that is kept, so many of them; the steps used."""
        alliance, used = self.alliance, 0
        for item in (
            alliance.check_ins,
            alliance.proposals,
            alliance.commitments,
            alliance.deals,
            alliance.reveals,
            alliance.votes,
            alliance.payments,
        ):
            used += self._drop(item, key, budget - used)
            if used >= budget:
                return used
        alliance.rounds.remove(key)
        alliance.results.remove(key)
        alliance.aggregations.remove(key)
        alliance.masked.remove(key)
        run = alliance.runs.get(key.task)
        alliance.runs.put(key.task, replace(run, kept_from=key.round + 1))
        return used + 1

    def _drop(self, item: frame.StorageDoubleMap[Any, Any], first: Any, count: int) -> int:
        """Remove so many entries, or all there are; how many there were."""
        paths = list(islice(self.alliance.ext.keys(item.prefix_of(first)), count))
        for path in paths:
            self.alliance.ext.put(path, None)
        return len(paths)

    # -- the end of a task

    def cancel(self, who: AccountId, task: int) -> None:
        """End a task that opened no round."""
        alliance = self.alliance
        if who != alliance.live_task(task).creator:
            raise events.NotTheCreator
        if alliance.runs.get(task).opened or alliance.progress.get(task).stage is not Stage.IDLE:
            raise events.TooLateToCancel
        self.end(task, EndReason.CANCELLED)

    def end(self, task: int, reason: EndReason) -> None:
        """Return and burn the pool, free S_c, record the model. Emits TaskEnded."""
        alliance = self.alliance
        found, run = alliance.get_task(task), alliance.runs.get(task)
        pool, returned = alliance.purses.get(task).pool, 0
        if isinstance(found.funding, SelfFunded):
            never = found.terms.rounds - run.opened
            part = mul_div_floor(found.funding.budget, never, found.terms.rounds)
            returned = min(part, pool)
        membership = Membership(alliance)
        if returned:
            membership.deliver(task, found.creator, returned)
        if pool > returned:
            alliance.currency.burn(pot_of(task), pool - returned)
        alliance.currency.release(HoldReason.FL_STAKE, found.creator, found.creator_stake)
        if found.creator_covered:
            alliance.locks.uncover(found.creator, found.creator_covered)
        membership.release(found.creator)
        alliance.tasks.put(task, replace(found, ended=reason))
        alliance.live.put([other for other in alliance.live.get() if other != task])
        alliance.ended.put([*alliance.ended.get(), EndedTask(task, alliance.today())])
        alliance.purses.remove(task)
        alliance.progress.remove(task)
        self._record_model(task)
        alliance.deposit_event(events.TaskEnded(task, reason, returned, pool - returned))

    def _record_model(self, task: int) -> None:
        """Enter the last accepted model; votes, not scores, decided on it: its score is 0."""
        alliance = self.alliance
        found, run = alliance.get_task(task), alliance.runs.get(task)
        if run.model is None or run.accepted_round is None:
            return
        parents = [] if found.origin_model is None else [found.origin_model]
        alliance.models.record_model(
            task, run.model, run.accepted_round, found.creator, (0, 1), parents
        )

    def forget(self, budget: int) -> int:
        """Drop records of tasks that ended long ago; the steps used."""
        alliance, used = self.alliance, 0
        while used < budget and (waiting := alliance.ended.get()):
            first = waiting[0]
            if alliance.today() < first.day + alliance.config.kept_days:
                break
            steps, is_done = self._forget_some(first, budget - used)
            used += steps
            if is_done:
                alliance.ended.put(waiting[1:])
        return used

    def _forget_some(self, ended: EndedTask, budget: int) -> tuple[int, bool]:
        alliance, task, used = self.alliance, ended.task, 0
        run = alliance.runs.get(task)
        if run.kept_from < run.opened:
            return self._drop_round(RoundKey(task, run.kept_from), budget), False
        for item in (alliance.vrf_keys, alliance.proposed):
            used += self._drop(item, task, budget - used)
            if used >= budget:
                return used, False
        end = min(ended.cursor + budget - used, run.joined)
        for place in range(ended.cursor, end):
            self._forget_expelled(task, place)
        used += end - ended.cursor
        if end < run.joined:
            waiting = alliance.ended.get()
            alliance.ended.put([replace(ended, cursor=end), *waiting[1:]])
        return used + 1, end == run.joined

    def _forget_expelled(self, task: int, place: int) -> None:
        alliance = self.alliance
        who = alliance.roster.find((task, place))
        if who is not None and alliance.members.get((task, who)).status is MemberStatus.GONE:
            alliance.members.remove((task, who))
            alliance.roster.remove((task, place))
