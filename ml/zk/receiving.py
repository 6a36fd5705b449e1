"""What the aggregator finds in what a client sent.

Owns the check of an opening: the whole first, by one random combination, and only if that fails
chunk by chunk, for a chunk that is wrong is what can be shown to the chain.
Source: WP VI.C, VI.H; zkFL (arXiv 2310.02554) 4; disputes are this project's.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ml.zk.openings import Opening, is_opening
from ml.zk.sent import Sent, WrongChunkError, numbers_of_chunks
from runtime.primitives.zk_delivery import Chunk, open_piece
from runtime.primitives.zk_setup import Setup, commit_chunk


def chunks_of(opening: Opening, setup: Setup) -> list[Chunk]:
    """The chunks to encrypt; numbers are below 2^16, masked ones below 2^32."""
    parts = torch.split(opening.numbers, setup.chunk)
    pairs = zip(parts, opening.blinders, strict=True)
    return [Chunk(part.tolist(), blinders) for part, blinders in pairs]


def open_sent(sent: Sent, parameters: int, setup: Setup) -> Opening:
    """The opening. Raises `WrongChunkError` if a chunk is not what was committed to."""
    chunks = []
    for place, count in enumerate(numbers_of_chunks(parameters, setup)):
        piece, size = sent.pieces[place], sent.number_bytes
        chunk = open_piece(piece, place, sent.delivery, sent.shared, count, size)
        if chunk is None:
            raise WrongChunkError(place)
        chunks.append(chunk)
    numbers = torch.cat([torch.tensor(chunk.numbers, dtype=torch.int64) for chunk in chunks])
    opening = Opening(numbers, tuple(tuple(chunk.blinders) for chunk in chunks))
    if not is_opening(sent.points, opening, setup):
        raise WrongChunkError(_find_wrong(sent.points, chunks, setup))
    return opening


def _find_wrong(points: Sequence[bytes], chunks: Sequence[Chunk], setup: Setup) -> int:
    for place, (point, chunk) in enumerate(zip(points, chunks, strict=True)):
        if commit_chunk(setup, chunk.numbers, chunk.blinders) != point:
            return place
    raise AssertionError("the whole is wrong, and each chunk is right")
