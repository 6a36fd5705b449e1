"""What the aggregator finds in what was sent: the opening, or the first chunk that is wrong."""

from __future__ import annotations

from dataclasses import replace

import torch

from ml.zk.openings import commit, opening_of
from ml.zk.receiving import chunks_of, open_all
from ml.zk.sent import Sent, piece_sizes
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
    (opening,), faults = open_all([found], PARAMETERS, SETUP)
    assert not faults
    assert opening.numbers[0] == 1 << 15
    assert commit(opening, SETUP) == found.points
    assert [len(piece) for piece in found.pieces] == piece_sizes(PARAMETERS, SETUP)


def test_the_first_wrong_chunk_of_each_client_is_found_among_others() -> None:
    """Altered in the first chunk, in the second, in both, not decryptable, right."""
    found = sent()
    garbage = replace(found, pieces=(found.pieces[0], bytes(len(found.pieces[1]))))
    all_ = [sent(0), garbage, found, sent(SETUP.chunk), sent(1, SETUP.chunk)]
    openings, faults = open_all(all_, PARAMETERS, SETUP)
    assert faults == [(0, 0), (1, 1), (3, 1), (4, 0)]
    assert [commit(opening, SETUP) for opening in openings] == [found.points]


def test_nothing_that_decrypts_leaves_nothing_to_check() -> None:
    found = sent()
    garbage = replace(found, pieces=(bytes(len(found.pieces[0])), found.pieces[1]))
    assert open_all([garbage], PARAMETERS, SETUP) == ([], [(0, 0)])
