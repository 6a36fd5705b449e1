"""The chapter of the marketplace: models that won are served, paid, doubted and proved.

Source: WP II.C, II.D.6, III.B.2; WP VI.H (certificates).
"""

from flockchain.devnet.market.chapter import MarketChapter

__all__ = ["MarketChapter"]
