"""The chapter of the AI Arena: who plays, what they do, what is told and what must be true.

Source: WP V, WP Table I (attacks), WP V.I (the worked example, on real data).
"""

from flockchain.devnet.arena.chapter import ArenaChapter

__all__ = ["ArenaChapter"]
