"""Tasks: who may create one, who takes part, when it starts and how it ends.

Source: WP V.A, WP IV.A.
"""

from runtime.pallets.tasks.pallet import Config, Tasks
from runtime.pallets.tasks.records import TaskCreated, TaskEnded, TaskStarted

__all__ = ["Config", "TaskCreated", "TaskEnded", "TaskStarted", "Tasks"]
