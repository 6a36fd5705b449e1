"""What the creator of an FL Alliance task declares, its limits, and what the DAO decides for all.

Source: WP VI.A, VI.B (stake, roles), WP VI.E (the vote), Algorithm 2 (slash rate, threshold,
participantsDistributionRate, TotalRounds).
"""

from __future__ import annotations

import enum
from typing import Final

from runtime import frame
from runtime.economy.tasks import ContentDigest
from runtime.pallets.fl_alliance.stages import Stage
from runtime.primitives.rational import Rational
from runtime.primitives.scale import scale_enum
from runtime.primitives.types import U8, U16, U32, Balance

NAME_BYTES_MAX: Final = 64
ROUNDS_MAX: Final = 1_000
DAYS_MAX: Final = 365
PARTICIPANTS_MAX: Final = 256  # drawn in one round
UNITS_MAX: Final = 1_024
AGGREGATORS_MAX: Final = 3  # that may try in one round
CLIENTS_MIN: Final = 3  # of two each would learn the other's update from the sum
MASKED_CLIENTS_MAX: Final = 128  # that share secrets: what they post grows with their square
PROPOSERS_MIN: Final = 4  # where sums are: one may drop out, and three still hide one another
FINAL_WINDOW_MIN: Final = 8
"""Blocks of a window in which one may act on final blocks alone: a block is final after two or
three more, five if a round of votes fails; two until what is sent then stands in a block; one in
hand."""
COMMITMENTS_MAX: Final = 3_072  # of a round: what a proof's check takes grows with them
FRACTION_BITS_MAX: Final = 24  # of an int32
PARTS_MAX: Final = 10**6  # denominators of rates


@scale_enum("pallet_fl_alliance::Mode")
class Mode(enum.Enum):
    """Who sees single updates and who aggregates them. Never renumber."""

    OPEN = 0  # every voter has all updates and aggregates itself
    ZK = 1  # one aggregator has them and proves its sum
    ZK_MASKED = 2  # nobody has them: the aggregator proves a sum of masked ones


@frame.scale_type
class RoundWindows:
    """The longest that each phase of a round lasts, in blocks; it ends when all have acted.

    `check_in`: proofs; `propose`: training and sealed proposals; `disclose`: their opening;
    `report`: which proposals can be had; `aggregate`: the aggregator's proof, 0 in open mode;
    `vote`: evaluation and sealed votes; `open`: their opening. `share`, `unmask`: the secrets of
    masks and their shares, 0 but in masked mode. There `propose` and `unmask` wait for finality.
    """

    check_in: U32
    propose: U32
    disclose: U32
    report: U32
    aggregate: U32
    vote: U32
    open: U32
    share: U32 = 0
    unmask: U32 = 0

    def of_participants(self) -> tuple[int, ...]:
        """The windows in which participants act."""
        before = (self.check_in, self.propose, self.disclose, self.report)
        return (*before, self.vote, self.open)

    def of_stage(self, stage: Stage) -> int:
        """How long a timed stage lasts at most, in blocks."""
        return {
            Stage.CHECK_IN: self.check_in,
            Stage.PROPOSE: self.propose,
            Stage.DISCLOSE: self.disclose,
            Stage.REPORT: self.report,
            Stage.AGGREGATE: self.aggregate,
            Stage.VOTE: self.vote,
            Stage.OPEN: self.open,
            Stage.SHARE: self.share,
            Stage.UNMASK: self.unmask,
        }[stage]

    def total(self) -> int:
        """The longest that a round lasts, in blocks; each aggregator has its own time and vote.

        Its time begins again, once, when it shows a client's fault.
        """
        each = self.disclose + self.report + 2 * self.aggregate + self.vote + self.open
        again = each if self.aggregate else 0
        once = sum(self.of_participants()) + self.share + self.unmask
        return once + 2 * self.aggregate + (AGGREGATORS_MAX - 1) * again


@frame.scale_type
class AllianceTerms:
    """The terms of a task; amounts in planck, rates as parts of 1.

    `origin` is the finished Arena task that it starts from, `quantity` what each participant
    stakes, `rounds` T, `days` the lifetime from creation. Of N members ⌈`participation`·N⌉ take
    part in a round, of these n ⌈`proposing`·n⌉ propose and the others vote; without `voters_min`
    voters there is no round, with fewer than ⌈`quorum`⌉ of them revealing it is void. `tolerance`:
    ε; `slash`: s_p; `threshold`: the part of the quantity below which a participant is expelled.
    Weights are fixed point with `fraction_bits`. A participant has up to `units_max` units of
    `unit_samples` training samples. `attributes`: whether the proposers that most drawn
    voters mark as harmful lose, in accepted rounds too, those of a rejected aggregate that they do
    not mark are spared, and voters lose that alone accuse most of a round. `zero_update`: the
    content id of an update that changes nothing. `spec` names the canonical specification.
    `parameters`: how many numbers a model has, 0 in open mode.
    """

    name: str
    spec: ContentDigest
    mode: Mode
    origin: U32
    quantity: Balance
    rounds: U16
    days: U16
    participation: Rational
    proposing: Rational
    voters_min: U16
    quorum: Rational
    tolerance: Rational
    slash: Rational
    threshold: Rational
    windows: RoundWindows
    fraction_bits: U8
    unit_samples: U32
    units_max: U16
    attributes: bool
    zero_update: ContentDigest
    parameters: U32 = 0


@frame.scale_type
class AllianceParameters:
    """What the DAO decides for all tasks. `absence_slash`: s_abs."""

    absence_slash: Rational = Rational(1, 10)
