"""Marketplace: hosts serve models that won, callers pay them; see `pallet`.

Source: WP II.C, III.B.2.
"""

from runtime.pallets.marketplace.pallet import Marketplace
from runtime.pallets.marketplace.storage import Config

__all__ = ["Config", "Marketplace"]
