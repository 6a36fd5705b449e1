"""The words of a round: stages, outcomes, how a participant comes out of it; why a task ends.

Source: WP VI.B to VI.F; Algorithms 1 and 2.
"""

from __future__ import annotations

import enum

from runtime.primitives.scale import scale_enum


@scale_enum("pallet_fl_alliance::Stage")
class Stage(enum.Enum):
    """Where a task's round stands. Never renumber.

    Nine stages wait for participants, the others are the chain's own work, spread over blocks.
    """

    IDLE = 0  # no round: the task waits for members, or decides on the next block
    COUNT = 1  # who may take part
    CHECK_IN = 2
    DRAW = 3  # roles from the proofs
    PROPOSE = 4  # proposals are sealed
    DISCLOSE = 5  # and opened
    REPORT = 6  # voters tell which proposals they have
    WEIGH = 7  # which proposals make the aggregate
    AGGREGATE = 8  # the aggregator's proof; not in open mode
    VOTE = 9  # votes are sealed
    OPEN = 10  # and opened
    TALLY = 11  # the outcome, and what everybody gains or loses
    PAY = 12  # participants, one by one
    ABSENT = 13  # members that posted no proof
    CLEAN = 14  # records that are no longer needed
    SHARE = 15  # the secrets of masks, before PROPOSE; only of masked rounds
    UNMASK = 16  # their shares, after AGGREGATE

    def is_timed(self) -> bool:
        """Whether participants act in it."""
        return self in _TIMED


_TIMED = (
    *(Stage.CHECK_IN, Stage.PROPOSE, Stage.DISCLOSE),
    *(Stage.REPORT, Stage.AGGREGATE, Stage.VOTE, Stage.OPEN),
    *(Stage.SHARE, Stage.UNMASK),
)


@scale_enum("pallet_fl_alliance::Outcome")
class Outcome(enum.Enum):
    """What became of a round."""

    ACCEPTED = 0  # the aggregate is the new global model
    REJECTED = 1  # the former model stays
    VOID = 2  # nobody is paid


@scale_enum("pallet_fl_alliance::VoidReason")
class VoidReason(enum.Enum):
    """Why a round is void."""

    NOBODY_DRAWN = 0  # no proposer, or no voter, posted a proof
    NO_PROPOSAL = 1  # none was opened
    NOTHING_HELD = 2  # no proposal is held by most of the drawn voters
    TOO_FEW_VOTES = 3  # fewer than the quorum were opened
    NO_MAJORITY = 4  # no aggregate has more than half of the voters
    TOO_FEW_CLIENTS = 5  # a sum of so few would give updates away
    NO_PROOF = 6  # so many aggregators failed
    NOT_SHARED = 7  # too few shared the secrets of their masks
    NOT_UNMASKED = 8  # too few shares of a secret were revealed
    NOT_SEALED = 9  # of a masked round: most dealers sealed nothing, as if no block were final


@scale_enum("pallet_fl_alliance::FailureReason")
class FailureReason(enum.Enum):
    """Why an aggregator was replaced."""

    NO_PROOF = 0
    BAD_PROOF = 1
    NO_OPENING = 2  # most drawn voters could not have the sum, or it was another one


@scale_enum("pallet_fl_alliance::Standing")
class Standing(enum.Enum):
    """How a participant comes out of a round."""

    GOOD = 0  # shares in the round's reward
    LOSING = 1  # loses s_p
    ABSENT = 2  # loses s_abs
    EXEMPT = 3  # neither


@scale_enum("pallet_fl_alliance::EndReason")
class EndReason(enum.Enum):
    """Why a task ended."""

    ALL_ROUNDS = 0
    LIFETIME = 1
    PAUSED_TOO_LONG = 2
    CANCELLED = 3
