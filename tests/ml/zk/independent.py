"""A second verifier of zkAgg-v1, by py_ecc and hashlib and nothing of ours, after docs/zk.md."""

from __future__ import annotations

import hashlib
from functools import reduce

from py_ecc.bls.point_compression import decompress_G1
from py_ecc.bls.typing import G1Compressed
from py_ecc.optimized_bls12_381 import (
    G1,
    G2,
    add,
    curve_order,
    field_modulus,
    is_inf,
    multiply,
    neg,
    normalize,
    pairing,
)
from py_ecc.typing import Optimized_Point3D


def framed(*parts: bytes | int) -> bytes:
    joined = b""
    for part in parts:
        if isinstance(part, int):
            joined += part.to_bytes(4, "little")
        else:
            joined += len(part).to_bytes(8, "little") + part
    return joined


def read(point: bytes) -> Optimized_Point3D:
    found = decompress_G1(G1Compressed(int.from_bytes(point, "big")))
    assert not is_inf(found)
    assert is_inf(multiply(found, curve_order))
    return found


def write(point: Optimized_Point3D) -> bytes:
    x, y = (int(each) for each in normalize(point))
    flags = 1 << 383 | (1 << 381 if 2 * y > field_modulus else 0)
    return (x | flags).to_bytes(48, "big")


def accepts(context: tuple, clients: list[tuple], proof: bytes, tau: Optimized_Point3D) -> bool:
    """`context`: chain, task, round, setup, parameters, scale; a client: id, key, weight, points,
    signature. `tau`: [τ]₂. The basis is that of coefficients."""
    chain, task, number, setup, parameters, scale = context
    chunks = len(clients[0][3])
    totals = []
    for chunk in range(chunks):
        parts = [multiply(read(points[chunk]), weight) for _, _, weight, points, _ in clients]
        totals.append(write(reduce(add, parts)))
    message = framed(
        b"zkagg/fs/v1", chain, task, number, setup, parameters, len(clients), chunks, scale
    )
    for name, key, weight, points, signature in clients:
        message += framed(name, key, weight, *points, signature)
    seed = hashlib.sha512(message + framed(*totals)).digest()
    folded = None
    for client, (_, _, _, points, _) in enumerate(clients):
        for chunk, point in enumerate(points):
            digest = hashlib.sha512(framed(seed, b"rho", client, chunk)).digest()
            term = multiply(read(point), int.from_bytes(digest[:16], "little"))
            folded = term if folded is None else add(folded, term)
    at = int.from_bytes(hashlib.sha512(framed(seed, b"z")).digest(), "little") % curve_order
    witness, value = read(proof[:48]), int.from_bytes(proof[48:], "big")
    assert folded is not None
    left = add(add(folded, neg(multiply(G1, value))), multiply(witness, at))
    return value < curve_order and pairing(G2, left) == pairing(tau, witness)
