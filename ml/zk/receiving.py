"""What the aggregator finds in what clients sent.

Owns the check of openings: of all clients' first, by one random combination, and only if that fails
client by client and chunk by chunk, for a chunk that is wrong is what can be shown to the chain.
Source: WP VI.C, VI.H; zkFL (arXiv 2310.02554) 4; disputes are this project's.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ml.zk.openings import Opening, are_openings
from ml.zk.sent import Sent, numbers_of_chunks
from runtime.primitives.zk_delivery import Chunk, open_piece
from runtime.primitives.zk_setup import Setup, commit_chunk


def chunks_of(opening: Opening, setup: Setup) -> list[Chunk]:
    """The chunks to encrypt; numbers are below 2^16, masked ones below 2^32."""
    parts = torch.split(opening.numbers, setup.chunk)
    pairs = zip(parts, opening.blinders, strict=True)
    return [Chunk(part.tolist(), blinders) for part, blinders in pairs]


def open_all(
    sent: Sequence[Sent], parameters: int, setup: Setup
) -> tuple[list[Opening], list[tuple[int, int]]]:
    """The openings of those whose every chunk opens its commitment; of the others the place among
    the clients, and that of the first chunk that does not."""
    openings: dict[int, Opening] = {}
    faults: list[tuple[int, int]] = []
    for place, each in enumerate(sent):
        opened = _decrypt(each, parameters, setup)
        if isinstance(opened, Opening):
            openings[place] = opened
        else:
            faults.append((place, opened))
    if not _are_right([sent[place] for place in openings], list(openings.values()), setup):
        for place, opening in list(openings.items()):
            if not _are_right([sent[place]], [opening], setup):
                faults.append((place, _find_wrong(sent[place].points, openings.pop(place), setup)))
    return list(openings.values()), sorted(faults)


def _decrypt(sent: Sent, parameters: int, setup: Setup) -> Opening | int:
    """What was sent, or the place of the first chunk that does not decrypt."""
    numbers, blinders = [], []
    for place, count in enumerate(numbers_of_chunks(parameters, setup)):
        piece, size = sent.pieces[place], sent.number_bytes
        chunk = open_piece(piece, place, sent.delivery, sent.shared, count, size)
        if chunk is None:
            return place
        numbers.append(torch.tensor(chunk.numbers, dtype=torch.int64))
        blinders.append(tuple(chunk.blinders))
    return Opening(torch.cat(numbers), tuple(blinders))


def _are_right(sent: Sequence[Sent], openings: Sequence[Opening], setup: Setup) -> bool:
    return not sent or are_openings([each.points for each in sent], openings, setup)


def _find_wrong(points: Sequence[bytes], opening: Opening, setup: Setup) -> int:
    for place, (point, chunk) in enumerate(zip(points, chunks_of(opening, setup), strict=True)):
        if commit_chunk(setup, chunk.numbers, chunk.blinders) != point:
            return place
    raise AssertionError("the whole is wrong, and each chunk is right")
