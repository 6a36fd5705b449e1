"""The lottery of slots: who may author when, proved by a VRF.

Owns the claims. A primary slot is won when the first 16 bytes of the VRF output, little endian, lie
below 2^128 * (1 - (1 - c)^theta), theta the authority's share of the weight and c = 1/4; besides,
each slot has one secondary author, so that no slot is empty by bad luck. Invariant: the threshold
is the floor of the exact real number, computed in integers: clients that use doubles may differ on
a block once in 2^53, which is a fork.
Source: WP VI.B (VRF); Ouroboros Praos 3.2 (independent aggregation of (1 - c)^theta); RFC 9381.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from flockchain.consensus.babe.epochs import Epoch
from runtime.primitives.babe_digest import SlotClaim, SlotKind
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.intervals import compute_exp_bounds, compute_ln_bounds
from runtime.primitives.types import Hash
from runtime.primitives.vrf import verify

PRIMARY_NUMERATOR: Final = 1
PRIMARY_DENOMINATOR: Final = 4
"""c, the chance that a slot has a primary author at all, is 1/4: few slots have two."""
LOTTERY_BITS: Final = 128
SLOTS_AHEAD_MAX: Final = 1
"""A block this many slots ahead of our clock waits; one further ahead is refused."""

_THRESHOLDS_MAX: Final = 4_096


class InvalidClaim(ValueError):
    """The slot was not its author's; the subclass and message say why."""


class UnknownAuthority(InvalidClaim):
    """The claim's authority index is beyond the epoch's list."""


class BadProof(InvalidClaim):
    """The VRF proof does not verify, or the output is not the proof's."""


class LotteryLost(InvalidClaim):
    """A primary claim whose output is not below the authority's threshold."""


class NotSecondaryAuthor(InvalidClaim):
    """A secondary claim of another authority than the slot's."""


class SlotNotRising(InvalidClaim):
    """The slot is not above the parent's."""


class SlotInFuture(InvalidClaim):
    """The slot is too far ahead of our clock."""


@dataclass(frozen=True, slots=True)
class VrfKey:
    """An authoring key; `prove` takes alpha and gives an 80-byte proof of what `evaluate` gives."""

    public: bytes
    prove: Callable[[bytes], bytes]
    evaluate: Callable[[bytes], bytes]


def make_alpha(randomness: Hash, epoch: int, slot: int) -> bytes:
    """What a claim proves: 48 bytes, randomness ‖ epoch u64 ‖ slot u64, little endian."""
    return randomness + epoch.to_bytes(8, "little") + slot.to_bytes(8, "little")


@lru_cache(maxsize=_THRESHOLDS_MAX)
def compute_threshold(weight: int, total: int) -> int:
    """Floor of 2^128 * (1 - (1 - c)^(weight / total)). About 0.1 ms, kept per argument.

    Raises: ValueError unless 0 <= weight <= total and total > 0.
    """
    if not 0 <= weight <= total or total == 0:
        raise ValueError(f"weight {weight} of {total}")
    if weight == 0:
        return 0
    if weight == total:
        return (PRIMARY_NUMERATOR << LOTTERY_BITS) // PRIMARY_DENOMINATOR
    # Otherwise the number is irrational, so its floor is settled at some precision.
    precision = 2 * LOTTERY_BITS
    while True:
        low, high = _threshold_bounds(weight, total, precision)
        if low == high:
            return low
        precision *= 2


def secondary_author(randomness: Hash, slot: int, authorities: int) -> int:
    """Index of the slot's fallback author among `authorities`, the hash read big endian."""
    digest = blake2b_256(randomness + slot.to_bytes(8, "little"))
    return int.from_bytes(digest, "big") % authorities


