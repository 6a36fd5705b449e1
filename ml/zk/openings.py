"""Commitments to integer vectors, made, summed and checked against what they are said to hold.

Owns the step from an update to points: its numbers, made positive by an offset, in chunks of
N − 4, each with four random blinders. Invariant: commitments add up as their openings do, so the
sum of openings opens the sum of commitments.
Source: zkFL (arXiv 2310.02554) 4, Enc(w) = g^w h^s; WP VI.H.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import Final

import torch

from runtime.primitives.zk_aggregation import OFFSET
from runtime.primitives.zk_points import ORDER, admit, combine
from runtime.primitives.zk_setup import BLINDERS, Setup, commit_chunk

_LIMB: Final = 16  # bits of a number that are multiplied at once
_FACTOR_LIMB: Final = 26  # and of a factor: 2^10 products add up below 2^53
_FACTOR_LIMBS: Final = -(-128 // _FACTOR_LIMB)
_ROWS_MAX: Final = 1 << 10  # that are added up as float64
_ALL_ROWS_MAX: Final = 1 << 20  # and as int64
_SUM_LIMBS: Final = 3  # of a number
_NUMBERS_MAX: Final = 1 << 32  # what is committed to is below
_SUMS_MAX: Final = 1 << 48  # and of 2^16 clients their sum
_COLUMNS: Final = 1 << 12
_FOLDED_MAX: Final = 1 << 17  # numbers that are folded at once: 1 MB as float64 stays in a cache


class OpeningError(ValueError):
    """Numbers or blinders that fit no commitments of this size."""


@dataclass(frozen=True, slots=True)
class Opening:
    """numbers: (parameters,) int64, each from 0 to below 2^32; blinders: four for each chunk."""

    numbers: torch.Tensor
    blinders: tuple[tuple[int, ...], ...]


def opening_of(update: torch.Tensor, setup: Setup) -> Opening:
    """A fresh opening of an update: (parameters,) int16. Its blinders are from the system."""
    return fresh_opening(update.to(torch.int64) + OFFSET, setup)


def fresh_opening(numbers: torch.Tensor, setup: Setup) -> Opening:
    """numbers: (parameters,) int64, from 0 to below 2^32, with blinders from the system."""
    chunks = range(setup.chunks_of(numbers.numel()))
    blinders = (tuple(secrets.randbelow(ORDER) for _ in range(BLINDERS)) for _ in chunks)
    return Opening(numbers, tuple(blinders))


def update_in(opening: Opening, weights: int) -> torch.Tensor:
    """The weighted sum of updates in an opening: (parameters,) int64. `weights`: their sum."""
    return opening.numbers - OFFSET * weights


def commit(opening: Opening, setup: Setup, executor: Executor | None = None) -> tuple[bytes, ...]:
    """The commitments, one a chunk; 14 ms each for int16. Raises `OpeningError`.

    With an `executor` its processes share the chunks; each needs the setup's bytes once.
    """
    ensure_fits(opening, setup)
    pieces = torch.split(opening.numbers, setup.chunk)
    chunks = (piece.tolist() for piece in pieces)  # as lists all would take 36 bytes a number
    if executor is None:
        return tuple(map(partial(commit_chunk, setup), chunks, opening.blinders))
    return tuple(executor.map(_commit_here, chunks, opening.blinders, chunksize=8))


def committers(setup: Setup, processes: int) -> ProcessPoolExecutor:
    """Processes that commit with `setup`, for `commit`. Close it after use."""
    context = get_context("spawn")
    # A copy: points that were decompressed do not travel between processes.
    begin = (replace(setup),)
    return ProcessPoolExecutor(processes, context, initializer=_begin, initargs=begin)


def add_up(openings: Sequence[Opening], weights: Sequence[int]) -> Opening:
    """The opening of the weighted sum of commitments. Numbers may then not be below 2^32."""
    numbers = torch.zeros_like(openings[0].numbers)
    for opening, weight in zip(openings, weights, strict=True):
        numbers.add_(opening.numbers, alpha=weight)
    chunks = zip(*(opening.blinders for opening in openings), strict=True)
    blinders = (
        tuple(
            sum(weight * each[slot] for weight, each in zip(weights, chunk, strict=True)) % ORDER
            for slot in range(BLINDERS)
        )
        for chunk in chunks
    )
    return Opening(numbers, tuple(blinders))


def is_opening(points: Sequence[bytes], opening: Opening, setup: Setup) -> bool:
    """Whether all commitments open to this, which may be a sum. As `are_openings`."""
    return _do_open([points], [opening], setup, _SUMS_MAX)


def are_openings(
    clients: Sequence[Sequence[bytes]], openings: Sequence[Opening], setup: Setup
) -> bool:
    """Whether all clients' commitments open to these: by one random combination, 0.2 s and 40 us a
    commitment.

    Wrong openings pass with a chance of 2^-128. Raises `OpeningError`, `PointError`.
    """
    return _do_open(clients, openings, setup, _NUMBERS_MAX)


def fold(openings: Sequence[Opening], factors: Sequence[int], setup: Setup) -> list[int]:
    """Σ factor·(numbers, blinders) over all chunks: N numbers below the order.

    factors: of 128 bits, opening by opening, chunk by chunk.
    """
    chunks = len(openings[0].blinders)
    assert len(factors) <= _ALL_ROWS_MAX, f"{len(factors)} commitments"
    sums = torch.zeros((_SUM_LIMBS, _FACTOR_LIMBS, setup.chunk), dtype=torch.int64)
    for at, opening in enumerate(openings):
        _fold_numbers(opening.numbers, factors[at * chunks :][:chunks], sums)
    numbers = [0] * setup.chunk
    for shift, limbs in enumerate(sums.tolist()):
        if any(map(any, limbs)):
            columns = zip(*limbs, strict=True)
            numbers = [
                number + (sum(c << _FACTOR_LIMB * at for at, c in enumerate(each)) << _LIMB * shift)
                for number, each in zip(numbers, columns, strict=True)
            ]
    numbers = [number % ORDER for number in numbers]
    rows = [row for opening in openings for row in opening.blinders]
    return numbers + [
        sum(factor * row[slot] for factor, row in zip(factors, rows, strict=True)) % ORDER
        for slot in range(BLINDERS)
    ]


def ensure_fits(opening: Opening, setup: Setup, numbers_max: int = _NUMBERS_MAX) -> None:
    """Raises `OpeningError` unless numbers and blinders are such as commitments have."""
    numbers, blinders = opening.numbers, opening.blinders
    if len(blinders) != setup.chunks_of(numbers.numel()) or not blinders:
        raise OpeningError(f"{numbers.numel()} numbers, {len(blinders)} rows of blinders")
    if int(numbers.min()) < 0 or int(numbers.max()) >= numbers_max:
        bits = numbers_max.bit_length() - 1
        raise OpeningError(f"a number is not from 0 to below 2^{bits}")
    if any(len(row) != BLINDERS for row in blinders):
        raise OpeningError(f"a row has not {BLINDERS} blinders")
    if any(not 0 <= blinder < ORDER for row in blinders for blinder in row):
        raise OpeningError("a blinder is no scalar")


def _do_open(
    clients: Sequence[Sequence[bytes]],
    openings: Sequence[Opening],
    setup: Setup,
    numbers_max: int,
) -> bool:
    for points, opening in zip(clients, openings, strict=True):
        ensure_fits(opening, setup, numbers_max)
        if len(points) != len(opening.blinders):
            raise OpeningError(f"{len(points)} commitments, {len(opening.blinders)} chunks")
    admitted = [admit(point) for points in clients for point in points]
    factors = [secrets.randbits(128) for _ in admitted]
    return combine(setup.generators, fold(openings, factors, setup)) == combine(admitted, factors)


def _fold_numbers(numbers: torch.Tensor, factors: Sequence[int], sums: torch.Tensor) -> None:
    """Add Σ factor·chunk to `sums`: (limbs of numbers, limbs of factors, chunk) int64.

    Both go in limbs, so that a product is below 2^42, and float64 adds up 2^10 of them without
    rounding.
    """
    limbs, chunk = sums.shape[1:]
    mask = (1 << _FACTOR_LIMB) - 1
    table = torch.tensor(
        [[factor >> _FACTOR_LIMB * at & mask for factor in factors] for at in range(limbs)],
        dtype=torch.float64,
    )  # (limbs, chunks)
    whole = numbers.numel() // chunk * chunk  # no copy of all for the sake of the last row
    last = torch.nn.functional.pad(numbers[whole:], (0, -numbers.numel() % chunk))
    width = min(chunk, _COLUMNS)
    rows = min(_FOLDED_MAX // width, _ROWS_MAX)
    for part, first in ((numbers[:whole], 0), (last, whole // chunk)):
        for at, block in enumerate(torch.split(part.reshape(-1, chunk), rows)):
            start = first + at * rows
            some = table[:, start : start + len(block)]
            for column in range(0, chunk, width):
                here = slice(column, column + width)
                _add_products(some, block[:, here], sums[:, :, here])


def _add_products(factors: torch.Tensor, block: torch.Tensor, sums: torch.Tensor) -> None:
    """`factors`: (limbs, rows) float64, `block`: (rows, chunk) int64; sums over rows."""
    largest = int(block.max()) if block.numel() else 0
    for shift in range(sums.shape[0]):
        if not largest >> _LIMB * shift:
            return
        # Updates in int16 have one limb: no need to cut it out.
        limb = block if largest >> _LIMB == 0 else block >> _LIMB * shift & (1 << _LIMB) - 1
        sums[shift] += (factors @ limb.double()).to(torch.int64)


_SETUPS: list[Setup] = []  # of a committing process


def _begin(setup: Setup) -> None:
    _SETUPS[:] = [setup]
    torch.set_num_threads(1)


def _commit_here(numbers: Sequence[int], blinders: Sequence[int]) -> bytes:
    return commit_chunk(_SETUPS[0], numbers, blinders)
