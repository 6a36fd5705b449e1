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

from runtime.economy.schedule import in_force, scheduled
from runtime.economy.tasks import Role, Task
from runtime.pallets.arena import alias_events
from runtime.pallets.arena.alias_messages import (
    ring_key_context,
    ring_randomness,
    roll_order,
)
from runtime.pallets.arena.key_records import RingKey, RingPlace, RollMember, RollWork
from runtime.pallets.arena.quota import rate_limit
from runtime.pallets.arena.records import SUBMISSIONS_MAX, DayKey
from runtime.pallets.arena.storage import Arena
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.ring_signature import RING_SIZE_MAX, KeyProof, verify_key
from runtime.primitives.types import AccountId

MEMBERS_PER_STEP = 6


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

    def begin_day(self, day: int) -> None:
        """Let the rolls of today's tasks be made. Cost: a read for each block of the window."""
        arena, calendar = self.arena, self.arena.config.calendar
        offsets = range(calendar.submit_end, calendar.reveal_end)
        outputs = [output for at in offsets if (output := arena.vrf_outputs.find(at)) is not None]
        tasks = [task for task in arena.tasks.tasks_on(day) if _takes_models(arena, task, day)]
        arena.roll_work.put(RollWork(day, blake2b_256(b"".join(outputs)), tasks))

    def step(self, budget: int, position: int) -> int:
        """Make rolls for so many steps, one task's more at most; the steps used.

        What is not made when the submit window ends never is: the day takes no aliases there.
        """
        work, used = self.arena.roll_work.find(), 0
        if work is None:
            return 0
        tasks = work.tasks if position < self.arena.config.calendar.submit_end else []
        while tasks and used < budget:
            used += self._make_roll(tasks[0], work)
            tasks = tasks[1:]
        if tasks:
            self.arena.roll_work.put(replace(work, tasks=tasks))
        else:
            self.arena.roll_work.remove()
        return used + 1

    def _make_roll(self, task: int, work: RollWork) -> int:
        arena = self.arena
        found = arena.tasks.get_task(task)
        if not found.status.is_live():
            return 1
        randomness = ring_randomness(arena.block.genesis_hash(), task, work.day, work.beacon)
        members: dict[bytes, RollMember] = {}
        operators = arena.stakes.operators_of(task, Role.TRAINING_NODE, work.day)
        for stake in operators:
            key = self.acting_key(stake.account, work.day)
            quota = self._quota(found, stake.total, len(operators))
            if key is not None and quota:
                members[roll_order(randomness, stake.account)] = RollMember(key, quota)
        roll = [members[order] for order in sorted(members)]
        arena.rolls.put(DayKey(task, work.day), roll)
        arena.deposit_event(alias_events.RingsDealt(task, work.day, len(roll)))
        return 1 + len(operators) // MEMBERS_PER_STEP

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


def _takes_models(arena: Arena, task: int, day: int) -> bool:
    return day < arena.tasks.get_task(task).final_day()
