"""What the FL Alliance stores of masked rounds.

Source: WP VI.H; Bonawitz et al. (2017), secure aggregation.
"""

from __future__ import annotations

from runtime import frame
from runtime.primitives.scale import ScaleEnum
from runtime.primitives.tag_proof import TagProof
from runtime.primitives.types import U256, Bytes32


@frame.scale_type
class Masked:
    """Proposers of a masked round, a bit each: `dealers` shared the secrets of their masks,
    `holders` revealed their shares."""

    dealers: U256 = 0
    holders: U256 = 0


class Revealed(ScaleEnum, path="pallet_fl_alliance::Revealed"):
    """What a holder reveals of a dealer's secret."""


class Share(Revealed, index=0):
    """The holder's share."""

    value: Bytes32


class WrongShare(Revealed, index=1):
    """The dealer sent what is no share: by the point that both share, everybody can open it."""

    shared: Bytes32
    proof: TagProof
