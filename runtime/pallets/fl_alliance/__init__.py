"""The FL Alliance: federated training in rounds of proposals and votes, rewarded and slashed.

Source: WP VI.
"""

from runtime.pallets.fl_alliance.pallet import FlAlliance
from runtime.pallets.fl_alliance.storage import Config

__all__ = ["Config", "FlAlliance"]
