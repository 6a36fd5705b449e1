"""Which payers of a host's day are in its sample: drawn by what each paid, in whole numbers.

Every payment draws a ticket -log2(u) / paid, and the lowest tickets of so many callers stay. The
lowest of several tickets is drawn like one of the sum of what they paid: paying in small parts, or
out of many accounts, gains nothing.
Source: WP II.C, II.D.6; Efraimidis and Spirakis, Weighted random sampling with a reservoir (2006).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from runtime.pallets.marketplace.records import RATERS_MAX, Rater

_BITS: Final = 32  # of a logarithm, behind the point
_MANTISSA: Final = 64
_SCALE: Final = 80  # bits; a ticket has less than 128, and 10^9 FML still tell tickets apart


def ticket_of(number: int, paid: int) -> int:
    """The ticket of `paid` planck, above 0, by a uniform number of 256 bits."""
    return ((256 << _BITS) - _log2(number + 1) << _SCALE) // paid


def with_payment(raters: Sequence[Rater], paying: Rater) -> list[Rater]:
    """The sample after a payment of `paying.paid`; a caller is in it once."""
    found = list(raters)
    for place, each in enumerate(found):
        if each.caller == paying.caller:
            ticket = min(each.ticket, paying.ticket)
            found[place] = replace(each, paid=each.paid + paying.paid, ticket=ticket)
            return found
    if len(found) < RATERS_MAX:
        return [*found, paying]
    last = max(range(RATERS_MAX), key=lambda place: found[place].ticket)
    if paying.ticket < found[last].ticket:
        found[last] = paying
    return found


def _log2(number: int) -> int:
    """The binary logarithm of a number above 0, floored to `_BITS` bits behind the point."""
    whole = number.bit_length() - 1
    mantissa = (number << _MANTISSA) >> whole
    behind = 0
    for _ in range(_BITS):
        mantissa = mantissa * mantissa >> _MANTISSA
        is_two = mantissa >> (_MANTISSA + 1)
        mantissa >>= is_two
        behind = behind << 1 | is_two
    return whole << _BITS | behind
