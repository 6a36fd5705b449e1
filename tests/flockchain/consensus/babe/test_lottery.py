"""Slot claims: exact thresholds, fair frequencies, and every false claim refused by its rule."""

import random
from dataclasses import replace
from functools import partial

import mpmath
import pytest

from flockchain.consensus.babe.epochs import Epoch, EpochData
from flockchain.consensus.babe.lottery import (
    BadProof,
    LotteryLost,
    NotSecondaryAuthor,
    SlotInFuture,
    SlotNotRising,
    UnknownAuthority,
    VrfKey,
    check_claim,
    check_slot,
    claim_slot,
    compute_threshold,
    make_alpha,
    secondary_author,
)
from runtime.primitives.babe_digest import Authority, SlotClaim, SlotKind
from runtime.primitives.hashing import blake2b_256, sha2_512
from runtime.primitives.types import Hash
from runtime.primitives.vrf import evaluate, proof_to_output, prove, public_key

RANDOMNESS = blake2b_256(b"randomness")
SEEDS = [bytes([n]) * 32 for n in range(1, 5)]
KEYS = [VrfKey(public_key(seed), partial(prove, seed), partial(evaluate, seed)) for seed in SEEDS]
WEIGHTS = [40, 30, 20, 10]
EPOCH = Epoch(
    7,
    EpochData.of(
        [Authority(key.public, weight) for key, weight in zip(KEYS, WEIGHTS, strict=True)],
        RANDOMNESS,
    ),
)


def test_thresholds_are_exact_floors_of_the_60_digit_reference():
    draw = random.Random(1)
    with mpmath.workdps(100):
        for _ in range(400):
            total = draw.randint(1, 2 ** draw.randint(1, 74))
            weight = draw.randint(1, min(total, 2 ** draw.randint(1, 64)))
            won = 1 - mpmath.power(mpmath.mpf(3) / 4, mpmath.mpf(weight) / total)
            exact = won * 2**128
            assert compute_threshold(weight, total) == int(mpmath.floor(exact))
            assert abs(compute_threshold(weight, total) / exact - 1) <= mpmath.mpf(10) ** -12


def test_threshold_at_the_ends():
    assert compute_threshold(0, 9) == 0
    assert compute_threshold(9, 9) == 2**126
    for weight, total in [(2, 1), (-1, 1), (0, 0)]:
        with pytest.raises(ValueError, match=f"^weight {weight} of {total}$"):
            compute_threshold(weight, total)


def test_splitting_weight_leaves_the_chance_as_it_was():
    whole = 2**128 - compute_threshold(30, 100)
    halves = (2**128 - compute_threshold(15, 100)) ** 2 >> 128
    assert abs(whole - halves) <= 2


def test_thresholds_rise_with_the_weight():
    thresholds = [compute_threshold(weight, 1_000) for weight in range(1_001)]
    assert thresholds == sorted(set(thresholds))


def test_frequencies_follow_the_threshold():
    draws, total = 20_000, 100
    for weight in (10, 30, 100):
        threshold = compute_threshold(weight, total)
        wins = sum(
            int.from_bytes(sha2_512(bytes([weight]) + n.to_bytes(4, "little"))[:16], "little")
            < threshold
            for n in range(draws)
        )
        chance = 1 - 0.75 ** (weight / total)
        deviation = (draws * chance * (1 - chance)) ** 0.5
        assert abs(wins - draws * chance) < 4 * deviation


def test_alpha_is_randomness_epoch_slot():
    assert make_alpha(RANDOMNESS, 1, 258) == RANDOMNESS + b"\1" + bytes(7) + b"\2\1" + bytes(6)


def test_each_slot_has_one_fallback_author():
    drawn = [secondary_author(RANDOMNESS, slot, 4) for slot in range(2_000)]
    assert set(drawn) == {0, 1, 2, 3}
    assert all(430 < drawn.count(index) < 570 for index in range(4))
    digest = blake2b_256(RANDOMNESS + (5).to_bytes(8, "little"))
    assert drawn[5] == int.from_bytes(digest, "big") % 4


