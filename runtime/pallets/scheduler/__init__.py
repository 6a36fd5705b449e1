"""Scheduler: calls that are made in a later block; see `pallet`.

Source: Substrate `pallet_scheduler`.
"""

from runtime.pallets.scheduler.pallet import Config, Scheduler

__all__ = ["Config", "Scheduler"]
