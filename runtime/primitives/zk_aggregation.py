"""zkAgg-v1: check that committed updates were known to whoever proved it, and sum to a commitment.

A proof is 80 bytes: a point and a value. The sum itself is not in it: commitments add up, so the
verifier computes the commitment to the sum, and who is handed a sum recommits it. Proved is that
every commitment of the statement was opened by the prover; the argument for soundness is a sketch
in the algebraic group model with a random oracle. Nothing is said of whether updates are any good.
Invariant: verifying gives True or False for bytes of any length; nothing is raised.
Source: zkFL (arXiv 2310.02554) 4; Kate, Zaverucha and Goldberg (2010); WP VI.H.
"""

from __future__ import annotations

from typing import Final

from py_arkworks_bls12381 import G1Point, Scalar

from runtime.primitives.hashing import sha2_256
from runtime.primitives.signatures import ed25519_verify
from runtime.primitives.types import Hash
from runtime.primitives.zk_points import (
    POINT_BYTES,
    SCALAR_BYTES,
    PointError,
    admit,
    admit_to_keep,
    are_paired,
    combine,
    read_scalar,
)
from runtime.primitives.zk_setup import Setup
from runtime.primitives.zk_transcript import Commitments, RoundContext, Statement, update_message

PROOF_BYTES: Final = POINT_BYTES + SCALAR_BYTES
OFFSET: Final = 1 << 15  # is added to an int16 before it is committed to
WEIGHTS_MAX: Final = (1 << 16) - 1  # of all clients, so that a sum of int16 is an int32


def is_admissible(context: RoundContext, client: Commitments, setup: Setup) -> bool:
    """Whether a client's commitments may enter a round: their number, points, signature, weight."""
    if context.setup != setup.id or not 1 <= client.weight <= WEIGHTS_MAX:
        return False
    if not context.parameters or len(client.points) != setup.chunks_of(context.parameters):
        return False
    message = update_message(context, client.weight, client.points)
    if not ed25519_verify(client.signature, message, client.key):
        return False
    try:
        for point in client.points:
            admit_to_keep(point).times(client.weight)  # the proof's check asks for this multiple
    except PointError:
        return False
    return True


def is_statement(statement: Statement, setup: Setup) -> bool:
    """Whether all clients are admissible, each is there once, in order, and weights are small."""
    ids = [client.id for client in statement.clients]
    if not ids or ids != sorted(set(ids)):
        return False
    if sum(client.weight for client in statement.clients) > WEIGHTS_MAX:
        return False
    return all(is_admissible(statement.context, each, setup) for each in statement.clients)


def verify_aggregation(statement: Statement, proof: bytes, setup: Setup) -> bool:
    """Whether `proof` shows openings of all commitments of a statement that `is_statement`.

    About 20 us for each commitment that `is_admissible` let in, and 4 ms.
    """
    if len(proof) != PROOF_BYTES:
        return False
    try:
        witness, value = admit(proof[:POINT_BYTES]), read_scalar(proof[POINT_BYTES:])
    except PointError:
        return False
    points = [each.point for client in statement.kept for each in client]
    folded = combine(points, statement.factors())
    at = statement.point(setup)
    left = folded - G1Point() * Scalar(value) + witness * Scalar(at)
    return are_paired(left, witness, setup.power)


def hash_of_sum(statement: Statement) -> Hash:
    """H(Enc(w)): the digest of the commitments to the weighted sum, in their order."""
    return hash_of_commitments(statement.totals)


def hash_of_commitments(points: tuple[bytes, ...]) -> Hash:
    """The digest of commitments."""
    return sha2_256(b"".join(points))
