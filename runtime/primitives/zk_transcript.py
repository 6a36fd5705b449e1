"""What a proof of aggregation is about, and the challenges that depend on all of it.

Owns the transcript of zkAgg-v1: integers are 4 bytes, little endian; byte strings, also labels,
points and signatures, follow their length in 8. Challenges are of SHA-512: 128 bits for each
commitment, and a point of evaluation outside of the domain.
Invariant: chain, task, round, setup, members, weights, commitments and signatures all change
every challenge, so a proof fits one round of one chain.
Source: zkFL (arXiv 2310.02554) 4; Fiat and Shamir (1986); WP VI.H.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from runtime.primitives.hashing import sha2_512
from runtime.primitives.zk_points import (
    ORDER,
    POINT_BYTES,
    KeptPoint,
    add_all,
    admit_to_keep,
    compress,
)
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

    def __getstate__(self) -> dict[str, object]:
        """What travels between processes: no points that were decompressed."""
        return {"context": self.context, "clients": self.clients}

    @cached_property
    def kept(self) -> tuple[tuple[KeptPoint, ...], ...]:
        """The points of each client's commitments. Raises `PointError`."""
        return tuple(tuple(map(admit_to_keep, client.points)) for client in self.clients)

    @cached_property
    def totals(self) -> tuple[bytes, ...]:
        """The commitments to the weighted sum: Σ weight·C of each chunk. Raises `PointError`."""
        multiples = [
            [each.times(client.weight) for each in points]
            for client, points in zip(self.clients, self.kept, strict=True)
        ]
        return tuple(compress(add_all(chunk)) for chunk in zip(*multiples, strict=True))

    @cached_property
    def seed(self) -> bytes:
        """What all challenges are made of."""
        context, chunks = self.context, len(self.clients[0].points)
        totals = _frame_points(self.totals)
        head = (context.chain, context.task, context.round, context.setup, context.parameters)
        parts = [_frame(_PROOF, *head, len(self.clients), chunks, context.scale)]
        for each in self.clients:
            parts += [_frame(each.id, each.key, each.weight), _frame_points(each.points)]
            parts.append(_frame(each.signature))
        return sha2_512(b"".join([*parts, totals]))

    def factors(self) -> list[int]:
        """ρ of each commitment, client by client, chunk by chunk: its factor in what is opened."""
        begin, chunks = _frame(self.seed, b"rho"), len(self.clients[0].points)
        places = [place.to_bytes(4, "little") for place in range(max(chunks, len(self.clients)))]
        starts = [begin + place for place in places[: len(self.clients)]]
        return [
            int.from_bytes(sha2_512(start + place)[:16], "little")
            for start in starts
            for place in places[:chunks]
        ]

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


def _frame_points(points: Sequence[bytes]) -> bytes:
    """As `_frame`, of points that were let in: all have one length."""
    length = POINT_BYTES.to_bytes(8, "little")
    return length + length.join(points)
