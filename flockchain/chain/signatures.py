"""A cache in front of the chain's signature check: what the pool checked, import need not.

Only good signatures are kept; the key is everything that the verdict depends on.

Source: Substrate checks in the pool and in the block; measured, a check is half of a transfer.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from runtime.frame.executive import Verifier, verify_signature
from runtime.primitives.multi import MultiSignature
from runtime.primitives.types import AccountId

SIGNATURES_MAX: Final = 16_384


class SignatureCache:
    """A verifier that remembers the last `count_max` good signatures."""

    def __init__(
        self, verify: Verifier = verify_signature, count_max: int = SIGNATURES_MAX
    ) -> None:
        self._verify = verify
        self._count_max = count_max
        self._good: OrderedDict[tuple[type, bytes, AccountId, bytes], None] = OrderedDict()

    def __call__(self, signature: MultiSignature, who: AccountId, message: bytes) -> bool:
        # Bytes hash once and fast; a record would hash its fields anew at each look-up.
        key = (type(signature), signature.signature, who, message)  # type: ignore[attr-defined]
        if key in self._good:
            return True
        is_good = self._verify(signature, who, message)
        if is_good:
            self._good[key] = None
            if len(self._good) > self._count_max:
                self._good.popitem(last=False)
        return is_good
