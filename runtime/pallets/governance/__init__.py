"""Governance: locks that vote on what the chain does; see `pallet`.

Source: WP VII.
"""

from runtime.pallets.governance.pallet import Governance
from runtime.pallets.governance.storage import Config

__all__ = ["Config", "Governance"]
