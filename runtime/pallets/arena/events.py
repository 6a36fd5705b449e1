"""What the arena tells off-chain workers, and why it refuses a call.

Source: WP V.B to V.H; WP Fig. 3 (the workflow of a task).
"""

from __future__ import annotations

from runtime import frame
from runtime.economy.tasks import Role
from runtime.pallets.arena.records import PaymentKind, Submitter
from runtime.primitives.types import U32, U64, U128, AccountId, Balance, Bytes32, Hash


@frame.event(0)
class SubmissionCommitted:
    """A sealed submission; its number orders ties and draws."""

    task: U32
    submission: U32
    submitter: Submitter
    seal: Hash


@frame.event(1)
class SubmissionRevealed:
    """The submission is of this content; it is scored from today until its owner replaces it.

    Peers fetch `ciphertext`, of so many bytes; its owner hands the key to the drawn validators.
    """

    task: U32
    submission: U32
    submitter: Submitter
    content: Bytes32
    ciphertext: Bytes32
    size_bytes: U64


@frame.event(2)
class SeatsDrawn:
    """Committees are known: drawn validators fetch, score and seal."""

    task: U32
    day: U32
    submissions: U32
    validators: U32


@frame.event(3)
class ScoresCommitted:
    """A validator sealed its score sheet."""

    task: U32
    day: U32
    validator: AccountId


@frame.event(4)
class ScoresRevealed:
    """A validator opened its sheet of so many verdicts."""

    task: U32
    day: U32
    validator: AccountId
    verdicts: U32


@frame.event(5)
class SubmissionScored:
    """The consensus score is numerator / denominator of full scale 10^9."""

    task: U32
    day: U32
    submission: U32
    numerator: U128
    denominator: U128


@frame.event(6)
class DayScored:
    """The day's ranking and payments are known. Amounts in planck."""

    task: U32
    day: U32
    ranked: U32
    reward: Balance
    vested: Balance


@frame.event(7)
class Paid:
    """`who` got `amount`; `operator` is who earned it: itself or the one it delegates to."""

    task: U32
    day: U32
    who: AccountId
    operator: AccountId
    role: Role
    kind: PaymentKind
    amount: Balance


@frame.event(8)
class Undeliverable:
    """A payment is below what `who`, who has no account any more, could hold: treasury has it."""

    task: U32
    day: U32
    who: AccountId
    amount: Balance


@frame.event(9)
class DaySettled:
    """Everything that the day pays is paid, but for nodes that it holds."""

    task: U32
    day: U32


@frame.event(10)
class TaskCompleted:
    """The task ended; `content` is its consensus model, if any submission was ever ranked."""

    task: U32
    content: Bytes32 | None


@frame.event(11)
class TaskFailed:
    """No submission ever had a counted score."""

    task: U32


@frame.event(12)
class SealingKeySet:
    """What is sealed to `key` only `who` can open."""

    who: AccountId
    key: Bytes32


@frame.event(13)
class KeysShared:
    """The owner of a submission sealed its key to so many of today's validators."""

    task: U32
    day: U32
    submission: U32
    validators: U32


@frame.event(20)
class BehaviourCopied:
    """A submission behaves as an earlier one of another owner: it is not ranked that day."""

    task: U32
    day: U32
    submission: U32
    original: U32


class OutsideWindow(frame.ModuleError, index=0):
    """The day's window for this call is not open."""


class TaskNotActive(frame.ModuleError, index=1):
    """Today is not one of the task's days."""


class SubmissionsFrozen(frame.ModuleError, index=2):
    """On its final day a task scores what was revealed before."""


class NotANode(frame.ModuleError, index=3):
    """The account is no training node of this task with stake at the start of today."""


class QuotaUsed(frame.ModuleError, index=4):
    """As many submissions as the node's stake allows a day were made."""


class NoSuchSeal(frame.ModuleError, index=5):
    """No sealed submission of today matches the model, the salt and the submitter."""


class AlreadyRevealed(frame.ModuleError, index=6):
    """This was revealed before."""


class BadSize(frame.ModuleError, index=7):
    """A model has between 1 byte and 64 GiB."""


class NotDrawn(frame.ModuleError, index=8):
    """The account has nothing to score in this task today, or the draw is not finished."""


class AlreadyCommitted(frame.ModuleError, index=9):
    """The day's score sheet is sealed already."""


class NothingCommitted(frame.ModuleError, index=10):
    """No score sheet was sealed today."""


class WrongSeal(frame.ModuleError, index=11):
    """Scores and salt do not have the hash that was sealed."""


class WrongSheet(frame.ModuleError, index=12):
    """A sheet has one verdict for each submission to score, in ascending order."""


class ScoreTooHigh(frame.ModuleError, index=13):
    """Scores go up to 10^9."""


class DuplicateSeal(frame.ModuleError, index=14):
    """The same seal was committed before today."""


class BadSealingKey(frame.ModuleError, index=15):
    """Nothing can be sealed to this: it is no X25519 key, or one of small order."""


class NotTheOwner(frame.ModuleError, index=16):
    """There is no such submission, or it is another's."""


class NothingToShare(frame.ModuleError, index=17):
    """The list of keys is empty."""


class NoSeat(frame.ModuleError, index=18):
    """The validator has no seat for the submission today."""


class KeyAlreadyShared(frame.ModuleError, index=19):
    """The validator was handed a key of the submission today."""


class NotTheFinalDay(frame.ModuleError, index=20):
    """Only on the final day, which is scored on Dataset B, may the data be called wrong."""


class WrongFingerprint(frame.ModuleError, index=24):
    """A score above 0 has a fingerprint in a task that compares behaviour, and nothing else has."""
