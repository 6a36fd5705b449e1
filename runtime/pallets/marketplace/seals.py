"""What is hashed to seal a rating or a verdict until its window opens, and to draw.

Everything is hashed with the chain's genesis, so no seal and no draw is another chain's.
Source: WP V.D (commit and reveal).
"""

from __future__ import annotations

from runtime.pallets.marketplace.case_records import VERDICT, Verdict
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.types import AccountId, Hash

_RATING = b"flockchain/rating/v1"
_VERDICT = b"flockchain/verdict/v1"
_SAMPLE = b"flockchain/raters/v1"


def seal_rating(
    genesis: Hash, caller: AccountId, host: AccountId, day: int, rating: int, salt: bytes
) -> Hash:
    """The seal of a rating in [0, 10^9] of a host's day; `salt` has 32 bytes."""
    numbers = day.to_bytes(4, "little") + rating.to_bytes(4, "little")
    return blake2b_256(_RATING + genesis + caller + host + numbers + salt)


def seal_verdict(genesis: Hash, case: int, juror: AccountId, verdict: Verdict, salt: bytes) -> Hash:
    """The seal of a juror's verdict; `salt` has 32 bytes."""
    number = case.to_bytes(4, "little")
    return blake2b_256(_VERDICT + genesis + number + juror + VERDICT.encode(verdict) + salt)


def draw_number(
    parent: Hash, output: bytes, host: AccountId, caller: AccountId, payments: int
) -> int:
    """A number of 256 bits for a payer of a host, from the block that it is settled in."""
    place = payments.to_bytes(4, "little")
    return int.from_bytes(blake2b_256(_SAMPLE + parent + output + host + caller + place), "little")
