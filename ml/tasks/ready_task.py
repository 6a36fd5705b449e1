"""A task that is ready to be created: its specification and the data that it names.

Source: WP V.A, V.C.
"""

from __future__ import annotations

from dataclasses import dataclass

from ml.tasks.spec import TaskSpec


@dataclass(frozen=True, slots=True)
class ReadyTask:
    """The specification, and the three data sets that it names, as canonical files."""

    spec: TaskSpec
    train: bytes
    validation_a: bytes
    validation_b: bytes
