"""Files of a round with an aggregator: what a client keeps, and what it sends.

What is sent is one encrypted chunk after another, whose root stands on the chain; what is kept
opens the commitments, so that it can be sent to another aggregator after any restart.
Source: WP VI.C, VI.H.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from runtime.pallets.fl_alliance.disputes import PIECE_BYTES_MAX
from runtime.pallets.fl_alliance.terms import COMMITMENTS_MAX
from runtime.primitives.merkle import tree_root
from runtime.primitives.scale import DecodeError, Limit, codec_of, scale_type
from runtime.primitives.types import Bytes64
from runtime.primitives.zk_delivery import Delivery
from runtime.primitives.zk_points import POINT_BYTES

OPENING_BYTES_MAX: Final = 1 << 28
_LENGTH_BYTES_MAX: Final = 4  # of a length in SCALE's compact form


@scale_type
class KeptCommitments:
    """What a client committed to: the opening's file, the points one after another, their
    signature, and what it posts of what it sends."""

    opening: Annotated[bytes, Limit(OPENING_BYTES_MAX)]
    points: Annotated[bytes, Limit(COMMITMENTS_MAX * POINT_BYTES)]
    signature: Bytes64
    delivery: Delivery


@scale_type
class SentPieces:
    """The encrypted chunks."""

    pieces: Annotated[list[Annotated[bytes, Limit(PIECE_BYTES_MAX)]], Limit(COMMITMENTS_MAX)]


KEPT: Final = codec_of(KeptCommitments)
_SENT: Final = codec_of(SentPieces)


def sent_bytes_max(sizes: Sequence[int]) -> int:
    """How many bytes a file with pieces of these sizes has at most."""
    return sum(sizes) + _LENGTH_BYTES_MAX * (len(sizes) + 1)


def encode_pieces(pieces: Sequence[bytes]) -> bytes:
    """The file that travels."""
    return _SENT.encode(SentPieces(list(pieces)))


def read_pieces(file: bytes, delivery: Delivery, sizes: Sequence[int]) -> tuple[bytes, ...] | None:
    """The pieces of a file; None unless they have these sizes and the root that was posted.

    Sizes matter: a longer piece would not fit into an accusation.
    """
    try:
        pieces = _SENT.decode_all(file).pieces
    except DecodeError:
        return None
    if [len(piece) for piece in pieces] != list(sizes) or tree_root(pieces) != delivery.root:
        return None
    return tuple(pieces)
