"""What the marketplace asks of others.

Source: WP II.C (only models that won are hosted), WP V.H (which these are).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

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


class Models(Protocol):
    """Who knows the consensus models."""

    def lineage(self, content: bytes) -> Sequence[HostedModel]:
        """The model and those that led to it, the nearest first, each once; a bounded number.
        Nothing for content that never won."""
