"""What travels to an aggregator is refused unless it is what the client posted, byte for byte."""

from __future__ import annotations

from flockchain.workers.alliance.zk_files import encode_pieces, read_pieces
from runtime.primitives.merkle import tree_root
from runtime.primitives.types import Bytes32
from runtime.primitives.zk_delivery import Delivery

PIECES = (b"first piece", b"second")
SIZES = [len(piece) for piece in PIECES]


def posted(pieces: tuple[bytes, ...] = PIECES) -> Delivery:
    return Delivery(*[Bytes32(bytes(32))] * 3, tree_root(pieces))


def test_pieces_with_the_posted_root_are_read() -> None:
    assert read_pieces(encode_pieces(PIECES), posted(), SIZES) == PIECES


def test_other_files_are_refused() -> None:
    file = encode_pieces(PIECES)
    assert read_pieces(file[:-1], posted(), SIZES) is None
    assert read_pieces(file, posted(PIECES[::-1]), SIZES) is None
    assert read_pieces(encode_pieces(()), posted(), SIZES) is None


def test_pieces_of_other_sizes_are_refused_though_the_root_is_right() -> None:
    """A longer one could not be shown to the chain."""
    longer = (PIECES[0], PIECES[1] + bytes(20_000))
    assert read_pieces(encode_pieces(longer[:1]), posted(longer[:1]), SIZES) is None
    assert read_pieces(encode_pieces(PIECES), posted(), [SIZES[0], SIZES[1] + 1]) is None
