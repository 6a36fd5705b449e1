"""What is left to do for a task that ended: show everybody the model that won it.

The consensus model's owner publishes it in plain; its other models stay secret and are forgotten.
It waits until the end is final, so that no fork makes a model public too early.

Source: WP V.H (task completion), WP IV.A.2 (what an FL task starts from).
"""

from __future__ import annotations

import logging

from flockchain.workers.desk import Desk
from flockchain.workers.moment import Moment
from flockchain.workers.state_file import KeptModel
from runtime.pallets.model_registry import ModelRegistry
from runtime.pallets.tasks import Tasks

log = logging.getLogger(__name__)


class FinishedTask:
    """One key's models in one task."""

    def __init__(self, desk: Desk, task: int) -> None:
        self._desk = desk
        self._task = task

    async def step(self, now: Moment) -> None:
        """Publish the winner, if it is one's own; forget the rest. Raises SdkError."""
        state, final = self._desk.state, await self._desk.client.at_finalized()
        record = await final.find(Tasks.tasks, self._task)
        if record is None or record.status.is_live():
            return
        best = await final.find(ModelRegistry.models, self._task)
        is_ours = best is not None and best.owner == self._desk.key.account
        kept = state.find_kept(self._task, best.content) if best and is_ours else None
        if kept is not None and not kept.is_published:
            name = ("publish", self._task, kept.content)
            winner = kept
            if self._desk.jobs.poll(name, now.head.number, lambda: self._publish(winner)) is None:
                return
            state.mark_published(kept)
        state.drop_models(self._task, () if best is None or kept is None else (best.content,))

    async def _publish(self, kept: KeptModel) -> bytes:
        """Raises SdkError, FileNotFoundError."""
        content = await self._desk.client.put_blob(
            self._desk.state.read_model(kept), self._desk.key
        )
        log.info("%s published the model that won task %d", self._desk.name, self._task)
        return content
