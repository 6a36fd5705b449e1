"""Commitments: what is hashed to seal a submission, a score sheet, and to draw seats.

Each seal names the chain, the task and its maker, so that nobody can use another's.
Source: WP V.B (blind validation), Table I; the sealing itself is this project's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runtime.pallets.arena.records import GivenScore, ScoreSheet, SubmittedModel, Submitter
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.scale import codec_of
from runtime.primitives.types import U32, AccountId, Bytes32, Hash

_SUBMISSION: Final = codec_of(tuple[Hash, U32, Submitter, SubmittedModel, Bytes32])
_SCORES: Final = codec_of(tuple[Hash, U32, U32, AccountId, ScoreSheet, Bytes32])


def seal_submission(
    genesis: Hash, task: int, submitter: Submitter, model: SubmittedModel, salt: bytes
) -> Hash:
    """blake2b-256 of SCALE(genesis, task, submitter, model, salt); salt: 32 random bytes.

    The model's ciphertext is in it, so that who relays the opening of an alias changes nothing.
    """
    return blake2b_256(_SUBMISSION.encode((genesis, task, submitter, model, salt)))


def seal_scores(
    genesis: Hash,
    task: int,
    day: int,
    validator: AccountId,
    scores: Sequence[GivenScore],
    salt: bytes,
) -> Hash:
    """blake2b-256 of SCALE(genesis, task, day, validator, score sheet, salt)."""
    return blake2b_256(_SCORES.encode((genesis, task, day, validator, list(scores), salt)))


def draw_randomness(genesis: Hash, task: int, day: int, vrf_outputs: Sequence[bytes]) -> Hash:
    """blake2b-256 of "draw", genesis, task, day (u32 LE each) and the reveal window's outputs."""
    fixed = b"draw" + genesis + task.to_bytes(4, "little") + day.to_bytes(4, "little")
    return blake2b_256(fixed + b"".join(vrf_outputs))


def seat_number(randomness: Hash, submission: int, seat: int) -> int:
    """The number that seat `seat` of a submission is drawn with, modulo the stake left."""
    indices = submission.to_bytes(4, "little") + seat.to_bytes(4, "little")
    return int.from_bytes(blake2b_256(randomness + indices), "little")


def dealing_order(randomness: Hash, submission: int) -> bytes:
    """Seats are dealt in the order of these hashes, so that nobody is always first."""
    return blake2b_256(b"order" + randomness + submission.to_bytes(4, "little"))
