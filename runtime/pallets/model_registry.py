"""Model registry: the consensus model of every completed task, and what it was made from.

Invariant (`try_state`): a task has at most one model, and every content id leads to the first task
that it won.
Source: WP V.H (task completion), WP VI.B (a finished Arena task is where an FL task starts).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from runtime import frame
from runtime.economy.tasks import ContentDigest
from runtime.frame.traits import BlockInfo
from runtime.primitives.scale import Limit
from runtime.primitives.types import U32, U128, AccountId

PARENTS_MAX = 8


@frame.scale_type
class Model:
    """A consensus model; its score is numerator / denominator of full scale 10^9.

    That of an FL Alliance task has score 0, since votes decided, and in place of a submission the
    round that accepted it; its owner is the task's creator. `parents` are the models that its task
    started from, by content id.
    """

    content: ContentDigest
    task: U32
    submission: U32
    owner: AccountId
    score_numerator: U128
    score_denominator: U128
    parents: Annotated[list[ContentDigest], Limit(PARENTS_MAX)]
    block: U32


@frame.event(0)
class ModelRecorded:
    """A task ended with this consensus model."""

    task: U32
    content: ContentDigest
    owner: AccountId


@dataclass(frozen=True)
class Config:
    """No constants."""


class ModelRegistry(frame.Pallet[Config], index=35):
    models = frame.StorageMap[int, Model](U32, Model, docs="The consensus model of a task.")
    by_content = frame.StorageMap[bytes, int](
        ContentDigest, U32, docs="The first task that a content id won."
    )

    def __init__(self, ext: frame.Externalities, config: Config, *, block: BlockInfo) -> None:
        super().__init__(ext, config)
        self.block = block

    def record_model(
        self,
        task: int,
        content: bytes,
        submission: int,
        owner: AccountId,
        score: tuple[int, int],
        parents: list[bytes],
    ) -> None:
        """Enter the model of a completed task, once. Emits ModelRecorded."""
        assert not self.models.contains(task), f"task {task} has a model"
        number = self.block.block_number()
        self.models.put(task, Model(content, task, submission, owner, *score, parents, number))
        if not self.by_content.contains(content):
            self.by_content.put(content, task)
        self.deposit_event(ModelRecorded(task, content, owner))

    def model_of(self, task: int) -> Model | None:
        """The consensus model of a task; None while it runs or if nobody was ranked."""
        return self.models.find(task)

    def find_model(self, content: bytes) -> Model | None:
        """The model of the first task that a content id won; None for content that never won."""
        task = self.by_content.find(content)
        return None if task is None else self.models.get(task)

    def lineage(self, content: bytes) -> list[Model]:
        """The models that led to this one, the nearest first, each once; 64 at most."""
        found: list[Model] = []
        queue, seen = [content], {content}
        while queue and len(found) < 64:
            task = self.by_content.find(queue.pop(0))
            if task is None:
                continue
            model = self.models.get(task)
            found.append(model)
            fresh = [parent for parent in model.parents if parent not in seen]
            seen.update(fresh)
            queue.extend(fresh)
        return found

    def try_state(self) -> None:
        for task, model in self.models.items():
            first = self.models.get(self.by_content.get(model.content))
            assert first.content == model.content, f"model of task {task}"
            assert first.block <= model.block
