"""The opening of aliases: a node shows all its tags of a day, and what they made becomes its own.

One proof covers every index that the day's roll gives its ring key, used or not: so a node opens
all of its aliases or none, and never the best of them. Aliases are opened in the day's last window
before the settlement, those of the last day but one on the final day.
Invariant: of a node's submissions the latest commitment stands, opened or not by name.
Source: WP V.B (blind validation), Table I; the aliases are this project's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runtime.pallets.arena import alias_events
from runtime.pallets.arena.alias_messages import alias_base, opening_context
from runtime.pallets.arena.records import DayKey
from runtime.pallets.arena.rings import Rings
from runtime.pallets.arena.storage import Arena
from runtime.pallets.arena.submissions import Submissions
from runtime.primitives.tag_proof import TagProof, verify_tags
from runtime.primitives.types import AccountId


class Opening:
    """Gives submissions their owners."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.rings = Rings(arena)
        self.submitting = Submissions(arena)

    def open(self, who: AccountId, key: DayKey, tags: Sequence[bytes], proof: TagProof) -> None:
        """Make the day's submissions under these tags the account's. Emits AliasOpened for each."""
        arena, calendar = self.arena, self.arena.config.calendar
        arena.active_task(key.task)
        arena.ensure_window(calendar.score_reveal_end, calendar.alias_end)
        if key.day != self._open_day(key.task):
            raise alias_events.NotOpenedToday
        own = self.rings.acting_key(who, key.day)
        roll = arena.rolls.get(key)
        quota = next((member.quota for member in roll if member.key == own), 0)
        if own is None or not quota:
            raise alias_events.NotOnTheRoll
        if len(tags) != quota:
            raise alias_events.WrongTags
        found = [
            number for tag in tags if (number := arena.alias_tags.find((key, tag))) is not None
        ]
        made = [(number, arena.submissions.find((key.task, number))) for number in found]
        unopened = [(number, each) for number, each in made if each and each.owner is None]
        if not unopened:
            raise alias_events.NothingToOpen
        genesis = arena.block.genesis_hash()
        bases = [alias_base(genesis, key.task, key.day, index) for index in range(quota)]
        context = opening_context(genesis, key.task, key.day, who)
        if not verify_tags(own, bases, tags, context, proof):
            raise alias_events.BadTagProof
        for number, each in unopened:
            arena.submissions.put((key.task, number), replace(each, owner=who))
            self.submitting.let_stand(key.task, who, number)
            arena.deposit_event(alias_events.AliasOpened(key.task, key.day, number, who))

    def _open_day(self, task: int) -> int | None:
        """Whose aliases are opened today; None on the last day but one."""
        today, final = self.arena.today(), self.arena.tasks.get_task(task).final_day()
        if today == final:
            return final - 1
        return None if today == final - 1 else today
