"""How participants cheat where an aggregator sums, for experiments: each is caught by the protocol.

Source: WP VI.H; zkFL (arXiv 2310.02554) 3 (a malicious aggregator); docs/zk.md.
"""

from __future__ import annotations

from enum import StrEnum


class SumCheat(StrEnum):
    """What a cheating client, or first aggregator of a round, does; it is honest in all else."""

    OTHER_WEIGHT = "other-weight"  # proves a sum in which one client has another weight
    OTHER_SUM = "other-sum"  # proves the sum, and hands out one with one number changed
    OTHER_NUMBER = "other-number"  # as a client: sends another number than it committed to
    KEPT_BACK = "kept-back"  # as a client: commits, and hands nothing out
