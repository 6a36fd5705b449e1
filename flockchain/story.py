"""Which story a devnet tells.

Source: WP V.I, VI.G (the worked examples, on real data).
"""

from enum import StrEnum


class Story(StrEnum):
    """What is told after the Arena's chapter."""

    NONE = "none"  # not even that
    WHOLE = "whole"
    MASKED = "masked"  # a masked sum alone