def claim_slot(slot: int, epoch: Epoch, keys: Iterable[VrfKey]) -> tuple[SlotClaim, VrfKey] | None:
    """Our right to author in `slot`, with the key that has it; primary before secondary."""
    data = epoch.data
    alpha = make_alpha(data.randomness, epoch.index, slot)
    fallback = secondary_author(data.randomness, slot, len(data.authorities))
    own = {key.public: key for key in keys}
    secondary: tuple[SlotClaim, VrfKey] | None = None
    for index, authority in enumerate(data.authorities):
        key = own.get(authority.key)
        if key is None:
            continue
        # Most slots are not ours: only those that are need a proof.
        output = key.evaluate(alpha)
        if _is_won(output, authority.weight, data.total_weight):
            return SlotClaim(SlotKind.PRIMARY, index, slot, output, key.prove(alpha)), key
        if index == fallback:
            secondary = SlotClaim(SlotKind.SECONDARY, index, slot, output, b""), key
    if secondary is None:
        return None
    claim, key = secondary
    return replace(claim, vrf_proof=key.prove(alpha)), key


def check_claim(claim: SlotClaim, epoch: Epoch) -> None:
    """Check that the authority had the slot, in `epoch`, which the parent state gave.

    Raises: UnknownAuthority; NotSecondaryAuthor; BadProof; LotteryLost.
    """
    data = epoch.data
    if claim.authority_index >= len(data.authorities):
        raise UnknownAuthority(
            f"authority {claim.authority_index}, epoch {epoch.index} has {len(data.authorities)}"
        )
    if claim.kind is SlotKind.SECONDARY:
        fallback = secondary_author(data.randomness, claim.slot, len(data.authorities))
        if claim.authority_index != fallback:
            raise NotSecondaryAuthor(
                f"authority {claim.authority_index} in slot {claim.slot} of {fallback}"
            )
    authority = data.authorities[claim.authority_index]
    alpha = make_alpha(data.randomness, epoch.index, claim.slot)
    if verify(authority.key, claim.vrf_proof, alpha) != claim.vrf_output:
        raise BadProof(f"authority {claim.authority_index} in slot {claim.slot}")
    is_primary = claim.kind is SlotKind.PRIMARY
    if is_primary and not _is_won(claim.vrf_output, authority.weight, data.total_weight):
        raise LotteryLost(f"authority {claim.authority_index} in slot {claim.slot}")


def check_slot(slot: int, parent_slot: int | None, clock_slot: int) -> None:
    """Check a block's slot against its parent's and our clock; None: the parent is genesis.

    A block of the next slot passes, and is to be held until its slot begins.
    Raises: SlotNotRising; SlotInFuture.
    """
    if parent_slot is not None and slot <= parent_slot:
        raise SlotNotRising(f"slot {slot} is not above the parent's slot {parent_slot}")
    if slot > clock_slot + SLOTS_AHEAD_MAX:
        raise SlotInFuture(f"slot {slot}, the clock is in slot {clock_slot}")


def _is_won(output: bytes, weight: int, total: int) -> bool:
    draw = int.from_bytes(output[: LOTTERY_BITS // 8], "little")
    return draw < compute_threshold(weight, total)


def _threshold_bounds(weight: int, total: int, precision: int) -> tuple[int, int]:
    """Floors of the lower and upper bound of the threshold at a working precision in bits."""
    one_low, one_high = compute_ln_bounds(PRIMARY_DENOMINATOR, precision)
    rest_low, rest_high = compute_ln_bounds(PRIMARY_DENOMINATOR - PRIMARY_NUMERATOR, precision)
    # theta * ln(1 - c) < 0: the exponent whose exponential is the chance to lose.
    exponent_low = (rest_low - one_high) * weight // total
    exponent_high = -((one_low - rest_high) * weight // total)
    (low, high), shift = compute_exp_bounds((exponent_low, exponent_high), precision)
    scale = precision - shift - LOTTERY_BITS
    lost_low, lost_high = low >> scale, -(-high >> scale)
    one = 1 << LOTTERY_BITS
    # floor(one - x) is one - ceil(x).
    return one - lost_high, one - (lost_low + 1)
