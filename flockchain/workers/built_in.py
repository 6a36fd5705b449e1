"""Tasks whose data ships with the program: handwritten digits, and questions for a tiny Llama.

Their creator needs no files: data sets and specification are made anew from the seed. Invariant:
torch is imported where these functions run, and they run in the training process.

Source: WP V.A, V.C.
"""

from __future__ import annotations

from flockchain.workers.publishing import TaskPackage, package_task
from ml.tasks.ready_task import ReadyTask


def digits_package(
    key: bytes,
    *,
    title: str,
    seed: int,
    days: int,
    seats: int,
    final_seats: int,
    duplicate_distance: int | None = None,
) -> TaskPackage:
    """The digits task of a seed; `key` seals its set B. Raises PublishingError."""
    from ml.tasks.digits import create_digits_task  # with torch

    made = create_digits_task(title, seed)
    return _package(made, key, days, seats, final_seats, duplicate_distance)


def questions_package(
    key: bytes,
    *,
    title: str,
    seed: int,
    days: int,
    seats: int,
    final_seats: int,
    duplicate_distance: int | None = None,
    questions: bytes | None = None,
) -> TaskPackage:
    """The task of a tiny Llama that answers questions; `key` seals its set B.

    `questions`: a creator's file of them; None: those about FLock. Raises PublishingError,
    TaskSpecError.
    """
    from ml.tasks.questions import ABOUT_FLOCK, create_questions_task, read_asked  # with torch

    asked = ABOUT_FLOCK if questions is None else read_asked(questions)
    made = create_questions_task(title, seed, asked)
    return _package(made, key, days, seats, final_seats, duplicate_distance)


def built_in_blobs(wanted: tuple[bytes, bytes]) -> tuple[bytes, ...]:
    """The blobs of a shipped task in its default form, by specification and key; else none."""
    from ml.tasks.digits import create_digits_task  # with torch

    spec, key = wanted
    made = create_digits_task()
    if made.spec.content_id() != spec:
        return ()
    return _package(made, key, days=2, seats=1, final_seats=1).blobs


def _package(
    made: ReadyTask,
    key: bytes,
    days: int,
    seats: int,
    final_seats: int,
    duplicate_distance: int | None = None,
) -> TaskPackage:
    return package_task(
        made.spec,
        (made.train,),
        made.validation_a,
        made.validation_b,
        key,
        days=days,
        seats=seats,
        final_seats=final_seats,
        duplicate_distance=duplicate_distance,
    )
