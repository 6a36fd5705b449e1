"""Small setups of a known τ, clients and statements, for the tests of verifiable aggregation.

Whoever knows τ can prove anything, so these setups are for tests alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from nacl.signing import SigningKey
from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from ml.zk.openings import Opening, commit, opening_of
from ml.zk.prover import prove_aggregation
from runtime.primitives.zk_points import ORDER, compress
from runtime.primitives.zk_setup import Setup, roots_of_unity
from runtime.primitives.zk_transcript import Commitments, RoundContext, Statement, update_message

TAU = 0x1234567890ABCDEF


def small_setup(points: int = 8, *, is_lagrange: bool = True) -> Setup:
    """A setup of so few points of a τ that is known."""
    powers = [pow(TAU, exponent, ORDER) for exponent in range(points)]
    basis = _lagrange_at_tau(points) if is_lagrange else powers
    tau = bytes((G2Point() * Scalar(TAU)).to_compressed_bytes())
    return Setup(_points(basis), _points(powers), tau, is_lagrange)


def _lagrange_at_tau(points: int) -> list[int]:
    scale = (pow(TAU, points, ORDER) - 1) * pow(points, -1, ORDER)
    return [scale * root * pow(TAU - root, -1, ORDER) % ORDER for root in roots_of_unity(points)]


def _points(factors: list[int]) -> bytes:
    return b"".join(compress(G1Point() * Scalar(factor)) for factor in factors)


@dataclass(frozen=True)
class ProvedRound:
    """A round with all that its aggregator knows."""

    setup: Setup
    statement: Statement
    updates: list[torch.Tensor]
    openings: list[Opening]
    proof: bytes


def context_of(setup: Setup, parameters: int, *, task: int = 1, number: int = 2) -> RoundContext:
    return RoundContext(b"\x11" * 32, task, number, b"\x22" * 32, setup.id, parameters, 1 << 14)


def client_of(
    place: int, context: RoundContext, weight: int, points: tuple[bytes, ...]
) -> Commitments:
    """A client with its signature."""
    key = SigningKey(bytes([place + 1]) * 32)
    signature = key.sign(update_message(context, weight, points)).signature
    return Commitments(bytes([place]) * 32, bytes(key.verify_key), weight, points, signature)


def proved_round(
    setup: Setup, parameters: int = 9, weights: tuple[int, ...] = (1, 3, 1000)
) -> ProvedRound:
    """Random updates of that many clients, committed to, signed and proved."""
    generator = torch.Generator().manual_seed(7)
    context = context_of(setup, parameters)
    updates, openings, clients = [], [], []
    for place, weight in enumerate(weights):
        update = torch.randint(-32768, 32768, (parameters,), dtype=torch.int16, generator=generator)
        opening = opening_of(update, setup)
        updates.append(update)
        openings.append(opening)
        clients.append(client_of(place, context, weight, commit(opening, setup)))
    statement = Statement(context, tuple(clients))
    proof = prove_aggregation(statement, openings, setup)
    return ProvedRound(setup, statement, updates, openings, proof)
