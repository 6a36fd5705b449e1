"""Trends: a vote on the models that were paid for most; see `pallet`.

Source: litepaper, governance.
"""

from runtime.pallets.trends.pallet import Trends
from runtime.pallets.trends.storage import Config

__all__ = ["Config", "Trends"]
