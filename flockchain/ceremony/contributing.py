"""A contribution to a reference string: each point times a power of a secret, in processes.

The secret is drawn here, from the system, and given to nobody; it is gone with the processes. Who
wants more shuts the machine down. 0.2 to 0.5 ms for each point on one core.
Source: WP VI.H; Nikolaenko et al. (2022), powers of tau.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Final

from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from flockchain.ceremony.transcript import Transcript
from runtime.primitives.zk_ceremony import Contribution, first_powers, prove_contribution
from runtime.primitives.zk_points import ORDER, POINT_BYTES, admit_second, compress, compress_second
from runtime.primitives.zk_setup import Setup

_BATCH: Final = 1_024  # points that a process is handed at once: 0.2 s


def first_setup(points: int) -> Setup:
    """The string of τ = 1."""
    powers = first_powers(points)
    return Setup(powers, powers, compress_second(G2Point()), is_lagrange=False)


def contribute(
    transcript: Transcript, setup: Setup, name: str, processes: int = 1
) -> tuple[Transcript, Setup]:
    """The transcript with one contribution more, and the string that it leads to."""
    digest = transcript.ceremony.root
    for each in transcript.contributions:
        digest = each.digest(digest)
    secret, nonce = (1 + secrets.randbelow(ORDER - 1) for _ in range(2))
    after = multiplied(setup, secret, processes)
    made: Contribution = prove_contribution(digest, name, after, secret, nonce)
    return Transcript(transcript.ceremony, (*transcript.contributions, made)), after


def multiplied(setup: Setup, secret: int, processes: int = 1) -> Setup:
    """The string of τ·x."""
    step = _BATCH * POINT_BYTES
    pieces = [setup.powers[at : at + step] for at in range(0, len(setup.powers), step)]
    firsts = range(0, setup.points, _BATCH)
    multiply: Callable[[bytes, int], bytes] = partial(_multiply, secret)
    if processes == 1:
        powers = b"".join(map(multiply, pieces, firsts))
    else:
        with ProcessPoolExecutor(processes, get_context("spawn")) as executor:
            powers = b"".join(executor.map(multiply, pieces, firsts))
    tau = compress_second(admit_second(setup.tau) * Scalar(secret))
    return Setup(powers, powers, tau, is_lagrange=False)


def _multiply(secret: int, points: bytes, first: int) -> bytes:
    """The points times the powers of the secret from `first` on."""
    factor, found = pow(secret, first, ORDER), []
    for at in range(0, len(points), POINT_BYTES):
        point = G1Point.from_compressed_bytes_unchecked(points[at : at + POINT_BYTES])
        found.append(compress(point * Scalar(factor)))
        factor = factor * secret % ORDER
    return b"".join(found)
