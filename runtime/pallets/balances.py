"""Balances: transfers, typed holds and the total of FML, conserved to the last planck.

Accounts live in `System.Account`. Holds are amounts that stay their owner's and cannot be spent:
stakes, deposits. Pots (accounts of pallets) know no existential deposit and are never reaped.
Invariant (`try_state`): total issuance = Σ free + reserved + fees collected in this block
= genesis + minted − burned ≤ cap, and an account's reserved is the sum of its holds.

Source: WP III.A; Substrate `pallet_balances`, `frame_support::traits::fungible::hold`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from runtime import frame
from runtime.frame.account import AccountData, AccountInfo, AccountStore
from runtime.frame.lookup import look_up
from runtime.frame.traits import HoldReason, is_pot
from runtime.frame.weights import Weight
from runtime.primitives.multi import MultiAddress
from runtime.primitives.scale import Limit
from runtime.primitives.types import FML, AccountId, Balance, CompactBalance

TRANSFER = Weight(60_000_000)


@frame.event(0)
class Endowed:
    """An account was created with some free balance."""

    account: AccountId
    free_balance: Balance


@frame.event(1)
class DustLost:
    """An account fell below the existential deposit; what was left is burned."""

    account: AccountId
    amount: Balance


@frame.event(2)
class Transfer:
    """`amount` moved."""

    from_: AccountId
    to: AccountId
    amount: Balance


@frame.event(7)
class Deposit:
    """Something was paid in (a fee's share, a reward)."""

    who: AccountId
    amount: Balance


@frame.event(8)
class Withdraw:
    """Something was taken (a fee)."""

    who: AccountId
    amount: Balance


@frame.event(10)
class Minted:
    """Tokens came to be."""

    who: AccountId
    amount: Balance


@frame.event(11)
class Burned:
    """Tokens ceased to be."""

    who: AccountId
    amount: Balance


@frame.event(21)
class Held:
    """Free balance became held."""

    reason: HoldReason
    who: AccountId
    amount: Balance


@frame.event(22)
class Released:
    """Held balance became free."""

    reason: HoldReason
    who: AccountId
    amount: Balance


@frame.event(23)
class TransferOnHold:
    """Held balance of `source` went to `dest`."""

    reason: HoldReason
    source: AccountId
    dest: AccountId
    amount: Balance


class InsufficientBalance(frame.ModuleError, index=2):
    """Free balance is below the amount. Send less, or wait for a hold to be released."""


class ExistentialDeposit(frame.ModuleError, index=3):
    """The receiver would hold less than the existential deposit. Send more."""


class Expendability(frame.ModuleError, index=4):
    """The sender would fall below the existential deposit and be reaped. Send less."""


class CapReached(frame.ModuleError, index=12):
    """Minting would exceed the cap of all tokens there may ever be."""


@frame.scale_type
class HoldAmount:
    """What is held for one reason."""

    reason: HoldReason
    amount: Balance


@dataclass(frozen=True)
class Config:
    """`existential_deposit` and `cap` in planck."""

    existential_deposit: Balance = FML // 1_000
    cap: Balance = 1_000_000_000 * FML


class Balances(frame.Pallet[Config], index=5):
    total_issuance = frame.StorageValue[int](Balance, default=0)
    genesis_issuance = frame.StorageValue[int](Balance, default=0, docs="Tokens at genesis.")
    total_minted = frame.StorageValue[int](Balance, default=0, docs="Tokens minted since genesis.")
    total_burned = frame.StorageValue[int](Balance, default=0, docs="Tokens burned since genesis.")
    collected = frame.StorageValue[int](Balance, default=0, docs="Fees taken in this block.")
    holds = frame.StorageMap[AccountId, list[HoldAmount]](
        AccountId,
        Annotated[list[HoldAmount], Limit(len(HoldReason))],
        default=[],
        docs="What is held of an account, by reason.",
    )

    def __init__(self, ext: frame.Externalities, config: Config, *, accounts: AccountStore) -> None:
        super().__init__(ext, config)
        self.accounts = accounts

    # -- calls

    @frame.call(0, weight=TRANSFER)
    def transfer_allow_death(
        self, origin: frame.Origin, dest: MultiAddress, value: CompactBalance
    ) -> None:
        """Send `value` planck; a sender left below the existential deposit is reaped. Signed."""
        self._send(frame.ensure_signed(origin), dest, value, keep_alive=False)

    @frame.call(3, weight=TRANSFER)
    def transfer_keep_alive(
        self, origin: frame.Origin, dest: MultiAddress, value: CompactBalance
    ) -> None:
        """Send `value` planck; fails rather than reap the sender. Signed. Emits Transfer."""
        self._send(frame.ensure_signed(origin), dest, value, keep_alive=True)

    @frame.call(4, weight=TRANSFER)
    def transfer_all(self, origin: frame.Origin, dest: MultiAddress, keep_alive: bool) -> None:
        """Send all that can be sent. Signed. Emits Transfer."""
        who = frame.ensure_signed(origin)
        info = self.accounts.account_info(who)
        must_stay = keep_alive or info.data.reserved > 0 or info.consumers > 0
        amount = self.spendable(who) if must_stay else self._unlocked(who)
        self._send(who, dest, amount, keep_alive=keep_alive)

    @frame.call(10, weight=TRANSFER)
    def burn_own(self, origin: frame.Origin, value: CompactBalance) -> None:
        """Destroy `value` planck of one's own. Signed. Emits Burned."""
        self.burn(frame.ensure_signed(origin), value)

    def _send(
        self, who: AccountId, dest: MultiAddress, amount: Balance, *, keep_alive: bool
    ) -> None:
        """A user's transfer: only pallets open pots, so an address that looks like one needs more.

        Otherwise anybody could fill the state with records below the existential deposit.
        """
        receiver = look_up(dest)
        is_new = self.accounts.account_info(receiver) == AccountInfo()
        if is_pot(receiver) and is_new and amount < self.config.existential_deposit:
            raise ExistentialDeposit
        self.transfer(who, receiver, amount, keep_alive=keep_alive)

    # -- Currency

    def free(self, who: AccountId) -> Balance:
        """All that is not held."""
        return self.accounts.account_info(who).data.free

    def spendable(self, who: AccountId) -> Balance:
        """What can leave or be held while the account lives on."""
        minimum = 0 if is_pot(who) else self.config.existential_deposit
        data = self.accounts.account_info(who).data
        return max(data.free - max(data.frozen - data.reserved, minimum), 0)

    def _unlocked(self, who: AccountId) -> Balance:
        data = self.accounts.account_info(who).data
        return max(data.free - max(data.frozen - data.reserved, 0), 0)

    def held(self, reason: HoldReason, who: AccountId) -> Balance:
        """What is held for `reason`."""
        return next((item.amount for item in self.holds.get(who) if item.reason is reason), 0)

    def issuance(self) -> Balance:
        """All tokens there are."""
        return self.total_issuance.get()

    def transfer(
        self, source: AccountId, dest: AccountId, amount: Balance, *, keep_alive: bool = True
    ) -> None:
        """Move free tokens. Every check comes before the first write. Emits Transfer."""
        sender = self.accounts.account_info(source)
        self._ensure_can_leave(source, sender, amount, keep_alive=keep_alive)
        receiver = self.accounts.account_info(dest)
        self._ensure_can_arrive(dest, receiver, amount)
        if source != dest:
            self._set_free(source, sender, sender.data.free - amount)
            self._set_free(dest, receiver, receiver.data.free + amount)
        self.deposit_event(Transfer(source, dest, amount))

    def pay_out(
        self, pot: AccountId, parts: Sequence[tuple[AccountId, Balance]]
    ) -> list[tuple[AccountId, Balance]]:
        """Move free tokens of a pot to many, which is read and written once. Emits Transfers.

        Parts that would be dust at their receiver stay in the pot and are returned.
        """
        assert is_pot(pot), "whoever else pays may have to stay alive"
        assert all(dest != pot for dest, _ in parts), "a pot pays others"
        sender = self.accounts.account_info(pot)
        total = sum(amount for _, amount in parts)
        self._ensure_can_leave(pot, sender, total, keep_alive=False)
        refused: list[tuple[AccountId, Balance]] = []
        for dest, amount in parts:
            receiver = self.accounts.account_info(dest)
            if self._would_be_dust(dest, receiver, amount):
                refused.append((dest, amount))
                continue
            self._set_free(dest, receiver, receiver.data.free + amount)
            self.deposit_event(Transfer(pot, dest, amount))
        left = sum(amount for _, amount in refused)
        self._set_free(pot, sender, sender.data.free - total + left)
        return refused

    def mint(self, who: AccountId, amount: Balance) -> None:
        """Create tokens in the free balance of `who`. Raises CapReached. Emits Minted."""
        issued = self.total_issuance.get() + amount
        if issued > self.config.cap:
            raise CapReached
        info = self.accounts.account_info(who)
        self._ensure_can_arrive(who, info, amount)
        self._set_free(who, info, info.data.free + amount)
        self.total_issuance.put(issued)
        self.total_minted.put(self.total_minted.get() + amount)
        self.deposit_event(Minted(who, amount))

    def burn(self, who: AccountId, amount: Balance) -> None:
        """Destroy free tokens of `who`, who stays alive. Emits Burned."""
        info = self.accounts.account_info(who)
        self._ensure_can_leave(who, info, amount, keep_alive=True)
        self._set_free(who, info, info.data.free - amount)
        self._note_burned(amount)
        self.deposit_event(Burned(who, amount))

    def hold(self, reason: HoldReason, who: AccountId, amount: Balance) -> None:
        """Hold free tokens. Raises TokenError if too few are spendable. Emits Held."""
        info = self.accounts.account_info(who)
        minimum = 0 if is_pot(who) else self.config.existential_deposit
        if info.data.free < amount + minimum:
            raise frame.TokenError(frame.TokenErrorKind.FUNDS_UNAVAILABLE)
        data = info.data
        self._set_hold(who, reason, self.held(reason, who) + amount)
        self.accounts.set_account_info(
            who,
            info.with_data(
                AccountData(data.free - amount, data.reserved + amount, data.frozen, data.flags)
            ),
        )
        self.deposit_event(Held(reason, who, amount))

    def release(self, reason: HoldReason, who: AccountId, amount: Balance) -> None:
        """Make held tokens free. Raises TokenError if fewer are held. Emits Released."""
        self._take_held(reason, who, amount)
        info = self.accounts.account_info(who)
        self._set_free(who, info, info.data.free + amount)
        self.deposit_event(Released(reason, who, amount))

    def transfer_held(
        self, reason: HoldReason, source: AccountId, dest: AccountId, amount: Balance
    ) -> None:
        """Held tokens of `source` become free tokens of `dest`. Emits TransferOnHold."""
        self._ensure_can_arrive(dest, self.accounts.account_info(dest), amount)
        self._take_held(reason, source, amount)
        info = self.accounts.account_info(dest)
        self._set_free(dest, info, info.data.free + amount)
        self.deposit_event(TransferOnHold(reason, source, dest, amount))

    def burn_held(self, reason: HoldReason, who: AccountId, amount: Balance) -> None:
        """Destroy held tokens. Emits Burned."""
        self._take_held(reason, who, amount)
        self._note_burned(amount)
        self.deposit_event(Burned(who, amount))

    # -- fees

    def collect(self, who: AccountId, amount: Balance) -> None:
        """Take a fee into the block's collection; the payer stays alive. Emits Withdraw."""
        info = self.accounts.account_info(who)
        self._ensure_can_leave(who, info, amount, keep_alive=True)
        self._set_free(who, info, info.data.free - amount)
        self.collected.put(self.collected.get() + amount)
        self.deposit_event(Withdraw(who, amount))

    def collected_fees(self) -> Balance:
        """What was taken in this block and not given out yet."""
        return self.collected.get()

    def pay_from_collected(self, who: AccountId, amount: Balance) -> bool:
        """Give a share of the collected fees; False if it would be dust at `who`."""
        info = self.accounts.account_info(who)
        if info.providers == 0 and not is_pot(who) and amount < self.config.existential_deposit:
            return False
        self.collected.put(self.collected.get() - amount)
        self._set_free(who, info, info.data.free + amount)
        self.deposit_event(Deposit(who, amount))
        return True

    def burn_collected(self) -> None:
        """Destroy what is left of the collected fees."""
        amount = self.collected.get()
        self.collected.remove()
        self._note_burned(amount)

    # -- one place for each write

    def _ensure_can_leave(
        self, who: AccountId, info: AccountInfo, amount: Balance, *, keep_alive: bool
    ) -> None:
        data = info.data
        if data.free - max(data.frozen - data.reserved, 0) < amount:
            raise InsufficientBalance
        must_stay = keep_alive or data.reserved > 0 or info.consumers > 0
        if must_stay and not is_pot(who) and data.free - amount < self.config.existential_deposit:
            raise Expendability

    def _ensure_can_arrive(self, who: AccountId, info: AccountInfo, amount: Balance) -> None:
        if self._would_be_dust(who, info, amount):
            raise ExistentialDeposit

    def _would_be_dust(self, who: AccountId, info: AccountInfo, amount: Balance) -> bool:
        """Whether `amount` does not make an account of one that does not exist."""
        return (
            info.providers == 0
            and info.data.free + amount < self.config.existential_deposit
            and not is_pot(who)
        )

    def _set_free(self, who: AccountId, info: AccountInfo, free: Balance) -> None:
        data = info.data
        providers, minimum = info.providers, self.config.existential_deposit
        if not is_pot(who):
            if providers == 0 and free < minimum:
                return  # nothing for nobody
            if providers == 0:
                providers = 1
                self.deposit_event(Endowed(who, free))
            elif free < minimum and data.reserved == 0 and info.consumers == 0:
                providers = 0
                if free:
                    self._note_burned(free)
                    self.deposit_event(DustLost(who, free))
                    free = 0
        self.accounts.set_account_info(
            who,
            AccountInfo(
                info.nonce,
                info.consumers,
                providers,
                info.sufficients,
                AccountData(free, data.reserved, data.frozen, data.flags),
            ),
        )

    def _take_held(self, reason: HoldReason, who: AccountId, amount: Balance) -> None:
        held = self.held(reason, who)
        if held < amount:
            raise frame.TokenError(frame.TokenErrorKind.FUNDS_UNAVAILABLE)
        self._set_hold(who, reason, held - amount)
        info = self.accounts.account_info(who)
        data = info.data
        self.accounts.set_account_info(
            who,
            info.with_data(AccountData(data.free, data.reserved - amount, data.frozen, data.flags)),
        )

    def _set_hold(self, who: AccountId, reason: HoldReason, amount: Balance) -> None:
        others = [item for item in self.holds.get(who) if item.reason is not reason]
        if amount:
            others = sorted(
                [*others, HoldAmount(reason, amount)], key=lambda item: item.reason.value
            )
        if others:
            self.holds.put(who, others)
        else:
            self.holds.remove(who)

    def _note_burned(self, amount: Balance) -> None:
        self.total_issuance.put(self.total_issuance.get() - amount)
        self.total_burned.put(self.total_burned.get() + amount)

    # -- genesis and invariants

    def genesis_build(self, balances: dict[AccountId, Balance]) -> None:
        """Endow accounts. Raises ValueError for dust and above the cap."""
        total = sum(balances.values())
        if total > self.config.cap:
            raise ValueError(f"balances: {total} planck at genesis, the cap is {self.config.cap}")
        for who, free in sorted(balances.items()):
            if free < self.config.existential_deposit:
                raise ValueError(
                    f"balances: 0x{who.hex()} has {free} planck, "
                    f"the existential deposit is {self.config.existential_deposit}"
                )
            info = self.accounts.account_info(who)
            self._set_free(who, info, info.data.free + free)
        self.total_issuance.put(total)
        self.genesis_issuance.put(total)

    def sum_of_balances(self) -> Balance:
        """Σ free + reserved over all accounts. Walks the state: for checks, not for blocks."""
        return sum(info.data.free + info.data.reserved for _, info in self.accounts.all_accounts())

    def try_state(self) -> None:
        issued = self.total_issuance.get()
        assert self.sum_of_balances() + self.collected.get() == issued
        minted, burned = self.total_minted.get(), self.total_burned.get()
        assert self.genesis_issuance.get() + minted - burned == issued <= self.config.cap
        for who, held in self.holds.items():
            total = sum(item.amount for item in held)
            assert total == self.accounts.account_info(who).data.reserved, f"holds of {who.hex()}"
