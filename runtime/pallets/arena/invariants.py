"""What always holds of the arena's state; run by tests and the simulator, not by blocks.

Each task's pot holds at least what vests and what is still to be paid; ring keys have one owner;
every alias has one tag and one number, and its submission once it is revealed; what stands is its
owner's, and no later submission is.
Source: WP V.B (blind validation), WP V.H (what vests).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from runtime.pallets.arena.cursor import Phase
from runtime.pallets.arena.records import Alias, DayKey
from runtime.pallets.arena.storage import Arena, pot_of

_PLANNED: Final = (Phase.REMEMBER, Phase.COMPLETE, Phase.PAY)


def ensure_pots(arena: Arena) -> None:
    """What is owed is there."""
    unpaid: dict[int, int] = {}
    cursor = arena.cursor.find()
    if cursor is not None and cursor.tasks:
        task = cursor.tasks[0]
        unpaid[task] = cursor.slashed
        if cursor.phase in _PLANNED:
            left = arena.payments.get(DayKey(task, cursor.day()))[cursor.paid :]
            begun = arena.unpaid.get()
            unpaid[task] = sum(payment.amount for payment in left[bool(begun) :])
            unpaid[task] += sum(part.amount for part in begun)
    for task, amount in arena.vested.items():
        unpaid[task] = unpaid.get(task, 0) + amount
    for task, own in arena.vested_own.items():
        assert own <= arena.vested.get(task), f"vested of task {task}"
    for task, amount in unpaid.items():
        assert arena.currency.free(pot_of(task)) >= amount, f"pot of task {task}"


def ensure_keys(arena: Arena) -> None:
    """A ring key is in the hands of one account, and on a roll once."""
    owned: list[bytes] = []
    for who, entries in arena.ring_keys.items():
        days = [entry.from_day for entry in entries]
        assert days == sorted(set(days)), f"ring keys of {who.hex()}"
        owned += {entry.key for entry in entries}
    assert sorted(owned) == sorted(arena.ring_owned.keys()), "owners of ring keys"
    for key, roll in arena.rolls.items():
        assert len({member.key for member in roll}) == len(roll), f"roll of {key}"
        assert all(0 < member.quota <= arena.config.aliases_max for member in roll), f"{key}"


def ensure_submissions(arena: Arena) -> None:
    """Aliases, numbers and owners fit."""
    dropped = arena.expired.get()
    sealed: dict[DayKey, dict[int, bool]] = {}
    for (key, alias), seal in arena.aliases.items():
        if key in dropped:
            continue
        of_day = sealed.setdefault(key, {})
        assert seal.submission not in of_day, f"two aliases have {seal.submission} of {key}"
        of_day[seal.submission] = seal.is_revealed
        made = arena.submissions.find((key.task, seal.submission))
        assert (made is not None) == seal.is_revealed, f"alias {alias.hex()} of {key}"
        assert made is None or made.submitter == Alias(alias), f"submission of {alias.hex()}"
    for key, of_day in sealed.items():
        tags = sorted(number for _, number in arena.alias_tags.items_of(key))
        assert tags == sorted(of_day), f"tags of {key}"
    _ensure_standing(arena, {key.task for key in dropped})


def _ensure_standing(arena: Arena, without: Iterable[int]) -> None:
    latest = {
        (task, made.owner): number
        for (task, number), made in sorted(arena.submissions.items(), key=lambda pair: pair[0])
        if made.owner is not None and task not in without
    }
    standing = {
        place: number for place, number in arena.standing.items() if place[0] not in without
    }
    assert standing == latest, "what stands"
