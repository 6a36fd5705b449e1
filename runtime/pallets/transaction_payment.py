"""Transaction payment: what an extrinsic costs and who gets it.

Fee = (base + length + multiplier · weight) + tip. The multiplier moves with how full blocks are.
Fees of a block are burned, given to the treasury and to its author, or to the pot from which those
with stake behind the author are paid, by fixed shares, to the last planck by largest remainders;
tips go to the author. What nobody can take is burned.

Source: WP III.A.2 (burn); Substrate `pallet_transaction_payment`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from runtime import frame
from runtime.frame.weights import DispatchInfo, Weight
from runtime.primitives.apportion import apportion
from runtime.primitives.types import U32, U64, U128, AccountId, Balance

_YES = frame.Pays.YES
ONE = 10**18  # FixedU128: eighteen decimals
TARGET_PERCENT = 25  # of the weight that normal calls may use
VARIABILITY = (1, 100_000)  # how fast the multiplier moves
MULTIPLIER_MIN = ONE // 10
MULTIPLIER_MAX = 1_000_000 * ONE


@frame.event(0)
class TransactionFeePaid:
    """`actual_fee` planck was paid, `tip` included."""

    who: AccountId
    actual_fee: Balance
    tip: Balance


class FeeSink(Protocol):
    """Where fees are taken and given out."""

    def collect(self, who: AccountId, amount: Balance) -> None:
        """Take a fee from `who`. Raises DispatchError if it cannot be paid."""

    def collected_fees(self) -> Balance:
        """What was taken in this block and not given out yet, tips included."""

    def pay_from_collected(self, who: AccountId, amount: Balance) -> bool:
        """Give a share; False if it would be dust."""

    def burn_collected(self) -> None:
        """Destroy the rest."""


class Author(Protocol):
    """Who made the block."""

    def author(self) -> AccountId | None:
        """The author's account, None under instant seal without one."""

    def fee_receiver(self) -> AccountId | None:
        """Who gets the author's part of fees: the author, or the pot of those who back it."""


@dataclass(frozen=True)
class Config:
    """Prices in planck; shares in percent of fees (the author gets what the others leave)."""

    treasury: AccountId
    normal_weight_max: U64  # picoseconds a block
    base_fee: Balance = 10**14
    byte_fee: Balance = 10**12
    picoseconds_per_planck: U64 = 1  # 10^6 ps of work cost 10^6 planck
    weight_fee: Balance = 1_000_000  # planck for each `picoseconds_per_planck`
    burn_percent: U32 = 30
    treasury_percent: U32 = 20


@frame.scale_type(path="sp_arithmetic::fixed_point::FixedU128")
class Multiplier:
    """A factor with eighteen decimals."""

    inner: U128


class TransactionPayment(frame.Pallet[Config], index=6):
    next_fee_multiplier = frame.StorageValue[Multiplier](Multiplier, default=Multiplier(ONE))
    tips = frame.StorageValue[int](Balance, default=0, docs="Tips taken in this block.")

    def __init__(
        self, ext: frame.Externalities, config: Config, *, sink: FeeSink, author: Author
    ) -> None:
        super().__init__(ext, config)
        self.sink = sink
        self.author = author

    def compute_fee(self, length: int, info: DispatchInfo) -> tuple[Balance, Balance, Balance]:
        """(base, length, weight) parts in planck; zeros for a call that does not pay."""
        if info.pays_fee is not _YES:
            return 0, 0, 0
        config = self.config
        weight = info.weight.ref_time * config.weight_fee // config.picoseconds_per_planck
        adjusted = weight * self.next_fee_multiplier.get().inner // ONE
        return config.base_fee, length * config.byte_fee, adjusted

    def charge(self, who: AccountId, length: int, info: DispatchInfo, tip: Balance) -> Balance:
        """Take the fee and the tip; the sum. Raises InvalidTransaction(PAYMENT)."""
        fee = sum(self.compute_fee(length, info))
        if fee + tip:
            try:
                self.sink.collect(who, fee + tip)
            except frame.DispatchError as error:
                raise frame.InvalidTransaction(
                    frame.InvalidKind.PAYMENT, f"cannot pay a fee of {fee + tip} planck"
                ) from error
            if tip:
                self.tips.put(self.tips.get() + tip)
        return fee + tip

    def note_paid(self, who: AccountId, fee: Balance, tip: Balance) -> None:
        """Tell what was paid. Emits TransactionFeePaid."""
        if fee:
            self.deposit_event(TransactionFeePaid(who, fee, tip))

    def update_multiplier(self, used: Weight) -> None:
        """Move the multiplier by how far the block's normal weight is from its target."""
        limit = self.config.normal_weight_max
        difference = used.ref_time * 100 - TARGET_PERCENT * limit  # hundredths of the limit
        current = self.next_fee_multiplier.get().inner
        # m·(1 + v·d + (v·d)²/2), d = difference / (100·limit)
        bottom = 100 * limit * VARIABILITY[1]
        top = difference * VARIABILITY[0]
        grown = current * (2 * bottom * bottom + 2 * top * bottom + top * top)
        following = grown // (2 * bottom * bottom)
        bounded = min(max(following, MULTIPLIER_MIN), MULTIPLIER_MAX)
        self.next_fee_multiplier.put(Multiplier(bounded))

    def on_finalize(self, number: int) -> None:
        """Give out the block's fees; what nobody can take is burned."""
        tips = self.tips.get()
        fees = self.sink.collected_fees() - tips
        if fees + tips:
            config = self.config
            author_percent = 100 - config.burn_percent - config.treasury_percent
            _, treasury, author = apportion(
                fees, [config.burn_percent, config.treasury_percent, author_percent]
            )
            who = self.author.author()
            self.sink.pay_from_collected(config.treasury, treasury)
            receiver = self.author.fee_receiver()
            if who is not None and who == receiver:
                self.sink.pay_from_collected(who, author + tips)
            elif who is not None and receiver is not None:
                self.sink.pay_from_collected(receiver, author)
                self.sink.pay_from_collected(who, tips)
            if tips:
                self.tips.remove()
        self.sink.burn_collected()
