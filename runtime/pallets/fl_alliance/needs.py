"""What the FL Alliance asks of other pallets.

Source: WP IV.A.2 (a finished Arena task as origin; emission), WP VI.A.
"""

from __future__ import annotations

from typing import Protocol

from runtime.economy.tasks import ContentDigest, Task
from runtime.primitives.types import AccountId, Balance


class TaskBook(Protocol):
    """Who keeps the Arena's tasks and numbers all tasks."""

    def take_number(self) -> int:
        """A number that no task has."""

    def get_task(self, task: int) -> Task:
        """The record of an Arena task. Raises a ModuleError for an unknown one."""

    def note_rewarded(self, who: AccountId) -> None:
        """Training or voting paid a participant."""


class Locks(Protocol):
    """Who keeps locked tokens, which count for the minimum of creators."""

    def spare(self, who: AccountId) -> Balance:
        """What an account's lock counts and no minimum needs yet, planck."""

    def cover(self, who: AccountId, amount: Balance) -> None:
        """Let a part of that, not more, stand in for stake until it is given back."""

    def uncover(self, who: AccountId, amount: Balance) -> None:
        """Give a part back."""


class EmissionSource(Protocol):
    """Who mints."""

    def reward_of(self, day: int, task: int) -> Balance:
        """The task's part of the day."""

    def mint(self, day: int, task: int, who: AccountId, amount: Balance) -> None:
        """Mint of the task's part of a day that began less than eight days ago."""


class FinishedModel(Protocol):
    """A model that a completed task left."""

    @property
    def content(self) -> ContentDigest:
        """Its content id."""


class ModelRegistry(Protocol):
    """Who records models of finished tasks."""

    def model_of(self, task: int) -> FinishedModel | None:
        """The model of a finished task; None if it has none."""

    def record_model(
        self,
        task: int,
        content: bytes,
        submission: int,
        owner: AccountId,
        score: tuple[int, int],
        parents: list[bytes],
    ) -> None:
        """Enter the model of a finished task."""