def test_every_slot_is_claimed_and_every_claim_checks():
    kinds = []
    for slot in range(60):
        claims = [claim_slot(slot, EPOCH, [key]) for key in KEYS]
        made = [claim for claim in claims if claim is not None]
        for claim, key in made:
            check_claim(claim, EPOCH)
            assert EPOCH.data.authorities[claim.authority_index].key == key.public
            kinds.append(claim.kind)
        assert made
        assert sum(claim.kind is SlotKind.SECONDARY for claim, _ in made) <= 1
    assert 5 < kinds.count(SlotKind.PRIMARY) < 30


def test_a_node_with_all_keys_prefers_a_primary_claim():
    slot = next(
        slot for slot in range(100) if (made := claim_slot(slot, EPOCH, [KEYS[0]])) is not None
        and made[0].kind is SlotKind.PRIMARY
    )  # fmt: skip
    claim, key = claim_slot(slot, EPOCH, reversed(KEYS)) or pytest.fail("no claim")
    assert claim.kind is SlotKind.PRIMARY
    assert key.public == EPOCH.data.authorities[claim.authority_index].key


def test_a_stranger_has_no_slot():
    stranger = bytes([9]) * 32
    key = VrfKey(public_key(stranger), partial(prove, stranger), partial(evaluate, stranger))
    assert all(claim_slot(slot, EPOCH, [key]) is None for slot in range(20))


def false_claim(kind: SlotKind, index: int, slot: int, seed: bytes | None = None) -> SlotClaim:
    proof = prove(seed or SEEDS[index], make_alpha(RANDOMNESS, 7, slot))
    output = proof_to_output(proof)
    assert output is not None
    return SlotClaim(kind, index, slot, output, proof)


def lost_slot(index: int) -> int:
    """A slot in which authority `index` has no claim at all."""
    return next(slot for slot in range(100) if claim_slot(slot, EPOCH, [KEYS[index]]) is None)


def test_false_claims_are_refused():
    slot = lost_slot(3)
    with pytest.raises(LotteryLost, match=f"^authority 3 in slot {slot}$"):
        check_claim(false_claim(SlotKind.PRIMARY, 3, slot), EPOCH)
    fallback = secondary_author(RANDOMNESS, slot, 4)
    with pytest.raises(NotSecondaryAuthor, match=f"^authority 3 in slot {slot} of {fallback}$"):
        check_claim(false_claim(SlotKind.SECONDARY, 3, slot), EPOCH)
    claim = false_claim(SlotKind.SECONDARY, fallback, slot)
    check_claim(claim, EPOCH)
    with pytest.raises(UnknownAuthority, match=r"^authority 4, epoch 7 has 4$"):
        check_claim(replace(claim, kind=SlotKind.PRIMARY, authority_index=4), EPOCH)
    with pytest.raises(BadProof):
        check_claim(false_claim(SlotKind.SECONDARY, fallback, slot, bytes(32)), EPOCH)
    with pytest.raises(BadProof):
        check_claim(replace(claim, vrf_output=bytes(64)), EPOCH)
    with pytest.raises(BadProof):
        check_claim(claim, Epoch(8, EPOCH.data))
    other = EpochData.of(EPOCH.data.authorities, Hash(bytes(32)))
    with pytest.raises((BadProof, NotSecondaryAuthor)):
        check_claim(claim, Epoch(7, other))


def test_no_flipped_bit_of_a_proof_is_accepted():
    slot = lost_slot(3)
    claim = false_claim(SlotKind.SECONDARY, secondary_author(RANDOMNESS, slot, 4), slot)
    for position in range(0, 640, 7):
        proof = bytearray(claim.vrf_proof)
        proof[position // 8] ^= 1 << position % 8
        with pytest.raises(BadProof):
            check_claim(replace(claim, vrf_proof=bytes(proof)), EPOCH)


def test_slots_rise_and_come_at_most_one_ahead():
    check_slot(11, 10, clock_slot=10)
    check_slot(0, None, clock_slot=0)
    with pytest.raises(SlotNotRising, match=r"^slot 10 is not above the parent's slot 10$"):
        check_slot(10, 10, clock_slot=10)
    with pytest.raises(SlotInFuture, match=r"^slot 12, the clock is in slot 10$"):
        check_slot(12, 10, clock_slot=10)
