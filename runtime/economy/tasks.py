"""What a task is: roles, metric, data, funding, life.

Source: WP II.B (roles), V.A (task creation), V.D (metric), V.H (two validation sets), IV.A (who
pays).
"""

from __future__ import annotations

import enum
from typing import Annotated, Final

from runtime.economy.parameters import VestingRules
from runtime.economy.schedule import in_force
from runtime.primitives.scale import Limit, ScaleEnum, scale_enum, scale_type
from runtime.primitives.types import U8, U16, U32, AccountId, Balance, Bytes32, Hash

DUPLICATE_DISTANCE_MAX: Final = 16  # of 64 bits: unrelated models are 32 apart on average
VERIFICATIONS_MAX: Final = 32  # changes in a task's life: every one is kept, to explain its days

# The 32-byte digest of a content id.
ContentDigest = Bytes32


@scale_enum("flockchain_economy::Role")
class Role(enum.Enum):
    """One account has one role in a task, for the task's life. Never renumber."""

    CREATOR = 0
    TRAINING_NODE = 1
    TASK_VALIDATOR = 2


@scale_enum("flockchain_economy::Metric")
class Metric(enum.Enum):
    """What validators measure; `ml` maps each to a score in [0, 10^9] in one fixed way."""

    ACCURACY = 0
    LOSS = 1
    BITS_PER_BYTE = 2
    R_SQUARED = 3
    AUC = 4
    MEAN_ABSOLUTE_ERROR = 5


@scale_enum("flockchain_economy::HardwareClass")
class HardwareClass(enum.Enum):
    """What evaluation needs; a validator with a GPU also serves tasks for CPUs."""

    CPU = 0
    GPU = 1


@scale_type
class Hardware:
    """A class and its memory: what a task needs, or what a validator has."""

    kind: HardwareClass = HardwareClass.CPU
    memory_gib: U16 = 1

    def fits(self, need: Hardware) -> bool:
        """Whether this serves the need."""
        return self.kind.value >= need.kind.value and self.memory_gib >= need.memory_gib


@scale_type
class SealedDataset:
    """Dataset B, fixed at creation: what it is, how it travels, blake2b-256 of its key.

    The hash of the key is needed: an AEAD alone would allow two plaintexts of one ciphertext.
    """

    plaintext: ContentDigest
    ciphertext: ContentDigest
    key_hash: Hash


@scale_type
class TaskTerms:
    """What a creator declares. `baseline` is a score that a model must exceed to be paid.

    `spec` names the canonical specification; `training` the public training data; `parents` the
    models that training starts from. `seats` per submission and day, `final_seats` on the last
    day; both 0: no committees, every validator scores everything and weighs by stake.
    `duplicate_distance`: fingerprints of so many or fewer different bits are copies; None: off.
    """

    name: str
    spec: ContentDigest
    metric: Metric
    baseline: U32
    days: U16
    validation_a: ContentDigest
    validation_b: SealedDataset
    training: Annotated[list[ContentDigest], Limit(16)]
    parents: Annotated[list[ContentDigest], Limit(8)]
    seats: U8
    final_seats: U8
    hardware: Hardware = Hardware()
    duplicate_distance: U8 | None = None


class Funding(ScaleEnum, path="flockchain_economy::Funding"):
    """Where a task's rewards come from."""


class Verified(Funding, index=0):
    """The DAO verified the task: it shares in the daily emission."""


class SelfFunded(Funding, index=1):
    """The creator escrowed the whole budget; nothing is minted."""

    budget: Balance


@scale_enum("flockchain_economy::TaskStatus")
class TaskStatus(enum.Enum):
    """A task's life; the last three are ends."""

    SCHEDULED = 0
    ACTIVE = 1
    COMPLETED = 2
    FAILED = 3
    CANCELLED = 4

    def is_live(self) -> bool:
        """Whether stakes are locked in it."""
        return self in (TaskStatus.SCHEDULED, TaskStatus.ACTIVE)


@scale_type
class VerifiedFrom:
    """Whether emission pays for a task from a day on."""

    from_day: U32
    is_verified: bool


@scale_type
class Task:
    """A task on the chain. Its days are `start_day` .. `start_day` + days − 1.

    `has_reveals`: from the first revealed submission the creator can no longer cancel.
    `key`: Dataset B's, once the creator revealed it. `verification`: every grant and withdrawal.
    """

    creator: AccountId
    terms: TaskTerms
    funding: Funding
    vesting: VestingRules
    start_day: U32
    created_at: U32
    status: TaskStatus
    verification: Annotated[list[VerifiedFrom], Limit(VERIFICATIONS_MAX)]
    has_reveals: bool = False
    key: Annotated[bytes, Limit(32)] | None = None

    def final_day(self) -> int:
        """The day that is scored on Dataset B."""
        return self.start_day + self.terms.days - 1

    def is_on(self, day: int) -> bool:
        """Whether `day` is one of the task's days."""
        return self.start_day <= day <= self.final_day()

    def is_verified_on(self, day: int) -> bool:
        """Whether emission pays for that day."""
        return in_force(self.verification, day).is_verified

    def seats_on(self, day: int) -> int:
        """Seats dealt to each submission on that day; 0 without committees."""
        return self.terms.final_seats if day == self.final_day() else self.terms.seats
