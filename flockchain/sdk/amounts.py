"""Amounts of FML as people write them: "12.5 FML" to planck and back, exactly.

Invariant: `parse_amount(format_amount(planck)) == planck`; no float is involved.

Source: WP III.A (the token FML; 1 FML = 10^18 planck).
"""

from __future__ import annotations

import re
from typing import Final

from runtime.primitives.types import FML

_DECIMALS: Final = 18
_AMOUNT: Final = re.compile(
    r"(?P<whole>[0-9][0-9_,]{0,40})(?:\.(?P<part>[0-9]{1,18}))?\s*(?P<unit>FML|planck)?",
    re.ASCII | re.IGNORECASE,
)
_U128_MAX: Final = 2**128 - 1


class AmountError(ValueError):
    """Text that is no amount; the message says what is expected."""


def parse_amount(text: str) -> int:
    """Planck of "12.5 FML", "12.5" (FML is meant) or "1000 planck". Raises AmountError."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise AmountError(f"{text[:60]!r} is no amount; write it as 12.5 FML, or 1000 planck")
    whole = int(match["whole"].replace("_", "").replace(",", ""))
    part = match["part"] or ""
    if (match["unit"] or "fml").lower() == "planck":
        if part:
            raise AmountError(f"{text[:60]!r}: a planck is the smallest unit")
        planck = whole
    else:
        planck = whole * FML + int(part.ljust(_DECIMALS, "0"))
    if planck > _U128_MAX:
        raise AmountError(f"{text[:60]!r} is more than an account can hold")
    return planck


def format_amount(planck: int) -> str:
    """Planck as FML with as many decimals as it has: "12.5 FML"."""
    sign, planck = ("-", -planck) if planck < 0 else ("", planck)
    whole, part = divmod(planck, FML)
    decimals = str(part).rjust(_DECIMALS, "0").rstrip("0") if part else ""
    return f"{sign}{whole}{'.' if decimals else ''}{decimals} FML"
