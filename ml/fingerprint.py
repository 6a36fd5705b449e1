"""A 64-bit fingerprint of how a model behaves: SimHash of its predictions.

Owns the fingerprint and the distance of two. Invariant: integers only, so equal predictions give
equal fingerprints on any machine; models that agree on most examples differ in few bits.
Source: WP V.E (copies of a model); SimHash (Charikar 2002).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

FINGERPRINT_BITS: Final = 64


def compute_fingerprint(predictions: Sequence[int]) -> int:
    """The SimHash of the class predicted for each example, in the data set's order.

    Each (example, class) votes with the bits of its hash; a bit is set if more than half say so.
    """
    votes = [0] * FINGERPRINT_BITS
    for example, predicted in enumerate(predictions):
        token = hashlib.sha256(b"prediction:%d:%d" % (example, predicted)).digest()
        bits = int.from_bytes(token[:8], "little")
        for position in range(FINGERPRINT_BITS):
            votes[position] += 1 if bits >> position & 1 else -1
    return sum(1 << position for position, vote in enumerate(votes) if vote > 0)


def hamming_distance(left: int, right: int) -> int:
    """In how many of the 64 bits two fingerprints differ."""
    return (left ^ right).bit_count()
