"""Masked rounds: the sum comes out whoever drops out, and is proved over masked commitments."""

from __future__ import annotations

import random

import pytest
import torch
from nacl.signing import SigningKey

from ml.zk.masks import MODULUS, masked_update, own_mask, pair_mask, unmask
from ml.zk.openings import add_up, commit, fresh_opening, is_opening
from ml.zk.prover import prove_aggregation
from runtime.primitives import vrf
from runtime.primitives.curve import base_mul
from runtime.primitives.zk_aggregation import OFFSET, is_statement, verify_aggregation
from runtime.primitives.zk_shares import deal, mask_secrets, open_piece, prove_common, recover
from runtime.primitives.zk_transcript import Statement
from tests.zk_world import client_of, context_of, small_setup

PARAMETERS = 9


def seed_of(place: int) -> bytes:
    return bytes((place + 1,)) * 32


def updates_of(count: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    shape = (PARAMETERS,)
    return [
        torch.randint(-32768, 32768, shape, dtype=torch.int16, generator=generator)
        for _ in range(count)
    ]


def secrets_of(count: int) -> list[tuple[bytes, bytes]]:
    return [mask_secrets(b"\x77" + bytes((place,)) * 31) for place in range(count)]


def weighted(updates: list[torch.Tensor], weights: list[int], places: list[int]) -> torch.Tensor:
    return sum(
        ((updates[at].to(torch.int64) + OFFSET) * weights[at] for at in places),
        start=torch.zeros(PARAMETERS, dtype=torch.int64),
    )


@pytest.mark.parametrize("absent", [[], [0], [9], [2, 7], [0, 1, 2]])
def test_the_sum_of_those_that_are_there(absent: list[int]) -> None:
    updates, secrets = updates_of(10), secrets_of(10)
    weights = [1 + 500 * place for place in range(10)]
    keys = {place: base_mul(pair) for place, (_, pair) in enumerate(secrets)}
    masked = [masked_update(updates[at], weights[at], secrets[at], at, keys) for at in range(10)]
    there = [place for place in range(10) if place not in absent]
    total = torch.stack([masked[place] for place in there]).sum(0)
    own = {place: secrets[place][0] for place in there}
    pair = {place: secrets[place][1] for place in absent}
    assert torch.equal(unmask(total, keys, own, pair), weighted(updates, weights, there))
    with pytest.raises(AssertionError, match="both secrets of a client"):
        unmask(total, keys, own, {**pair, there[0]: secrets[there[0]][1]})
    with pytest.raises(AssertionError, match="each client is in the sum, or is not"):
        unmask(total, keys, dict(list(own.items())[1:]), pair)


def test_extreme_updates_and_weights_do_not_wrap() -> None:
    """Σ a_i < 2^16 and u < 2^16: the sum is below 2^32."""
    secrets, weights = secrets_of(3), [32_000, 33_000, 535]
    keys = {place: base_mul(pair) for place, (_, pair) in enumerate(secrets)}
    for value in (-32768, 32767):
        update = torch.full((PARAMETERS,), value, dtype=torch.int16)
        masked = [masked_update(update, weights[at], secrets[at], at, keys) for at in range(3)]
        assert all(int(each.min()) >= 0 and int(each.max()) < MODULUS for each in masked)
        total = unmask(sum(masked), keys, {at: secrets[at][0] for at in range(3)}, {})  # type: ignore[arg-type]
        assert total.tolist() == [(value + OFFSET) * 65_535] * PARAMETERS


def test_a_masked_update_tells_nothing_without_both_secrets() -> None:
    """With s of a client that is there, or b of one that is not, its numbers still are masked."""
    updates, secrets = updates_of(3), secrets_of(3)
    keys = {place: base_mul(pair) for place, (_, pair) in enumerate(secrets)}
    masked = masked_update(updates[0], 1, secrets[0], 0, keys)
    plain = updates[0].to(torch.int64) + OFFSET
    without_own = (masked - own_mask(secrets[0][0], PARAMETERS)) % MODULUS
    masks = [pair_mask(secrets[0][1], keys[other], PARAMETERS) for other in (1, 2)]
    without_pairs = (masked - masks[0] - masks[1]) % MODULUS
    for left in (masked, without_own, without_pairs):
        assert not bool((left == plain).any())
    assert torch.equal((without_own - masks[0] - masks[1]) % MODULUS, plain)


def test_masks_are_shared_and_even() -> None:
    (_, first), (_, second) = secrets_of(2)
    mask = pair_mask(first, base_mul(second), 40_000)
    assert torch.equal(mask, pair_mask(second, base_mul(first), 40_000))
    assert abs(float(mask.double().mean()) / 2**31 - 1) < 0.02
    assert (int(mask.min()) < 2**20, int(mask.max()) > 2**32 - 2**20) == (True, True)


def test_two_of_ten_drop_out_and_the_proved_sum_is_unmasked() -> None:
    """From the deals, through commitments and the proof, to the sum that recipients check."""
    count, gone = 10, [3, 8]
    setup, updates = small_setup(), updates_of(count)
    receivers = [bytes(SigningKey(seed_of(place)).verify_key) for place in range(count)]
    deals = [deal(b"\x77" + bytes((at,)) * 31, receivers, b"round") for at in range(count)]
    keys = {place: each.pair_point for place, each in enumerate(deals)}
    weights, secrets = [10 + place for place in range(count)], secrets_of(count)
    there = [place for place in range(count) if place not in gone]
    context = context_of(setup, PARAMETERS)
    openings, clients = [], []
    for at in there:
        masked = masked_update(updates[at], weights[at], secrets[at], at, keys)
        openings.append(fresh_opening(masked, setup))
        clients.append(client_of(at, context, 1, commit(openings[-1], setup)))
    statement = Statement(context, tuple(clients))
    proof = prove_aggregation(statement, openings, setup)
    assert is_statement(statement, setup)
    assert verify_aggregation(statement, proof, setup)
    total = add_up(openings, [1] * len(there))
    assert int(total.numbers.max()) >= MODULUS
    assert is_opening(statement.totals, total, setup)
    own, pair = {}, {}
    for dealer, posted in enumerate(deals):
        kind = "own" if dealer in there else "pair"
        shares = {}
        for place in random.Random(dealer).sample(there, 7):
            secret = vrf.secret_scalar(seed_of(place))
            opened = open_piece(posted, place, prove_common(secret, posted, b"round", b"e")[0])
            shares[place] = getattr(opened, kind)
        (own if kind == "own" else pair)[dealer] = recover(shares)
    assert torch.equal(unmask(total.numbers, keys, own, pair), weighted(updates, weights, there))
