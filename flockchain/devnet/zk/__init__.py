"""The chapter of proved sums: one aggregates, cheats, is caught and replaced within the round.

Source: WP VI.H; zkFL (arXiv 2310.02554).
"""

from flockchain.devnet.zk.chapter import ZkChapter

__all__ = ["ZkChapter"]
