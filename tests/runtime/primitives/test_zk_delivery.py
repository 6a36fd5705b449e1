"""Openings on their way to the aggregator: it alone reads them, and can show what it read."""

from __future__ import annotations

from dataclasses import replace

from runtime.primitives import vrf
from runtime.primitives.curve import base_mul, hash_to_point, hash_to_scalar
from runtime.primitives.merkle import tree_root
from runtime.primitives.zk_delivery import (
    Chunk,
    deliver,
    is_delivery,
    is_shared,
    open_piece,
    prove_shared,
    share,
)
from runtime.primitives.zk_points import ORDER

SEED = b"\x05" * 32
CHUNKS = [Chunk([1, 2, 65_535], [3, 4, 5, ORDER - 1]), Chunk([7], [0, 0, 0, 1])]
SECRET = hash_to_scalar(b"tests", b"ephemeral")
DELIVERY, PIECES = deliver(CHUNKS, vrf.public_key(SEED), b"context", SECRET)


def test_the_aggregator_reads_what_was_sent() -> None:
    secret = vrf.secret_scalar(SEED)
    assert base_mul(secret) == vrf.public_key(SEED)
    shared = share(secret, DELIVERY)
    assert DELIVERY.root == tree_root(PIECES)
    assert open_piece(PIECES[0], 0, DELIVERY, shared, 3) == CHUNKS[0]
    assert open_piece(PIECES[1], 1, DELIVERY, shared, 1) == CHUNKS[1]


def test_what_is_no_chunk() -> None:
    shared = share(vrf.secret_scalar(SEED), DELIVERY)
    assert open_piece(PIECES[0], 1, DELIVERY, shared, 3) is None
    assert open_piece(PIECES[0], 0, DELIVERY, base_mul(SECRET), 3) is None
    assert open_piece(PIECES[0], 0, DELIVERY, shared, 4) is None
    assert open_piece(b"", 0, DELIVERY, shared, 3) is None
    assert open_piece(PIECES[0][:-1] + b"\0\0", 0, DELIVERY, shared, 3) is None
    wide, pieces = deliver([Chunk([1], [0, 0, 0, ORDER])], vrf.public_key(SEED), b"", SECRET)
    assert open_piece(pieces[0], 0, wide, share(vrf.secret_scalar(SEED), wide), 1) is None


def test_a_client_knows_the_logarithm_of_its_point() -> None:
    assert is_delivery(DELIVERY, b"context")
    assert not is_delivery(DELIVERY, b"another")
    point = hash_to_point(b"a point of which nobody knows the logarithm")
    for changed in (
        replace(DELIVERY, ephemeral=point),
        replace(DELIVERY, ephemeral=b"\xff" * 32),
        replace(DELIVERY, ephemeral=bytes(32)),
        replace(DELIVERY, root=b"\x01" * 32),
        replace(DELIVERY, challenge=bytes(32)),
        replace(DELIVERY, response=b"\xff" * 32),
        replace(DELIVERY, response=DELIVERY.challenge),
    ):
        assert not is_delivery(changed, b"context")


def test_the_shared_point_is_proved() -> None:
    secret, key = vrf.secret_scalar(SEED), vrf.public_key(SEED)
    shared, proof = prove_shared(secret, DELIVERY, b"context", b"entropy")
    assert is_shared(key, DELIVERY, b"context", shared, proof)
    assert not is_shared(key, DELIVERY, b"another", shared, proof)
    assert not is_shared(key, DELIVERY, b"context", key, proof)
    assert not is_shared(vrf.public_key(b"\x06" * 32), DELIVERY, b"context", shared, proof)
