"""What delegators ask before they choose: the yields of a task's operators, typed in the metadata.

Source: Substrate runtime APIs (`decl_runtime_apis!`); WP II.D (delegation), WP V.E to V.H.
"""

from __future__ import annotations

from typing import Final

from runtime.frame.runtime_api import runtime_api
from runtime.primitives.types import U16, U32
from runtime.runtime import Runtime
from runtime.yields import TaskBooks, TaskYields

DAYS_MAX: Final = 30  # as long as mainnet keeps the records of a day


@runtime_api("YieldApi", version=1)
class YieldApi:
    """What stake behind the operators of tasks earned lately."""

    _runtime: Runtime

    def live_task_numbers(self) -> list[U32]:
        """The numbers of the tasks that have not ended."""
        return self._runtime.tasks.live.get()

    def task_yields(self, task: U32, days: U16) -> TaskYields | None:
        """Yields over the last `days` settled days, from 1 to 30; None if the task is not live."""
        runtime = self._runtime
        found = runtime.tasks.tasks.find(task)
        if found is None or not found.status.is_live():
            return None
        return TaskBooks(runtime, task, min(max(days, 1), DAYS_MAX)).yields()
