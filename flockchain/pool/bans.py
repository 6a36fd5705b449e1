"""Bans: extrinsics found invalid for good are not looked at again for a while.

Invariant: at most `count_max` bans, the oldest are lifted first.

Source: Substrate `sc_transaction_pool::graph::rotator::PoolRotator`.
"""

from __future__ import annotations

from collections import OrderedDict

from runtime.frame.errors import InvalidKind, InvalidTransaction, TransactionValidityError
from runtime.primitives.types import Hash


class BanList:
    """Hashes of extrinsics and until when they are banned, in ms."""

    def __init__(self, ban_ms: int, count_max: int) -> None:
        self._ban_ms = ban_ms
        self._count_max = count_max
        self._until: OrderedDict[Hash, int] = OrderedDict()

    def is_banned(self, extrinsic: Hash, now_ms: int) -> bool:
        """Whether the ban still holds."""
        until = self._until.get(extrinsic)
        if until is not None and until <= now_ms:
            del self._until[extrinsic]
            return False
        return until is not None

    def ban(self, extrinsic: Hash, now_ms: int) -> None:
        """Refuse the extrinsic from now on."""
        self._until[extrinsic] = now_ms + self._ban_ms
        while len(self._until) > self._count_max:
            self._until.popitem(last=False)

    def lift(self, extrinsic: Hash) -> None:
        """Forget a ban, if there is one."""
        self._until.pop(extrinsic, None)


def is_lasting(error: TransactionValidityError) -> bool:
    """Whether the same bytes can hardly become valid again: only such are banned."""
    return isinstance(error, InvalidTransaction) and error.kind in (
        InvalidKind.BAD_PROOF,
        InvalidKind.CALL,
        InvalidKind.BAD_SIGNER,
        InvalidKind.STALE,
        InvalidKind.ANCIENT_BIRTH_BLOCK,
    )
