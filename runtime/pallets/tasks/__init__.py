"""Tasks: who may create one, who takes part, when it starts and how it ends.

Source: WP V.A, WP IV.A.
"""

from runtime.pallets.tasks.pallet import Tasks
from runtime.pallets.tasks.records import BountyAdded, TaskCreated, TaskEnded, TaskStarted
from runtime.pallets.tasks.storage import Config

__all__ = ["BountyAdded", "Config", "TaskCreated", "TaskEnded", "TaskStarted", "Tasks"]
