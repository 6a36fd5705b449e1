"""From an address to the account that is meant.

Source: Substrate `sp_runtime::traits::StaticLookup` (`AccountIdLookup`).
"""

from __future__ import annotations

from runtime.frame.errors import CannotLookup
from runtime.primitives.multi import Id, MultiAddress
from runtime.primitives.types import AccountId


def look_up(address: MultiAddress) -> AccountId:
    """The account id. Raises CannotLookup for the other kinds of addresses."""
    if not isinstance(address, Id):
        raise CannotLookup
    return address.account
