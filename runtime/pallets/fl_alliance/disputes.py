"""Disputes: an aggregator shows that what a client sent does not open what it committed to.

It reveals one encrypted chunk with its place below the root that the client posted, and the point
that both share; the chain decrypts it and commits to it anew. A client that is at fault loses s_p
and is out of the sum, and the aggregator's time begins anew, once. One that sent nothing is found
by the voters before. Invariant: a client whose chunks open its commitments cannot be accused.
Source: WP VI.H; the disputes are this project's.
"""

from __future__ import annotations

from typing import Annotated, Final

from runtime import frame
from runtime.pallets.fl_alliance import events, refusals
from runtime.pallets.fl_alliance.aggregation import Aggregations
from runtime.pallets.fl_alliance.records import RoundKey
from runtime.pallets.fl_alliance.stages import Stage
from runtime.pallets.fl_alliance.storage import FlAlliance
from runtime.pallets.fl_alliance.terms import Mode
from runtime.primitives.merkle import verify_item
from runtime.primitives.scale import Limit
from runtime.primitives.tag_proof import TagProof
from runtime.primitives.types import U32, AccountId, Bytes32, Hash
from runtime.primitives.zk_delivery import (
    MASKED_NUMBER_BYTES,
    NUMBER_BYTES,
    Delivery,
    is_shared,
    open_piece,
)
from runtime.primitives.zk_points import POINT_BYTES
from runtime.primitives.zk_setup import commit_chunk

PIECE_BYTES_MAX: Final = 1 << 18 | 1 << 10  # of a chunk of 2^16 numbers of 32 bits
PATH_MAX: Final = 32


@frame.scale_type
class Accusation:
    """A chunk as it was sent: `piece` at `place` below the client's root by `path`, the point that
    aggregator and client share, and the proof that it is that."""

    client: AccountId
    place: U32
    piece: Annotated[bytes, Limit(PIECE_BYTES_MAX)]
    path: Annotated[list[Hash], Limit(PATH_MAX)]
    shared: Bytes32
    proof: TagProof


class Disputes:
    """Accusations of clients."""

    def __init__(self, alliance: FlAlliance) -> None:
        self.alliance = alliance
        self.aggregations = Aggregations(alliance)

    def accuse(self, who: AccountId, task: int, round_: int, accused: Accusation) -> None:
        """Take a client out of the sum whose chunk is wrong. Emits ClientAtFault."""
        alliance = self.alliance
        key = alliance.ensure_stage(task, round_, Stage.AGGREGATE)
        drawn, found = alliance.rounds.get(key), alliance.aggregations.get(key)
        if who != drawn.voters[found.place]:
            raise refusals.NotTheAggregator
        if found.proved is not None:
            raise refusals.AlreadyProved
        proposal = alliance.proposals.find((key, accused.client))
        if proposal is None or not drawn.aggregate >> proposal.index & 1:
            raise events.NotAProposer
        posted = alliance.commitments.get((key, accused.client))
        points = posted.points
        count = len(points) // POINT_BYTES
        root = posted.delivery.root
        if not verify_item(root, count, accused.place, accused.piece, accused.path):
            raise refusals.BadAccusation
        if not self._is_shared(key, posted.delivery, accused):
            raise refusals.BadAccusation
        at = POINT_BYTES * accused.place
        if self._opens(points[at : at + POINT_BYTES], task, posted.delivery, accused):
            raise refusals.ChunkIsFine
        alliance.deposit_event(events.ClientAtFault(task, round_, accused.client, accused.place))
        self.aggregations.leave_out(key, 1 << proposal.index)

    def _is_shared(self, key: RoundKey, delivery: Delivery, accused: Accusation) -> bool:
        receiver = self.aggregations.receiver(key)
        context = self.aggregations.delivery_context(key, accused.client)
        return is_shared(receiver, delivery, context, accused.shared, accused.proof)

    def _opens(self, point: bytes, task: int, delivery: Delivery, accused: Accusation) -> bool:
        """Whether the piece holds what the commitment to its chunk holds."""
        setup = self.alliance.reference_string()
        parameters = self.alliance.get_task(task).terms.parameters
        numbers = min(setup.chunk, parameters - setup.chunk * accused.place)
        is_masked = self.alliance.get_task(task).terms.mode is Mode.ZK_MASKED
        each = MASKED_NUMBER_BYTES if is_masked else NUMBER_BYTES
        place, shared = accused.place, accused.shared
        chunk = open_piece(accused.piece, place, delivery, shared, numbers, each)
        return chunk is not None and commit_chunk(setup, chunk.numbers, chunk.blinders) == point
