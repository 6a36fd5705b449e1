"""The AI Arena: submissions, committees, scores, rankings and rewards.

Source: WP V.
"""

from runtime.pallets.arena.pallet import Arena
from runtime.pallets.arena.storage import Config

__all__ = ["Arena", "Config"]
