"""What the arena tells of rings and aliases, and why it refuses what they do.

Source: WP V.B (blind validation), Table I.
"""

from __future__ import annotations

from runtime import frame
from runtime.primitives.types import U32, AccountId, Bytes32


@frame.event(14)
class RingKeySet:
    """From `from_day` on `who` submits, if it wants to, as one of a ring with `key` in it."""

    who: AccountId
    key: Bytes32
    from_day: U32


@frame.event(15)
class RingsDealt:
    """So many nodes may submit under aliases today."""

    task: U32
    day: U32
    members: U32


@frame.event(16)
class AliasOpened:
    """A submission of that day is `owner`'s."""

    task: U32
    day: U32
    submission: U32
    owner: AccountId


@frame.event(17)
class NodesHeld:
    """The nodes of that day are ranked and paid with the next: they may still open aliases."""

    task: U32
    day: U32


@frame.event(18)
class HeldSettled:
    """The nodes of a day that was held are paid."""

    task: U32
    day: U32


class BadRingKey(frame.ModuleError, index=21):
    """The proof does not show that the account has the secret of this ring key."""


class RingKeyTaken(frame.ModuleError, index=22):
    """Another account has this ring key."""


class AliasTaken(frame.ModuleError, index=23):
    """The alias was used today. Make a fresh one for each submission."""


class NoSuchRing(frame.ModuleError, index=25):
    """There is no such ring today, or it has another number of keys."""


class NotOpenedToday(frame.ModuleError, index=26):
    """Aliases are opened on their day, those of the last day but one on the final day."""


class NotOnTheRoll(frame.ModuleError, index=27):
    """The account's ring key is not among those that could use aliases that day."""


class WrongTags(frame.ModuleError, index=28):
    """All tags of the day are shown, one for each alias that the account might have used."""


class NothingToOpen(frame.ModuleError, index=29):
    """None of these tags made a submission that is not opened yet."""


class BadTagProof(frame.ModuleError, index=30):
    """The proof does not show that all of these tags are the account's."""
