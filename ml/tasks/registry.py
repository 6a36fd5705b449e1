"""The kinds of task that exist, by the name that a specification gives.

Owns the one table from a kind's name to its class. Invariant: a specification that opens here was
checked whole: its form by `TaskSpec.parse`, its model and metric by the kind.
Source: WP V.D, VIII.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import torch

from ml.tasks import classification
from ml.tasks.interface import Task
from ml.tasks.spec import LANGUAGE, TaskSpec, TaskSpecError


def _open_language(spec: TaskSpec, device: torch.device) -> Task:
    from ml.tasks.language import LanguageTask  # seconds: it loads transformers

    return LanguageTask(spec, device)


KINDS: Final[Mapping[str, Callable[[TaskSpec, torch.device], Task]]] = {
    classification.KIND: classification.ClassificationTask,
    LANGUAGE: _open_language,
}


def open_task(spec: TaskSpec, device: torch.device) -> Task:
    """The task of a specification, without data yet. Raises `TaskSpecError`."""
    kind = KINDS.get(spec.kind)
    if kind is None:
        raise TaskSpecError(f"kind {spec.kind!r} is not one of {', '.join(sorted(KINDS))}")
    return kind(spec, device)
