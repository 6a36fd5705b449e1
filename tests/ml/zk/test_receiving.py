"""What the aggregator finds in what was sent: the opening, or the first chunk that is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ml.zk.openings import commit, opening_of
from ml.zk.receiving import chunks_of, open_sent
from ml.zk.sent import Sent, WrongChunkError, piece_sizes
from runtime.primitives import vrf
from runtime.primitives.curve import hash_to_scalar
from runtime.primitives.zk_delivery import deliver, share
from runtime.primitives.zk_setup import ethereum_setup

SETUP = ethereum_setup()
PARAMETERS = SETUP.chunk + 3  # two chunks
SEED = b"aggregator's key".ljust(32)


def sent(*altered: int) -> Sent:
    """What a client sends that changed these numbers after it had committed."""
    opening = opening_of(torch.arange(PARAMETERS).to(torch.int16), SETUP)
    points = commit(opening, SETUP)
    for at in altered:
        opening.numbers[at] += 1
    secret = hash_to_scalar(b"tests", b"client")
    chunks = chunks_of(opening, SETUP)
    delivery, pieces = deliver(chunks, vrf.public_key(SEED), b"context", secret)
    shared = share(vrf.secret_scalar(SEED), delivery)
    return Sent(points, delivery, shared, tuple(pieces))


def test_what_was_committed_to_is_opened() -> None:
    found = sent()
    opening = open_sent(found, PARAMETERS, SETUP)
    assert opening.numbers[0] == 1 << 15
    assert commit(opening, SETUP) == found.points
    assert [len(piece) for piece in found.pieces] == piece_sizes(PARAMETERS, SETUP)


@pytest.mark.parametrize(("altered", "chunk"), [((0,), 0), ((SETUP.chunk,), 1)])
def test_a_chunk_that_is_not_what_was_committed_to_is_found(
    altered: tuple[int, ...], chunk: int
) -> None:
    with pytest.raises(WrongChunkError, match=f"chunk {chunk} does not open") as wrong:
        open_sent(sent(*altered), PARAMETERS, SETUP)
    assert wrong.value.place == chunk


def test_a_chunk_that_does_not_decrypt_is_found() -> None:
    found = sent()
    garbage = replace(found, pieces=(found.pieces[0], bytes(len(found.pieces[1]))))
    with pytest.raises(WrongChunkError) as wrong:
        open_sent(garbage, PARAMETERS, SETUP)
    assert wrong.value.place == 1
