"""What juries keep: the matter, who was drawn, what each says, and how it ended.

Source: WP II.C, V.D (validators evaluate what others claim).
"""

from __future__ import annotations

import enum
from typing import Annotated, Final

from runtime import frame
from runtime.economy.tasks import ContentDigest
from runtime.primitives.scale import Limit, ScaleEnum, codec_of, scale_enum
from runtime.primitives.types import U32, AccountId, Balance, BlockNumber, Bytes32
from runtime.primitives.vouchers import Answer

JURY: Final = 5  # validators drawn for a case
MAJORITY: Final = 3
JURORS_MAX: Final = 256  # a draw looks at all of them
SILENT_DAYS: Final = 7  # without a juror's fees: skipping a case costs more than judging it
SILENT_MAX: Final = 64  # who was silent and is remembered, the latest
CASES_MAX: Final = 32  # on their way
MOVES_MAX: Final = 2  # cases that go on in one block
FINISHED_MAX: Final = 100  # cases whose outcome is kept


class Matter(ScaleEnum, path="pallet_marketplace::Matter"):
    """What a jury decides."""


class Disputed(Matter, index=0, flat=True):
    """Whether an answer is what the pinned model gives, within its task's tolerance."""

    answer: Answer


class Measured(Matter, index=1):
    """What a data set added to the model of a task: `without` is a model trained without it.

    The set's owner names it; whoever cannot see that it was trained so says NoData.
    """

    dataset: ContentDigest
    task: U32
    without: ContentDigest


class Verdict(ScaleEnum, path="pallet_marketplace::Verdict"):
    """What a juror found."""


class Right(Verdict, index=0):
    """The answer is the model's."""


class Wrong(Verdict, index=1):
    """The answer is not the model's."""


class NoData(Verdict, index=2):
    """Whoever opened the case withholds what it is about."""


class Scores(Verdict, index=3):
    """Scores in [0, 10^9] of the model, and of the one without the data set."""

    with_set: U32
    without_set: U32

    def impact(self) -> int:
        """What the data set added; 0 if it harmed."""
        return max(self.with_set - self.without_set, 0)


VERDICT: Final = codec_of(Verdict)


@scale_enum("pallet_marketplace::CaseStage")
class CaseStage(enum.Enum):
    """Where a case is, or how it ended."""

    DRAWING = 0
    SEALING = 1
    OPENING = 2
    UPHELD = 3  # the answer was wrong, or the data set's impact is known
    REJECTED = 4
    VOID = 5  # too few jurors, or no three of them agree


@frame.scale_type
class Juror:
    """A drawn validator, its sealed verdict, and the verdict once opened."""

    who: AccountId
    seal: Bytes32 | None = None
    verdict: Verdict | None = None


@frame.scale_type
class Case:
    """A matter before a jury. `bond`, and `fee` for each juror, are held of who opened it."""

    opener: AccountId
    matter: Matter
    bond: Balance
    fee: Balance
    stage: CaseStage
    until: BlockNumber
    jurors: Annotated[list[Juror], Limit(JURY)]

    def held(self) -> int:
        """All that is held for it."""
        return self.bond + JURY * self.fee


@frame.scale_type
class LiveCase:
    """A case on its way: it goes on at block `until`."""

    case: U32
    until: BlockNumber
    is_drawing: bool


@frame.scale_type
class Silent:
    """Who was drawn, said nothing, and may not stand ready before a day."""

    who: AccountId
    until_day: U32


@frame.scale_type
class Contribution:
    """A data set for a model, by its owner. `task`: a follow-up task that trains on it.

    `impact`: what it added to that task's model, in score units; None until it is measured.
    """

    owner: AccountId
    model: ContentDigest
    block: BlockNumber
    task: U32 | None = None
    impact: U32 | None = None


SilentJurors = Annotated[list[Silent], Limit(SILENT_MAX)]
LiveCases = Annotated[list[LiveCase], Limit(CASES_MAX)]
FinishedCases = Annotated[list[U32], Limit(FINISHED_MAX)]
