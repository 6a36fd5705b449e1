"""Locks: tokens that vote while they are bound and leave after their notice; others may vote them.

A lock has no end of its own: it counts by its notice until its owner unlocks, then no more. What
leaves is bound at least until the last vote that it may have counted in is enacted. What a lock
counts also stands in for minimums of nodes and creators, each planck once; it is never slashed.
Source: WP VII; litepaper (gmFLOCK).
"""

from __future__ import annotations

from dataclasses import replace

from runtime.economy.governance import LOCK_DAYS_MAX, lock_weight
from runtime.frame.traits import HoldReason
from runtime.pallets.governance import events, records
from runtime.pallets.governance.records import Position, Power, Standing, Unlocking, needed
from runtime.pallets.governance.storage import Governance
from runtime.primitives.types import AccountId


class Locks:
    """Locks, notice and delegation."""

    def __init__(self, dao: Governance) -> None:
        self.dao = dao

    # -- what calls do

    def lock(self, who: AccountId, amount: int, days: int) -> None:
        """Bind more tokens, or all for longer."""
        dao, position = self.dao, self.of(who)
        tokens = position.now.own.tokens + amount
        if tokens < dao.config.lock_min:
            raise events.LockTooSmall
        least = position.days if position.now.own.tokens else 1
        if not least <= days <= LOCK_DAYS_MAX:
            raise events.TermOutOfBounds
        if amount:
            dao.currency.hold(HoldReason.VOTE_LOCK, who, amount)
        dao.total_locked.put(dao.total_locked.get() + amount)
        self._set_own(who, replace(position, days=days), tokens)
        dao.deposit_event(events.Locked(who, tokens, days))

    def unlock(self, who: AccountId, amount: int) -> None:
        """Give notice for a part: it counts no more."""
        dao, position = self.dao, self.of(who)
        left = position.now.own.tokens - amount
        if amount == 0 or left < 0:
            raise events.NotSoMuchLocked
        if 0 < left < dao.config.lock_min:
            raise events.LockTooSmall
        if len(position.unlocking) >= records.UNLOCKING_MAX:
            raise events.TooManyParts
        if lock_weight(left, position.days) < dao.covering.get(who):
            raise events.LockInUse
        free_at = max(
            dao.block.block_number() + position.days * dao.config.day_blocks, self._last_enactment()
        )
        dao.total_locked.put(dao.total_locked.get() - amount)
        parts = [*position.unlocking, Unlocking(amount, free_at)]
        self._set_own(who, replace(position, unlocking=parts), left)
        dao.deposit_event(events.UnlockBegun(who, amount, free_at))

    def withdraw(self, who: AccountId) -> None:
        """Make free what has waited long enough."""
        dao, position = self.dao, self.of(who)
        number = dao.block.block_number()
        left = [part for part in position.unlocking if part.free_at > number]
        amount = sum(part.amount for part in position.unlocking) - sum(p.amount for p in left)
        if amount == 0:
            raise events.NothingFree
        dao.currency.release(HoldReason.VOTE_LOCK, who, amount)
        self._put(who, replace(position, unlocking=left))
        dao.deposit_event(events.Withdrawn(who, amount))

    def delegate(self, who: AccountId, to: AccountId | None) -> None:
        """Let `to` vote with the lock in votes that open later; None: oneself."""
        dao, position = self.dao, self.of(who)
        own = position.now.own
        if to is None and position.delegate is None:
            raise events.NotDelegated
        if own.tokens == 0:
            raise events.NoLock
        if to is not None and (to == who or self.of(to).now.own.tokens == 0):
            raise events.BadDelegate
        if position.delegate is not None:
            self._receive(position.delegate, Power() - own)
        if to is not None:
            self._receive(to, own)
        changed = replace(position.now, is_delegated=to is not None)
        self._stand(who, replace(position, delegate=to), changed)
        dao.deposit_event(events.Delegated(who, to))

    # -- minimums of nodes and creators

    def spare(self, who: AccountId) -> int:
        """What a lock counts and no minimum needs yet, whoever votes with it; planck."""
        return self.of(who).now.own.weight - self.dao.covering.get(who)

    def cover(self, who: AccountId, amount: int) -> None:
        """Let a part of what is spare stand in for stake."""
        assert amount <= self.spare(who), f"{amount} planck are not spare"
        self.dao.covering.put(who, self.dao.covering.get(who) + amount)

    def uncover(self, who: AccountId, amount: int) -> None:
        """Give a part back."""
        left = self.dao.covering.get(who) - amount
        if left:
            self.dao.covering.put(who, left)
        else:
            self.dao.covering.remove(who)

    # -- positions

    def of(self, who: AccountId) -> Position:
        """An account's position; an empty one if it has none."""
        found = self.dao.positions.find(who)
        return Position(0, None, [Standing(0)], [], []) if found is None else found

    def _set_own(self, who: AccountId, position: Position, tokens: int) -> None:
        """Note what is locked now, also with who votes with it. A lock of nothing is not lent."""
        own, before = Power(tokens, lock_weight(tokens, position.days)), position.now.own
        delegate = position.delegate
        if delegate is not None:
            self._receive(delegate, own - before)
        to = delegate if tokens else None
        changed = replace(position.now, own=own, is_delegated=to is not None)
        self._stand(who, replace(position, delegate=to), changed)

    def _receive(self, who: AccountId, more: Power) -> None:
        position = self.of(who)
        changed = replace(position.now, received=position.now.received + more)
        self._stand(who, position, changed)

    def _stand(self, who: AccountId, position: Position, changed: Standing) -> None:
        """Add a standing that holds from the next block on."""
        number = self.dao.block.block_number()
        past = [each for each in position.standings if each.since < number]
        self._put(who, replace(position, standings=[*past, replace(changed, since=number)]))

    def _put(self, who: AccountId, position: Position) -> None:
        """Keep what live votes and the owner need; nothing of who has nothing."""
        snapshots = self.dao.snapshots()
        numbers = {each.proposal for each in self.dao.live.get()}
        ballots = [each for each in position.ballots if each.proposal in numbers]
        if position.is_needed(snapshots):
            kept = needed(position.standings, snapshots)
            self.dao.positions.put(who, replace(position, standings=kept, ballots=ballots))
        else:
            self.dao.positions.remove(who)

    def _last_enactment(self) -> int:
        """When the last vote is enacted that what counts now may have counted in."""
        dao, kept = self.dao, self.dao.kept.find()
        timelock = dao.parameters.get().timelock
        ends = [0 if kept is None else kept.until]
        for entry in dao.live.get():
            stage = dao.proposals.get(entry.proposal).stage
            if stage is records.Stage.VOTING:
                ends.append(entry.until + timelock)
            elif stage is records.Stage.TIMELOCK:
                ends.append(entry.until)
        return max(ends)
