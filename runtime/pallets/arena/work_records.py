"""What work that takes several blocks keeps from one to the next.

Each is written when a block ends in the middle of a task's day, and gone when that is done. While
any is there nobody swaps a key, so accounts stay what they are.
Source: FRAME (bounded work by a cursor in the state).
"""

from __future__ import annotations

from runtime import frame
from runtime.pallets.arena.key_records import RollMember
from runtime.pallets.arena.records import Juror, RosterEntry
from runtime.primitives.types import U8, U32, U64, AccountId, Balance, Hash


@frame.scale_type
class GatheredEntry:
    """A submission to score, and on how many days its owner was ranked: none but on the last."""

    entry: RosterEntry
    ranked: U32


@frame.scale_type
class Gathering:
    """A roster that is being made: its parts in the order in which they were found."""

    randomness: Hash
    seats: U8
    entries: list[GatheredEntry]
    jurors: list[Juror]


@frame.scale_type
class Original:
    """A submission that later ones are compared with; `owner` none is nobody's but its own."""

    submission: U32
    owner: AccountId | None
    fingerprint: U64


@frame.scale_type
class Part:
    """What one receiver still gets of a payment, planck."""

    who: AccountId
    amount: Balance


@frame.scale_type
class OrderedMember:
    """A member of a roll that is being made, with the hash that rolls are sorted by."""

    order: Hash
    member: RollMember


@frame.scale_type
class RollWork:
    """Rolls that are still to be made today. `beacon` hashes the last reveal window's outputs.

    Of the first of the tasks: how many `nodes` it knew when its roll was begun, none before; after
    which account to go on; and the members so far.
    """

    day: U32
    beacon: Hash
    tasks: list[U32]
    nodes: U32 | None
    after: AccountId | None
    members: list[OrderedMember]
