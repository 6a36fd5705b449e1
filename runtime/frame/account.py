"""The account record that system keeps and balances fills.

Source: Substrate `frame_system::AccountInfo`, `pallet_balances::AccountData`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from runtime.primitives.scale import scale_type
from runtime.primitives.types import U32, U128, AccountId, Balance, Nonce


@scale_type(path="pallet_balances::types::AccountData")
class AccountData:
    """`free` + `reserved` is all that the account owns; `reserved` is held.

    `frozen` is the largest lock, laid over both; in planck.
    """

    free: Balance = 0
    reserved: Balance = 0
    frozen: Balance = 0
    flags: U128 = 0


@scale_type(path="frame_system::AccountInfo")
class AccountInfo:
    """An account exists while `providers` is above zero."""

    nonce: Nonce = 0
    consumers: U32 = 0
    providers: U32 = 0
    sufficients: U32 = 0
    data: AccountData = AccountData()

    def with_data(self, data: AccountData) -> AccountInfo:
        """The same account with other balances."""
        return AccountInfo(self.nonce, self.consumers, self.providers, self.sufficients, data)


class AccountStore(Protocol):
    """Who keeps account records."""

    def account_info(self, who: AccountId) -> AccountInfo:
        """The record; the empty one if the account does not exist."""

    def set_account_info(self, who: AccountId, info: AccountInfo) -> None:
        """Store the record, or remove it when nothing provides for it; events tell of both."""

    def all_accounts(self) -> Iterator[tuple[AccountId, AccountInfo]]:
        """Every account. Walks the state: for checks, not for blocks."""
