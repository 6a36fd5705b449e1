"""What a proof of aggregation is about, and the challenges that depend on all of it.

Owns the transcript of zkAgg-v1: integers are 4 bytes, little endian; byte strings, also labels,
points and signatures, follow their length in 8. Challenges are of SHA-512: 128 bits for each
commitment, and a point of evaluation outside of the domain.
Invariant: chain, task, round, setup, members, weights, commitments and signatures all change
every challenge, so a proof fits one round of one chain.
Source: zkFL (arXiv 2310.02554) 4; Fiat and Shamir (1986); WP VI.H.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from runtime.primitives.hashing import sha2_512
from runtime.primitives.zk_points import ORDER, admit, compress, weighted_sum
from runtime.primitives.zk_setup import Setup

_UPDATE = b"zkagg/upd/v1"
_PROOF = b"zkagg/fs/v1"


@dataclass(frozen=True, slots=True)
class RoundContext:
    """The round: genesis hash, task, round, base model, setup; d parameters; `scale` is what 1.0
    is in fixed point."""

    chain: bytes
    task: int
    round: int
    base: bytes
    setup: bytes
    parameters: int
    scale: int


@dataclass(frozen=True, slots=True)
class Commitments:
    """A client's commitments to its update: `points` of its chunks, signed with its ed25519 `key`.

    `id`: its account; `weight`: its factor in the sum.
    """

    id: bytes
    key: bytes
    weight: int
    points: tuple[bytes, ...]
    signature: bytes


@dataclass(frozen=True)
class Statement:
    """Public: the round and who is in the sum, in the order of ids."""

    context: RoundContext
    clients: tuple[Commitments, ...]

    @cached_property
    def totals(self) -> tuple[bytes, ...]:
        """The commitments to the weighted sum: Σ weight·C of each chunk. Raises `PointError`."""
        weights = [client.weight for client in self.clients]
        chunks = zip(*(client.points for client in self.clients), strict=True)
        return tuple(
            compress(weighted_sum([admit(point) for point in chunk], weights)) for chunk in chunks
        )

    @cached_property
    def seed(self) -> bytes:
        """What all challenges are made of."""
        context, chunks = self.context, len(self.clients[0].points)
        head = (context.chain, context.task, context.round, context.setup, context.parameters)
        parts: list[bytes | int] = [_PROOF, *head, len(self.clients), chunks, context.scale]
        for each in self.clients:
            parts += [each.id, each.key, each.weight, *each.points, each.signature]
        return _digest(*parts, *self.totals)

    def factors(self) -> list[int]:
        """ρ of each commitment, client by client, chunk by chunk: its factor in what is opened."""
        begin, chunks = _frame(self.seed, b"rho"), len(self.clients[0].points)
        places = [place.to_bytes(4, "little") for place in range(max(chunks, len(self.clients)))]
        digests = (
            sha2_512(begin + places[client] + places[chunk])
            for client in range(len(self.clients))
            for chunk in range(chunks)
        )
        return [int.from_bytes(digest[:16], "little") for digest in digests]

    def point(self, setup: Setup) -> int:
        """z: where the combination is evaluated."""
        plain = _frame(self.seed, b"z")
        for retry in range(256):
            digest = sha2_512(plain + bytes((retry,)) if retry else plain)
            found = int.from_bytes(digest, "little") % ORDER
            if found and not (setup.is_lagrange and pow(found, setup.points, ORDER) == 1):
                return found
        raise AssertionError("256 digests of SHA-512 in a domain of 2^20 of 2^255 numbers")


def update_message(context: RoundContext, weight: int, points: tuple[bytes, ...]) -> bytes:
    """What a client signs: 64 bytes."""
    head = (context.chain, context.task, context.round, context.base, context.setup)
    return _digest(_UPDATE, *head, context.parameters, context.scale, weight, *points)


def _digest(*parts: bytes | int) -> bytes:
    return sha2_512(_frame(*parts))


def _frame(*parts: bytes | int) -> bytes:
    return b"".join(
        part.to_bytes(4, "little")
        if isinstance(part, int)
        else len(part).to_bytes(8, "little") + part
        for part in parts
    )
