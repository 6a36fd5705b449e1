"""Putting a task together: seal set B, and say on chain what the specification says.

Invariant: the terms name exactly the blobs that come with them.

Source: WP V.A (task creation), WP V.H (two validation sets).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flockchain.workers.sealed_dataset import seal_dataset
from ml.tasks.spec import TaskSpec
from runtime.economy.tasks import Hardware, Metric, TaskTerms
from runtime.primitives.content_id import content_id

NAME_BYTES_MAX: Final = 64
_GIB: Final = 1 << 30
_METRICS: Final = {metric.name.lower(): metric for metric in Metric}


class PublishingError(ValueError):
    """Specification and data sets do not make a task; the message says why."""


@dataclass(frozen=True, slots=True)
class TaskPackage:
    """Terms for the chain, blobs to upload, and the secret key of set B."""

    terms: TaskTerms
    blobs: tuple[bytes, ...]
    key: bytes


def package_task(
    spec: TaskSpec,
    training: tuple[bytes, ...],
    validation_a: bytes,
    validation_b: bytes,
    key: bytes,
    *,
    days: int,
    seats: int,
    final_seats: int,
    duplicate_distance: int | None = None,
) -> TaskPackage:
    """A task from its parts. `key`: 32 random bytes, never used before. Raises PublishingError.

    `duplicate_distance`: fingerprints of so many or fewer different bits are copies; None: off.
    """
    metric = _METRICS.get(spec.metric)
    if metric is None:
        raise PublishingError(f"the chain has no metric {spec.metric!r}")
    for what, data, named in (
        *(("training set", *pair) for pair in zip(training, spec.data.train, strict=False)),
        ("validation set A", validation_a, spec.data.validation_a),
        ("validation set B", validation_b, spec.data.validation_b),
    ):
        if content_id(data) != named:
            raise PublishingError(f"the {what} is not the one that the specification names")
    if len(training) != len(spec.data.train):
        raise PublishingError(
            f"{len(training)} training sets, the specification names {len(spec.data.train)}"
        )
    ciphertext, sealed = seal_dataset(validation_b, key)
    encoded = spec.to_bytes()
    terms = TaskTerms(
        name=_short_name(spec.title),
        spec=content_id(encoded),
        metric=metric,
        baseline=spec.baseline,
        days=days,
        validation_a=spec.data.validation_a,
        validation_b=sealed,
        training=list(spec.data.train),
        parents=[],
        seats=seats,
        final_seats=final_seats,
        hardware=Hardware(memory_gib=max(1, -(-spec.limits.memory_bytes_max // _GIB))),
        duplicate_distance=duplicate_distance,
    )
    return TaskPackage(terms, (encoded, *training, validation_a, ciphertext), key)


def ensure_described(spec: TaskSpec, terms: TaskTerms) -> None:
    """Raises PublishingError unless the terms on chain are what the specification says."""
    for what, said, declared in (
        ("metric", spec.metric, terms.metric.name.lower()),
        ("baseline", spec.baseline, terms.baseline),
        ("training data", list(spec.data.train), terms.training),
        ("validation set A", spec.data.validation_a, terms.validation_a),
        ("validation set B", spec.data.validation_b, terms.validation_b.plaintext),
    ):
        if said != declared:
            raise PublishingError(f"the specification names another {what} than the chain")


def _short_name(title: str) -> str:
    """At most 64 bytes of UTF-8, cut between characters."""
    return title.encode()[:NAME_BYTES_MAX].decode(errors="ignore")
