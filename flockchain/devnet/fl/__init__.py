"""The chapter of the FL Alliance: who plays, what they do, what is told and what must be true.

Source: WP VI, WP VI.G (the worked example), WP VI.F (malicious participants).
"""

from flockchain.devnet.fl.chapter import FlChapter

__all__ = ["FlChapter"]
