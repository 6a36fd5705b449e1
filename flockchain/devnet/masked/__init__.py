"""The chapter of masked sums: nobody sees a single update, and two clients drop out.

Source: WP VI.H; Bonawitz et al. (2017).
"""

from flockchain.devnet.masked.chapter import MaskedChapter

__all__ = ["MaskedChapter"]
