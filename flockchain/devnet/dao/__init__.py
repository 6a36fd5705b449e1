"""The DAO's chapter of the devnet's story; see `chapter`.

Source: WP VII.
"""

from flockchain.devnet.dao.chapter import DaoChapter

__all__ = ["DaoChapter"]
