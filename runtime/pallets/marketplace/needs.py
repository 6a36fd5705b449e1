"""What the marketplace asks of others.

Source: WP II.C (only models that won are hosted), WP V.H (which these are).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from runtime.economy.stakes import OperatorStake
from runtime.economy.tasks import Task
from runtime.economy.trends import Multipliers
from runtime.primitives.types import AccountId


class HostedModel(Protocol):
    """A completed task's consensus model."""

    @property
    def content(self) -> bytes:
        """Its content digest."""

    @property
    def task(self) -> int:
        """The first task that it won."""

    @property
    def owner(self) -> AccountId:
        """Who made it."""

    @property
    def score_numerator(self) -> int:
        """Its consensus score, as a fraction; 0 where votes decided."""

    @property
    def score_denominator(self) -> int:
        """What the numerator is divided by."""


class Stakes(Protocol):
    """Who knows the validators of live tasks."""

    def stake_of(self, task: int, who: AccountId, day: int) -> OperatorStake | None:
        """An operator's stake at the start of the day; None without a role in the task."""


class Tasks(Protocol):
    """Who knows the tasks of the Arena."""

    def get_task(self, task: int) -> Task:
        """The record. Raises a ModuleError for an unknown task."""


class Trends(Protocol):
    """Who lists models by payments, and lets votes on them move rewards."""

    def note_payment(self, who: AccountId, model: bytes, burned: int) -> None:
        """Count what a payment for a model burned, planck."""

    def multipliers_of(self, model: bytes) -> Multipliers:
        """What multiplies a model's host claims and royalties now."""


class Models(Protocol):
    """Who knows the consensus models."""

    def find_model(self, content: bytes) -> HostedModel | None:
        """The model of a content id; None for content that never won."""

    def lineage(self, content: bytes) -> Sequence[HostedModel]:
        """The model and those that led to it, the nearest first, each once; a bounded number.
        Nothing for content that never won."""
