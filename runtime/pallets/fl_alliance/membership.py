"""Members: joining with the task's quantity, pausing, leaving, and getting the balance back.

A change acts three epochs later, so that members of an epoch are fixed before its randomness is
known. Invariant: what a member may be drawn and slashed for is held, or lies in the task's pot,
until it is claimed.
Source: WP VI.B (a specified quantity of coins), WP II.D.5 (FL clients), WP II.D.3 (stakes are free
when a task ends), WP III.A.2 (registration fee).
"""

from __future__ import annotations

from dataclasses import replace

from runtime import frame
from runtime.frame.traits import HoldReason
from runtime.pallets.fl_alliance import events
from runtime.pallets.fl_alliance.records import (
    CHANGES_MAX,
    AllianceTask,
    Change,
    Member,
    MemberStatus,
)
from runtime.pallets.fl_alliance.seals import possession_message
from runtime.pallets.fl_alliance.stages import Stage
from runtime.pallets.fl_alliance.storage import FlAlliance, pot_of
from runtime.pallets.fl_alliance.turns import Turns
from runtime.primitives import vrf
from runtime.primitives.types import AccountId


class Membership:
    """Who takes part in a task, and from when."""

    def __init__(self, alliance: FlAlliance) -> None:
        self.alliance = alliance
        self.turns = Turns(alliance)

    # -- coming

    def join(self, who: AccountId, task: int, key: bytes, possession: bytes, units: int) -> None:
        """Stake exactly the task's quantity, pay the fee. Emits Joined."""
        alliance, config = self.alliance, self.alliance.config
        found = alliance.live_task(task)
        self._ensure_can_join(who, task, found, key, units)
        message = possession_message(alliance.block.genesis_hash(), task, who)
        if vrf.verify(key, possession, message) is None:
            raise events.BadPossession
        quantity, fee = found.terms.quantity, config.registration_fee
        if alliance.currency.spendable(who) < quantity + fee:
            raise events.InsufficientFunds
        if fee:
            burned = config.fee_burn.mul_floor(fee)
            alliance.currency.burn(who, burned)
            alliance.currency.transfer(who, config.treasury, fee - burned)
        alliance.currency.hold(HoldReason.FL_STAKE, who, quantity)
        run, acting = alliance.runs.get(task), self.turns.acting()
        member = Member(run.joined, key, units, quantity, 0, [Change(acting, True)])
        alliance.members.put((task, who), member)
        alliance.roster.put((task, run.joined), who)
        alliance.vrf_keys.put((task, key), who)
        alliance.memberships.put(who, alliance.memberships.get(who) + 1)
        alliance.runs.put(task, replace(run, joined=run.joined + 1))
        self._count(task, quantity, 1)
        alliance.deposit_event(events.Joined(task, who, quantity, units, acting))

    def _ensure_can_join(
        self, who: AccountId, task: int, found: AllianceTask, key: bytes, units: int
    ) -> None:
        alliance = self.alliance
        known = alliance.members.find((task, who))
        if known is not None:
            was_expelled = known.status in (MemberStatus.EXPELLED, MemberStatus.GONE)
            raise events.WasExpelled if was_expelled else events.AlreadyJoined
        if alliance.runs.get(task).joined >= alliance.config.members_max:
            raise events.TaskFull
        if not 1 <= units <= found.terms.units_max:
            raise events.UnitsOutOfRange
        if alliance.vrf_keys.contains((task, key)):
            raise events.KeyTaken

    # -- pausing and leaving

    def pause(self, who: AccountId, task: int) -> None:
        """Be drawn no more, and stay. Emits Paused."""
        member = self._joined(task, who)
        if not member.changes[-1].is_active:
            raise events.AlreadyPaused
        changed = self._changed(task, member, is_active=False)
        self._count(task, -member.stake, -1)
        self.alliance.members.put((task, who), changed)
        self.alliance.deposit_event(events.Paused(task, who, changed.changes[-1].from_turn))

    def resume(self, who: AccountId, task: int) -> None:
        """Be drawn again. Emits Resumed."""
        member = self._joined(task, who)
        if member.changes[-1].is_active:
            raise events.NotPaused
        changed = self._changed(task, member, is_active=True)
        self._count(task, member.stake, 1)
        self.alliance.members.put((task, who), changed)
        self.alliance.deposit_event(events.Resumed(task, who, changed.changes[-1].from_turn))

    def leave(self, who: AccountId, task: int) -> None:
        """Be drawn no more, and get the balance back after the unbonding time. Emits Left."""
        alliance, member = self.alliance, self._joined(task, who)
        changed = self._changed(task, member, is_active=False)
        if member.is_counted:
            self._count(task, -member.stake, -1)
        free_day = alliance.today() + alliance.config.unbonding_days
        left = replace(changed, status=MemberStatus.LEAVING, free_day=free_day)
        alliance.members.put((task, who), left)
        acting = changed.changes[-1].from_turn
        alliance.deposit_event(events.Left(task, who, acting, free_day))

    def _joined(self, task: int, who: AccountId) -> Member:
        self.alliance.live_task(task)
        member = self.member(task, who)
        if member.status is not MemberStatus.JOINED:
            raise events.AlreadyLeft
        return member

    def member(self, task: int, who: AccountId) -> Member:
        """A member's record. Raises NotAMember."""
        found = self.alliance.members.find((task, who))
        if found is None:
            raise events.NotAMember
        return found

    def _changed(self, task: int, member: Member, *, is_active: bool) -> Member:
        """The member with a change that acts at the next point, in place of one to act then."""
        acting = self.turns.acting()
        changes = [change for change in member.changes if change.from_turn < acting]
        changes = [*_needed(changes, self._earliest_turn(task)), Change(acting, is_active)]
        if len(changes) > CHANGES_MAX:
            raise events.TooManyChanges
        return replace(member, changes=changes)

    def _earliest_turn(self, task: int) -> int:
        """The turn of the round in progress, else this one: of no earlier one anybody asks."""
        alliance = self.alliance
        if alliance.progress.get(task).stage is Stage.IDLE:
            return self.turns.now().count
        return alliance.rounds.get(alliance.key_of(task)).turn

    def _count(self, task: int, stake: int, members: int) -> None:
        """Add to what counts in S and to who may be drawn."""
        alliance = self.alliance
        run = alliance.runs.get(task)
        active, staked = run.active + members, run.staked + stake
        alliance.runs.put(task, replace(run, active=active, staked=staked))

    # -- getting the balance back

    def claim(self, who: AccountId, task: int) -> None:
        """Free what was held and pay out what was earned. Emits Claimed."""
        alliance = self.alliance
        found, member = alliance.get_task(task), self.member(task, who)
        if member.status is MemberStatus.GONE:
            raise events.NothingToClaim
        if found.ended is None:
            self._ensure_free(task, member)
        if found.ended is None and member.status is MemberStatus.EXPELLED:
            gone = replace(member, stake=0, earned=0, status=MemberStatus.GONE)
            alliance.members.put((task, who), gone)  # it must not come back
        else:
            alliance.members.remove((task, who))
            alliance.roster.remove((task, member.place))
        self.release(who)
        if member.stake:
            alliance.currency.release(HoldReason.FL_STAKE, who, member.stake)
        if member.earned:
            self.deliver(task, who, member.earned)
        alliance.deposit_event(events.Claimed(task, who, member.stake, member.earned))

    def _ensure_free(self, task: int, member: Member) -> None:
        if member.status is MemberStatus.JOINED or member.free_day is None:
            raise events.StillAMember
        if self.alliance.today() < member.free_day:
            raise events.ClaimTooEarly
        is_leaving = member.status is MemberStatus.LEAVING
        if is_leaving and self._earliest_turn(task) < member.changes[-1].from_turn:
            raise events.ClaimTooEarly

    def release(self, who: AccountId) -> None:
        """One thing less is at stake for an account."""
        alliance = self.alliance
        left = alliance.memberships.get(who) - 1
        if left:
            alliance.memberships.put(who, left)
        else:
            alliance.memberships.remove(who)

    def deliver(self, task: int, who: AccountId, amount: int) -> None:
        """Pay out of the pot. What an account that was reaped cannot take goes to the treasury."""
        alliance = self.alliance
        try:
            alliance.currency.transfer(pot_of(task), who, amount, keep_alive=False)
        except frame.DispatchError:
            treasury = alliance.config.treasury
            alliance.currency.transfer(pot_of(task), treasury, amount, keep_alive=False)


def _needed(changes: list[Change], turn: int) -> list[Change]:
    """Changes without those that were over before the turn."""
    acting = [place for place, change in enumerate(changes) if change.from_turn <= turn]
    return changes[acting[-1] :] if acting else changes
