"""What a proof is not: every altered statement and proof is refused."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import pytest
from py_arkworks_bls12381 import G1Point, Scalar
from py_ecc.bls.point_compression import compress_G1
from py_ecc.optimized_bls12_381 import FQ, curve_order, field_modulus, is_inf, multiply

from ml.zk.openings import Opening
from ml.zk.prover import prove_aggregation
from runtime.primitives.zk_aggregation import (
    WEIGHTS_MAX,
    hash_of_commitments,
    hash_of_sum,
    is_admissible,
    is_statement,
    verify_aggregation,
)
from runtime.primitives.zk_points import ORDER, compress
from runtime.primitives.zk_transcript import Commitments, Statement
from tests.zk_world import ProvedRound, client_of, proved_round, small_setup

INFINITY = b"\xc0" + bytes(47)


@pytest.fixture(scope="module")
def proved() -> ProvedRound:
    return proved_round(small_setup())


def is_accepted(proved: ProvedRound, statement: Statement, proof: bytes) -> bool:
    """As the chain does it: admission, then the proof."""
    if not is_statement(statement, proved.setup):
        return False
    return verify_aggregation(statement, proof, proved.setup)


def with_clients(proved: ProvedRound, clients: list[Commitments]) -> Statement:
    return Statement(proved.statement.context, tuple(clients))


def signed_anew(proved: ProvedRound, place: int, **changes: object) -> Statement:
    """The statement with a client that signed other commitments or another weight."""
    clients = list(proved.statement.clients)
    old = clients[place]
    points = changes.get("points", old.points)
    weight = changes.get("weight", old.weight)
    assert isinstance(points, tuple)
    assert isinstance(weight, int)
    clients[place] = client_of(place, proved.statement.context, weight, points)
    return with_clients(proved, clients)


def off_subgroup() -> bytes:
    """A point of the curve outside the subgroup of prime order."""
    x = 1
    while True:
        square = (x**3 + 4) % field_modulus
        y = pow(square, (field_modulus + 1) // 4, field_modulus)
        point = (FQ(x), FQ(y), FQ(1))
        if y * y % field_modulus == square and not is_inf(multiply(point, curve_order)):
            return int(compress_G1(point)).to_bytes(48, "big")
        x += 1


def test_the_proof_itself_is_accepted(proved: ProvedRound) -> None:
    assert is_accepted(proved, proved.statement, proved.proof)


def test_dropped_inserted_replaced_or_swapped_clients(proved: ProvedRound) -> None:
    first, second, third = proved.statement.clients
    stranger = client_of(3, proved.statement.context, 1, first.points)
    sets = [
        [second, third],
        [first, second],
        [first, second, third, stranger],
        [first, second, second, third],
        [second, first, third],
        [first, second, replace(third, id=stranger.id)],
        [first, second, replace(third, key=stranger.key)],
        [],
    ]
    assert [is_accepted(proved, with_clients(proved, each), proved.proof) for each in sets] == (
        [False] * len(sets)
    )
    for place in range(3):
        swapped = signed_anew(proved, place, points=first.points[::-1])
        assert not is_accepted(proved, swapped, proved.proof)


def test_a_proof_of_another_round_task_or_chain(proved: ProvedRound) -> None:
    context = proved.statement.context
    others = [
        replace(context, chain=b"\x12" * 32),
        replace(context, task=2),
        replace(context, round=3),
        replace(context, base=b"\x23" * 32),
        replace(context, scale=1 << 13),
        replace(context, parameters=10),
        replace(context, setup=b"\x33" * 32),
    ]
    for other in others:
        replayed = Statement(other, proved.statement.clients)
        assert not is_accepted(proved, replayed, proved.proof)
        signed = [
            client_of(place, other, each.weight, each.points)
            for place, each in enumerate(proved.statement.clients)
        ]
        # The base model is in what clients sign, and by that in what a proof depends on.
        assert not is_accepted(proved, Statement(other, tuple(signed)), proved.proof)


def test_wrong_weights(proved: ProvedRound) -> None:
    for place, weight in ((0, 2), (2, 999)):
        assert not is_accepted(proved, signed_anew(proved, place, weight=weight), proved.proof)
    for weight in (0, WEIGHTS_MAX + 1):
        changed = signed_anew(proved, 0, weight=weight)
        assert not is_admissible(changed.context, changed.clients[0], proved.setup)
    for weight, is_right in ((WEIGHTS_MAX - 1003, True), (WEIGHTS_MAX - 1002, False)):
        changed = signed_anew(proved, 0, weight=weight)
        assert is_statement(changed, proved.setup) == is_right


@pytest.mark.parametrize("client", [0, 1, 2])
def test_an_aggregator_that_knows_other_numbers_or_blinders(
    proved: ProvedRound, client: int
) -> None:
    openings = list(proved.openings)
    numbers = openings[client].numbers.clone()
    numbers[8] += 1
    openings[client] = Opening(numbers, openings[client].blinders)
    forged = prove_aggregation(proved.statement, openings, proved.setup)
    assert not is_accepted(proved, proved.statement, forged)
    rows = proved.openings[client].blinders
    openings[client] = Opening(
        proved.openings[client].numbers, (((rows[0][0] + 1) % ORDER, *rows[0][1:]), *rows[1:])
    )
    forged = prove_aggregation(proved.statement, openings, proved.setup)
    assert not is_accepted(proved, proved.statement, forged)


def bad_points() -> list[tuple[str, bytes]]:
    point = compress(G1Point() * Scalar(5))
    second = bytes((point[0] | 0x40,)) + point[1:]
    too_large = bytearray(field_modulus.to_bytes(48, "big"))
    too_large[0] |= 0x80
    return [
        ("infinity", INFINITY),
        ("infinity of another form", b"\xe0" + bytes(47)),
        ("infinity with a coordinate", b"\xc0" + bytes(46) + b"\x01"),
        ("off the subgroup", off_subgroup()),
        ("off the curve", b"\x80" + bytes(46) + b"\x05"),
        ("a coordinate that is the modulus", bytes(too_large)),
        ("a point with the flag of infinity", second),
        ("uncompressed", bytes((point[0] & 0x7F,)) + point[1:]),
        ("short", point[:-1]),
        ("long", point + b"\0"),
        ("nothing", b""),
    ]


@pytest.mark.parametrize(("name", "point"), bad_points(), ids=lambda each: str(each)[:40])
def test_points_that_are_not_let_in(proved: ProvedRound, name: str, point: bytes) -> None:
    for chunk in range(3):
        points = list(proved.statement.clients[1].points)
        points[chunk] = point
        changed = signed_anew(proved, 1, points=tuple(points))
        assert not is_admissible(changed.context, changed.clients[1], proved.setup), name
    assert not is_accepted(proved, proved.statement, point + proved.proof[48:])


def test_wrong_numbers_of_commitments(proved: ProvedRound) -> None:
    points = proved.statement.clients[0].points
    for changed in (points[:2], (*points, points[0]), ()):
        statement = signed_anew(proved, 0, points=changed)
        assert not is_accepted(proved, statement, proved.proof)


def test_values_that_are_not_canonical(proved: ProvedRound) -> None:
    value = int.from_bytes(proved.proof[48:], "big")
    for other in (value + 1, value + ORDER, ORDER, 2**256 - 1, 0):
        if other < 2**256:
            proof = proved.proof[:48] + other.to_bytes(32, "big")
            assert not is_accepted(proved, proved.statement, proof)
    for proof in (proved.proof[:-1], proved.proof + b"\0", b""):
        assert not is_accepted(proved, proved.statement, proof)


def test_the_hash_of_the_sum_is_of_all_its_commitments(proved: ProvedRound) -> None:
    totals = proved.statement.totals
    assert hash_of_sum(proved.statement) == hash_of_commitments(totals)
    for chunk in range(3):
        other = (*totals[:chunk], totals[chunk - 1], *totals[chunk + 1 :])
        assert hash_of_commitments(other) != hash_of_sum(proved.statement)


def flip(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def flips_of_client(client: Commitments) -> Iterator[Commitments]:
    """Each with one bit flipped of what the chain holds of a client."""
    for bit in range(256):
        yield replace(client, id=flip(client.id, bit))
        yield replace(client, key=flip(client.key, bit))
    for bit in range(512):
        yield replace(client, signature=flip(client.signature, bit))
    for bit in range(17):
        yield replace(client, weight=client.weight ^ 1 << bit)
    for chunk, point in enumerate(client.points):
        before, after = client.points[:chunk], client.points[chunk + 1 :]
        for bit in range(384):
            yield replace(client, points=(*before, flip(point, bit), *after))


def statements_with_a_bit_flipped(proved: ProvedRound) -> Iterator[Statement]:
    clients, context = proved.statement.clients, proved.statement.context
    for place, client in enumerate(clients):
        for changed in flips_of_client(client):
            yield Statement(context, (*clients[:place], changed, *clients[place + 1 :]))
    for bit in range(256):
        for name in ("chain", "base", "setup"):
            other = replace(context, **{name: flip(getattr(context, name), bit)})
            yield Statement(other, clients)
    for bit in range(32):
        for name in ("task", "round", "parameters", "scale"):
            other = replace(context, **{name: getattr(context, name) ^ 1 << bit})
            yield Statement(other, clients)


def ensure_all_are_refused(proved: ProvedRound, step: int) -> int:
    """How many mutations were tried: each `step`-th bit of everything."""
    tried = 0
    for bit in range(0, 8 * len(proved.proof), step):
        assert not is_accepted(proved, proved.statement, flip(proved.proof, bit)), f"bit {bit}"
        tried += 1
    for place, changed in enumerate(islice(statements_with_a_bit_flipped(proved), 0, None, step)):
        assert not is_accepted(proved, changed, proved.proof), f"change {place}"
        tried += 1
    return tried


def ensure_random_ones_are_refused(proved: ProvedRound, count: int) -> None:
    """Proofs with bytes put, cut, doubled and swapped at random, and of random numbers."""
    source = random.Random(11)
    for _ in range(count):
        proof = bytearray(proved.proof)
        for _ in range(source.randint(1, 4)):
            proof[source.randrange(80)] = source.randrange(256)
        if source.random() < 0.3:
            point = compress(G1Point() * Scalar(source.randrange(1, ORDER)))
            proof[:48] = point
        if source.random() < 0.3:
            proof[48:] = source.randrange(ORDER).to_bytes(32, "big")
        if bytes(proof) != proved.proof:
            assert not is_accepted(proved, proved.statement, bytes(proof))


def test_some_mutations_are_refused(proved: ProvedRound) -> None:
    assert ensure_all_are_refused(proved, 23) > 300
    ensure_random_ones_are_refused(proved, 100)


@pytest.mark.long
def test_ten_thousand_mutations_are_refused() -> None:
    proved, other = proved_round(small_setup()), proved_round(small_setup(is_lagrange=False))
    tried = ensure_all_are_refused(proved, 1) + ensure_all_are_refused(other, 1)
    assert tried > 10_000
    ensure_random_ones_are_refused(proved, 2_000)
