"""Masks in Z_2^32 that hide an update in the sum of all: one's own, and one with each other client.

What client i commits to and hands over is a_i·u_i + PRG(b_i) ± Σ PRG(k_il), modulo 2^32: the masks
with others, k_il from Diffie-Hellman, cancel in the sum if all hand theirs over. For those that do,
b_i is revealed afterwards, for those that do not s_i; never both, as that would bare the update.
Invariant: what is left after unmasking is Σ a_i·u_i, below 2^32, whoever dropped out.
Source: Bonawitz et al. (2017), secure aggregation, double masks; WP VI.H.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import torch

from runtime.primitives.curve import base_mul, hash_parts, point_mul
from runtime.primitives.zk_aggregation import OFFSET

MODULUS: Final = 1 << 32
_MASK: Final = MODULUS - 1
_OWN: Final = b"zkagg/mask/own/v1"
_PAIR: Final = b"zkagg/mask/pair/v1"


def masked_update(
    update: torch.Tensor,
    weight: int,
    secrets: tuple[bytes, bytes],
    place: int,
    keys: Mapping[int, bytes],
) -> torch.Tensor:
    """(parameters,) int64 from 0 to below 2^32, of an update: (parameters,) int16.

    `secrets`: b and s; `keys`: s·G of all clients of the round by their places, of `place` too.
    """
    numbers = (update.to(torch.int64) + OFFSET) * weight
    own, pair = secrets
    numbers += own_mask(own, numbers.numel())
    for other, key in keys.items():
        if other != place:
            mask = pair_mask(pair, key, numbers.numel())
            numbers.add_(mask, alpha=_sign(place, other))
    return numbers & _MASK


def unmask(
    total: torch.Tensor,
    keys: Mapping[int, bytes],
    own: Mapping[int, bytes],
    pair: Mapping[int, bytes],
) -> torch.Tensor:
    """Σ a_i·u_i: (parameters,) int64, from the sum of what was handed over.

    `keys` as for `masked_update`; `own`: b of each client in the sum, `pair`: s of each other.
    """
    assert set(own) | set(pair) == set(keys), "each client is in the sum, or is not"
    assert not set(own) & set(pair), "both secrets of a client would bare its update"
    numbers = total.clone()
    for secret in own.values():
        numbers -= own_mask(secret, total.numel())
    for absent, secret in pair.items():
        for place in own:
            mask = pair_mask(secret, keys[place], total.numel())
            numbers.sub_(mask, alpha=_sign(place, absent))
    return numbers & _MASK


def own_mask(secret: bytes, count: int) -> torch.Tensor:
    """PRG(b): (count,) int64 from 0 to below 2^32."""
    return _expand(hash_parts(_OWN, secret), count)


def pair_mask(secret: bytes, key: bytes, count: int) -> torch.Tensor:
    """PRG(k) of two clients, by the secret of one and the key of the other. As `own_mask`."""
    ends = sorted((base_mul(secret), key))
    return _expand(hash_parts(_PAIR, point_mul(secret, key), *ends), count)


def _expand(seed: bytes, count: int) -> torch.Tensor:
    stream = bytearray(hashlib.shake_256(seed).digest(4 * count))
    return torch.frombuffer(stream, dtype=torch.int32).to(torch.int64) & _MASK


def _sign(place: int, other: int) -> int:
    """Of two clients one adds their mask, the other takes it away."""
    return 1 if place < other else -1
