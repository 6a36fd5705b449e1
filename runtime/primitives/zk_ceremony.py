"""The ceremony of a reference string: many multiply its secret, one honest one makes it safe.

Whoever contributes draws x, takes the point of τ^j times x^j for each j, and forgets x. Owns what
each leaves behind for others to check: the new [τ]₁ and [τ]₂, [x]₂, and a Schnorr proof that it
knows x, bound to all that went before, so that nobody contributes what cancels another's part.
Only the last string is kept: the chain of contributions leads from the generator to its τ.
Invariant: a transcript that passes ends in the string that it is checked with.
Source: WP VI.H; Bowe, Gabizon and Miers (2017); Nikolaenko et al. (2022), powers of tau.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from runtime.primitives.hashing import sha2_256, sha2_512
from runtime.primitives.types import Hash
from runtime.primitives.zk_points import (
    ORDER,
    POINT_BYTES,
    SCALAR_BYTES,
    PointError,
    admit,
    admit_second,
    are_paired,
    compress,
    compress_second,
    read_scalar,
)
from runtime.primitives.zk_setup import Setup, ensure_structure

NAME_BYTES_MAX: Final = 64
_LABEL: Final = b"zkagg/ceremony/v1"


class CeremonyError(ValueError):
    """A transcript that shows no ceremony."""


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a ceremony is for: a label, such as the chain's id, and N, the number of points."""

    label: str
    points: int

    @property
    def root(self) -> Hash:
        """What the first contribution follows."""
        return sha2_256(_frame(_LABEL, self.label.encode(), self.points.to_bytes(4, "little")))


@dataclass(frozen=True, slots=True)
class Contribution:
    """One contribution: `tau` and `tau_second` are the points of the new τ, `factor` is [x]₂.

    `name`: who made it, as it says; `setup`: the digest of the string after it; `challenge` and
    `response`: the proof that it knows x.
    """

    name: str
    tau: bytes
    tau_second: bytes
    factor: bytes
    setup: Hash
    challenge: bytes
    response: bytes

    def digest(self, before: Hash) -> Hash:
        """By which it is known; it depends on all contributions before it."""
        return sha2_256(_frame(*self.told(before), self.challenge, self.response))

    def told(self, before: Hash) -> tuple[bytes, ...]:
        """What the proof is bound to."""
        return before, self.name.encode(), self.tau, self.tau_second, self.factor, self.setup


def prove_contribution(
    before: Hash, name: str, setup: Setup, secret: int, nonce: int
) -> Contribution:
    """The contribution of x = `secret` that led to `setup`. `nonce`: a fresh random scalar."""
    factor = compress_second(G2Point() * Scalar(secret))
    tau = setup.powers[POINT_BYTES : 2 * POINT_BYTES]
    plain = Contribution(name, tau, setup.tau, factor, setup.id, b"", b"")
    challenge = _challenge(plain.told(before), G2Point() * Scalar(nonce))
    response = (nonce - challenge * secret) % ORDER
    answers = (each.to_bytes(SCALAR_BYTES, "big") for each in (challenge, response))
    return Contribution(name, tau, setup.tau, factor, setup.id, *answers)


def ensure_contributions(ceremony: Ceremony, contributions: Sequence[Contribution]) -> list[Hash]:
    """Check each against the one before; their digests. Raises `CeremonyError`, naming the first
    that is wrong."""
    digests, before, tau = [], ceremony.root, G1Point()
    for number, each in enumerate(contributions, 1):
        try:
            tau = _follow(each, before, tau)
        except (PointError, CeremonyError) as error:
            raise CeremonyError(f"contribution {number}: {error}") from error
        before = each.digest(before)
        digests.append(before)
    return digests


def ensure_ceremony(
    ceremony: Ceremony, contributions: Sequence[Contribution], setup: Setup
) -> list[Hash]:
    """Check all contributions, and that `setup` has the structure and the τ that they lead to.

    20 s for 2^16 points. Raises `CeremonyError`, `SetupError`.
    """
    if not contributions:
        raise CeremonyError("nobody has contributed")
    digests, last = ensure_contributions(ceremony, contributions), contributions[-1]
    if setup.points != ceremony.points or setup.id != last.setup:
        raise CeremonyError("the string is not the one of the last contribution")
    if (setup.powers[POINT_BYTES : 2 * POINT_BYTES], setup.tau) != (last.tau, last.tau_second):
        raise CeremonyError("the string has not the τ of the last contribution")
    ensure_structure(setup)
    return digests


def _follow(each: Contribution, before: Hash, tau: G1Point) -> G1Point:
    """The next [τ]₁."""
    if not 1 <= len(each.name.encode()) <= NAME_BYTES_MAX:
        raise CeremonyError(f"a name has 1 to {NAME_BYTES_MAX} bytes")
    following, second = admit(each.tau), admit_second(each.tau_second)
    factor = admit_second(each.factor)
    challenge, response = read_scalar(each.challenge), read_scalar(each.response)
    made = G2Point() * Scalar(response) + factor * Scalar(challenge)
    if _challenge(each.told(before), made) != challenge:
        raise CeremonyError("it does not show that its secret is known")
    if not GT.pairing_check([following, -tau], [G2Point(), factor]):
        raise CeremonyError("the new τ is not the former one times its secret")
    if not are_paired(following, G1Point(), second):
        raise CeremonyError("τ is another one in the second group")
    return following


def _challenge(told: tuple[bytes, ...], made: G2Point) -> int:
    digest = sha2_512(_frame(_LABEL, *told, compress_second(made)))
    return int.from_bytes(digest, "little") % ORDER


def _frame(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(8, "little") + part for part in parts)


def first_powers(points: int) -> bytes:
    """The string of τ = 1, with which a ceremony begins."""
    return compress(G1Point()) * points
