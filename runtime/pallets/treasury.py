"""Treasury: the pot that takes fees and slashes, and that the DAO spends.

Source: WP VII (treasury management); Substrate `pallet_treasury`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from runtime import frame
from runtime.frame.traits import Currency, pallet_account
from runtime.frame.weights import Weight
from runtime.primitives.types import AccountId, Balance, CompactBalance

TREASURY: Final = pallet_account(b"treasury")


@frame.event(0)
class Spent:
    """The DAO paid `amount` planck to `beneficiary`."""

    beneficiary: AccountId
    amount: Balance


@dataclass(frozen=True)
class Config:
    """`pot` is the treasury's account."""

    pot: AccountId = TREASURY


class Treasury(frame.Pallet[Config], index=11):
    def __init__(self, ext: frame.Externalities, config: Config, *, currency: Currency) -> None:
        super().__init__(ext, config)
        self.currency = currency

    @frame.call(0, weight=Weight(80_000_000))
    def spend(self, origin: frame.Origin, beneficiary: AccountId, amount: CompactBalance) -> None:
        """Pay out of the treasury. Root: only a passed proposal. Emits Spent."""
        frame.ensure_root(origin)
        self.currency.transfer(self.config.pot, beneficiary, amount)
        self.deposit_event(Spent(beneficiary, amount))
