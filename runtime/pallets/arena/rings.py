"""Rings: keys of nodes by which one of a crowd submits, and how each day deals the crowds.

On a day's first blocks the nodes with stake and an acting ring key are put on the task's roll, in
an order that the last reveal window's VRF outputs decide. Ring number r of alias index i is a part
of the members with more than i aliases: 32 at most, of nearly equal sizes. A key acts from the next
day on if it was set before the reveal window, else a day later: nobody chooses its crowd.
Invariant: no key is in two accounts' hands; a roll names no account, and is the same whatever the
order in which keys were registered.
Source: WP V.B (blind validation), WP IV.B (the beacon).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from runtime.economy.quota import rate_limit
from runtime.economy.schedule import in_force, scheduled
from runtime.economy.stakes import OperatorStake
from runtime.economy.tasks import Role, Task
from runtime.pallets.arena import alias_events
from runtime.pallets.arena.alias_messages import (
    ring_key_context,
    ring_randomness,
    roll_order,
)
from runtime.pallets.arena.budget import Budget
from runtime.pallets.arena.key_records import RingKey, RingPlace, RollMember
from runtime.pallets.arena.records import SUBMISSIONS_MAX, DayKey
from runtime.pallets.arena.storage import Arena
from runtime.pallets.arena.work_records import OrderedMember, RollWork
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.ring_signature import RING_SIZE_MAX, KeyProof, verify_key
from runtime.primitives.types import AccountId, Hash

ROLL_STEPS: Final = 10
MEMBER_STEPS: Final = 3  # a stake, a key, a hash, and its place when the roll is stored
MEMBERS_PER_STEP: Final = 2  # read again


class Rings:
    """Ring keys of accounts, and the day's rolls."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    # -- keys

    def set_key(self, who: AccountId, key: bytes, proof: KeyProof) -> None:
        """Let `key` act for `who` from a later day on. Emits RingKeySet."""
        arena, calendar = self.arena, self.arena.config.calendar
        known = arena.ring_keys.get(who)
        if arena.ring_owned.contains(key) and all(entry.key != key for entry in known):
            raise alias_events.RingKeyTaken
        if not verify_key(key, ring_key_context(arena.block.genesis_hash(), who), proof):
            raise alias_events.BadRingKey
        number, today = arena.block.block_number(), arena.today()
        is_early = calendar.position_of(number) < calendar.submit_end
        entry = RingKey(today + (1 if is_early else 2), key)
        _, kept = scheduled(known, today, entry)
        for gone in {item.key for item in known} - {item.key for item in kept}:
            arena.ring_owned.remove(gone)
        arena.ring_keys.put(who, kept)
        arena.ring_owned.put(key, True)
        arena.deposit_event(alias_events.RingKeySet(who, key, entry.from_day))

    def acting_key(self, who: AccountId, day: int) -> bytes | None:
        """The key of an account that acts today, or did on the two days before; None if none."""
        known = self.arena.ring_keys.get(who)
        if not known:
            return None
        found = in_force(known, day)
        return found.key if found.from_day <= day else None

    # -- rolls

    def begin_day(self, day: int, tasks: list[int]) -> None:
        """Let rolls be made in these of today's tasks, which take models.

        Cost: a read for each block of the window.
        """
        arena, calendar = self.arena, self.arena.config.calendar
        offsets = range(calendar.submit_end, calendar.reveal_end)
        outputs = [output for at in offsets if (output := arena.vrf_outputs.find(at)) is not None]
        arena.roll_work.put(_first_roll(day, blake2b_256(b"".join(outputs)), tasks))

    def step(self, budget: Budget, position: int) -> None:
        """Go on with the rolls, as far as the budget allows. Emits RingsDealt for each.

        What is not made when the submit window ends never is: the day takes no aliases there.
        """
        work = self.arena.roll_work.find()
        if work is None:
            return
        if position >= self.arena.config.calendar.submit_end:
            work = _first_roll(work.day, work.beacon, [])
        budget.spend(len(work.members) // MEMBERS_PER_STEP)
        while work.tasks:
            moved = self._go_on(work, budget)
            is_next, work = len(moved.tasks) < len(work.tasks), moved
            if not is_next:
                break
        if work.tasks:
            self.arena.roll_work.put(work)
        else:
            self.arena.roll_work.remove()

    def _go_on(self, work: RollWork, budget: Budget) -> RollWork:
        """Find members of the first task's roll; if there are no more, store it."""
        arena, task = self.arena, work.tasks[0]
        found, after, members = arena.tasks.get_task(task), work.after, list(work.members)
        nodes = work.nodes
        if nodes is None:
            if not budget.take(ROLL_STEPS):
                return work
            nodes = arena.stakes.known_of(task, Role.TRAINING_NODE)
        randomness = ring_randomness(arena.block.genesis_hash(), task, work.day, work.beacon)
        if found.status.is_live():
            for stake in arena.stakes.operators_after(task, work.day, after):
                if not budget.take(MEMBER_STEPS):
                    return replace(work, nodes=nodes, after=after, members=members)
                after = stake.account
                if stake.role is Role.TRAINING_NODE:
                    members += self._members(found, stake, nodes, work.day, randomness)
            self._deal(DayKey(task, work.day), members)
        return _first_roll(work.day, work.beacon, work.tasks[1:])

    def _members(
        self, task: Task, stake: OperatorStake, nodes: int, day: int, randomness: Hash
    ) -> list[OrderedMember]:
        """The node, if it has a key and may use aliases."""
        quota = self._quota(task, stake.limiting, nodes)
        key = self.acting_key(stake.account, day) if quota else None
        if key is None:
            return []
        return [OrderedMember(roll_order(randomness, stake.account), RollMember(key, quota))]

    def _deal(self, key: DayKey, members: list[OrderedMember]) -> None:
        roll = [each.member for each in sorted(members, key=lambda each: each.order)]
        self.arena.rolls.put(key, roll)
        self.arena.deposit_event(alias_events.RingsDealt(key.task, key.day, len(roll)))

    def _quota(self, task: Task, stake: int, nodes: int) -> int:
        """How many aliases a node has in a day.

        Where every validator scores everything, all aliases and standing submissions together stay
        within what a score sheet holds.
        """
        config = self.arena.config
        quota = rate_limit(stake, config.node_stake, config.quota_base, config.aliases_max)
        return quota if task.terms.seats else max(min(quota, SUBMISSIONS_MAX // nodes - 1), 0)

    # -- rings

    def ring_of(self, key: DayKey, index: int, ring: int) -> list[bytes]:
        """The keys of a ring; empty if there is none of this number, or no roll of the day."""
        return ring_of(self.arena.rolls.get(key), index, ring)

    def places_of(self, key: DayKey, who: AccountId) -> list[RingPlace]:
        """The rings in which an account may sign that day, one for each of its aliases."""
        own, roll = self.acting_key(who, key.day), self.arena.rolls.get(key)
        quota = next((member.quota for member in roll if member.key == own), 0)
        places = []
        for index in range(quota):
            members = [member.key for member in roll if member.quota > index]
            assert own is not None, "it is on the roll"
            count = ring_count(len(members))
            rings = (ring_of(roll, index, ring) for ring in range(count))
            ring, keys = next((n, keys) for n, keys in enumerate(rings) if own in keys)
            places.append(RingPlace(index, ring, len(keys)))
        return places


def ring_count(members: int) -> int:
    """How many rings so many members make."""
    return -(-members // RING_SIZE_MAX)


def ring_of(roll: Sequence[RollMember], index: int, ring: int) -> list[bytes]:
    """The keys of ring number `ring` for aliases of this index; empty if there is none."""
    members = [member.key for member in roll if member.quota > index]
    count = ring_count(len(members))
    if ring >= count:
        return []
    start, end = (len(members) * number // count for number in (ring, ring + 1))
    return members[start:end]


def _first_roll(day: int, beacon: Hash, tasks: list[int]) -> RollWork:
    """The work at the beginning of the first of these tasks."""
    return RollWork(day, beacon, tasks, None, None, [])
