"""Proxy: keys that act for an account, within limits.

An account names proxies and what each may do. What a proxy does goes through the filter of its
kind, also inside of batches and whatever else makes calls; a proxy with a delay must announce a
call first, and the account may reject it. An account without a key is opened by its proxies alone.
Invariant (`try_state`): an account's hold for PROXY is what its proxies and its announcements say.

Source: Substrate `pallet_proxy`; WP II.B.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from runtime import frame
from runtime.frame.account import AccountStore
from runtime.frame.call import RUNTIME_CALL
from runtime.frame.dispatch import Dispatch
from runtime.frame.dispatch_error import dispatch_result
from runtime.frame.lookup import look_up
from runtime.frame.traits import BlockPosition, Currency, HoldReason
from runtime.frame.weights import Weight
from runtime.pallets.proxy import records as of
from runtime.pallets.proxy.records import Announcement, ProxyDefinition, ProxyType
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.multi import MultiAddress
from runtime.primitives.types import (
    FML,
    U16,
    U32,
    AccountId,
    Balance,
    BlockNumber,
    CompactU32,
    Hash,
)

ACT: Final = Weight(90_000_000)  # a full list is read
CHANGE: Final = Weight(200_000_000)  # a full list is read and written, a deposit changes

KindFilter = Callable[[ProxyType, frame.RuntimeCall], bool]


@dataclass(frozen=True)
class Config:
    """Deposits in planck: the base of a list, and so much for each entry."""

    existential_deposit: Balance
    proxy_deposit_base: Balance = FML // 100
    proxy_deposit_factor: Balance = FML // 1_000
    max_proxies: U32 = of.PROXIES_MAX
    max_pending: U32 = of.PENDING_MAX
    announcement_deposit_base: Balance = FML // 100
    announcement_deposit_factor: Balance = FML // 500


class Proxy(frame.Pallet[Config], index=29):
    proxies = frame.StorageMap[AccountId, tuple[list[ProxyDefinition], int]](
        AccountId,
        of.Proxies,
        default=([], 0),
        hasher=frame.Hasher.TWOX_64_CONCAT,
        docs="Who may act for an account, and the deposit that the account holds for it.",
    )
    announcements = frame.StorageMap[AccountId, tuple[list[Announcement], int]](
        AccountId,
        of.Announcements,
        default=([], 0),
        hasher=frame.Hasher.TWOX_64_CONCAT,
        docs="What a proxy has announced, and the deposit that it holds for it.",
    )

    def __init__(
        self,
        ext: frame.Externalities,
        config: Config,
        *,
        dispatcher: Dispatch,
        currency: Currency,
        accounts: AccountStore,
        block: BlockPosition,
        kind_filter: KindFilter,
    ) -> None:
        """`kind_filter` says whether a kind of proxy may make a call."""
        super().__init__(ext, config)
        self.dispatcher, self.currency, self.accounts = dispatcher, currency, accounts
        self.block, self.kind_filter = block, kind_filter

    # -- acting

    @frame.call(0, weight=lambda real, kind, call: ACT + call.info().weight)
    def proxy(
        self,
        origin: frame.Origin,
        real: MultiAddress,
        force_proxy_type: ProxyType | None,
        call: frame.RuntimeCall,
    ) -> None:
        """Make a call for `real`, as the first of its proxies that fits. Signed by the proxy.

        Emits ProxyExecuted: the extrinsic succeeds even if the call fails. Raises NotProxy,
        Unannounced if it is a proxy with a delay.
        """
        who, account = frame.ensure_signed(origin), look_up(real)
        definition = self._find(account, who, force_proxy_type)
        if definition.delay:
            raise of.Unannounced
        self._act(origin, account, definition.proxy_type, call)

    @frame.call(9, weight=lambda delegate, real, kind, call: ACT + CHANGE + call.info().weight)
    def proxy_announced(
        self,
        origin: frame.Origin,
        delegate: MultiAddress,
        real: MultiAddress,
        force_proxy_type: ProxyType | None,
        call: frame.RuntimeCall,
    ) -> None:
        """Make a call that `delegate` announced for `real` long enough ago. Signed by anybody.

        Emits ProxyExecuted. Raises NotProxy, Unannounced.
        """
        frame.ensure_signed(origin)
        who, account = look_up(delegate), look_up(real)
        definition = self._find(account, who, force_proxy_type)
        call_hash = Hash(blake2b_256(RUNTIME_CALL.encode(call)))
        latest = self.block.block_number() - definition.delay
        if not self._forget(
            who,
            lambda item: (
                (item.real, item.call_hash) == (account, call_hash) and item.height <= latest
            ),
        ):
            raise of.Unannounced
        self._act(origin, account, definition.proxy_type, call)

    def _find(
        self, real: AccountId, delegate: AccountId, kind: ProxyType | None
    ) -> ProxyDefinition:
        for definition in self.proxies.get(real)[0]:
            if definition.delegate == delegate and kind in (None, definition.proxy_type):
                return definition
        raise of.NotProxy

    def _act(
        self, origin: frame.Origin, real: AccountId, kind: ProxyType, call: frame.RuntimeCall
    ) -> None:
        def allowed(inner: frame.RuntimeCall) -> bool:
            return self.kind_filter(kind, inner)

        error = self.dispatcher.dispatch(call, origin.acting_as(real, allowed))
        self.deposit_event(of.ProxyExecuted(dispatch_result(error)))

    # -- who acts

    @frame.call(1, weight=CHANGE)
    def add_proxy(
        self,
        origin: frame.Origin,
        delegate: MultiAddress,
        proxy_type: ProxyType,
        delay: BlockNumber,
    ) -> None:
        """Let `delegate` act for the signer; a deposit is held. Signed.

        Emits ProxyAdded. Raises NoSelfProxy, Duplicate, TooMany, TokenError.
        """
        who, account = frame.ensure_signed(origin), look_up(delegate)
        if account == who:
            raise of.NoSelfProxy
        added = ProxyDefinition(account, proxy_type, delay)
        definitions, deposit = self.proxies.get(who)
        if added in definitions:
            raise of.Duplicate
        if len(definitions) >= self.config.max_proxies:
            raise of.TooMany
        grown = sorted((*definitions, added), key=ProxyDefinition.order)
        self._put_proxies(who, grown, deposit)
        self.deposit_event(of.ProxyAdded(who, account, proxy_type, delay))

    @frame.call(2, weight=CHANGE)
    def remove_proxy(
        self,
        origin: frame.Origin,
        delegate: MultiAddress,
        proxy_type: ProxyType,
        delay: BlockNumber,
    ) -> None:
        """Let `delegate` act no longer in this way; its part of the deposit returns. Signed.

        Emits ProxyRemoved. Raises NotFound.
        """
        who, account = frame.ensure_signed(origin), look_up(delegate)
        removed = ProxyDefinition(account, proxy_type, delay)
        definitions, deposit = self.proxies.get(who)
        if removed not in definitions:
            raise of.NotFound
        self._put_proxies(who, [item for item in definitions if item != removed], deposit)
        self.deposit_event(of.ProxyRemoved(who, account, proxy_type, delay))

    @frame.call(3, weight=CHANGE)
    def remove_proxies(self, origin: frame.Origin) -> None:
        """Let nobody act for the signer; the deposit returns. Signed.

        Nobody opens an account without a key afterwards.
        """
        who = frame.ensure_signed(origin)
        self._put_proxies(who, [], self.proxies.get(who)[1])

    def _put_proxies(
        self, who: AccountId, definitions: list[ProxyDefinition], deposit: Balance
    ) -> None:
        config = self.config
        needed = _deposit(config.proxy_deposit_base, config.proxy_deposit_factor, len(definitions))
        self._hold_instead(who, deposit, needed)
        if definitions:
            self.proxies.put(who, (definitions, needed))
        else:
            self.proxies.remove(who)

    # -- accounts without keys

    @frame.call(4, weight=CHANGE + CHANGE)
    def create_pure(
        self, origin: frame.Origin, proxy_type: ProxyType, delay: BlockNumber, index: U16
    ) -> None:
        """Make an account without a key, which the signer acts for. Signed.

        The signer gives it its deposit and the existential deposit. `index` tells apart what one
        extrinsic makes. Emits PureCreated. Raises Duplicate, and what a transfer raises.
        """
        who = frame.ensure_signed(origin)
        height, extrinsic = self.block.block_number(), self.block.extrinsic_index()
        pure = of.pure_account(who, proxy_type, index, height, extrinsic)
        if self.proxies.contains(pure):
            raise of.Duplicate
        config = self.config
        deposit = _deposit(config.proxy_deposit_base, config.proxy_deposit_factor, 1)
        self.currency.transfer(who, pure, deposit + config.existential_deposit)
        self._put_proxies(pure, [ProxyDefinition(who, proxy_type, delay)], 0)
        self.deposit_event(of.PureCreated(pure, who, proxy_type, index))

    @frame.call(5, weight=CHANGE + CHANGE)
    def kill_pure(
        self,
        origin: frame.Origin,
        spawner: MultiAddress,
        proxy_type: ProxyType,
        index: U16,
        height: CompactU32,
        ext_index: CompactU32,
    ) -> None:
        """Give up an account without a key; all that it has goes to its maker. Signed by itself.

        `height` and `ext_index` tell where it was made. Emits PureKilled. Raises NoPermission,
        FundsHeld.
        """
        who, maker = frame.ensure_signed(origin), look_up(spawner)
        if who != of.pure_account(maker, proxy_type, index, height, ext_index):
            raise of.NoPermission
        deposit = self.proxies.get(who)[1]
        if self.accounts.account_info(who).data.reserved != deposit:
            raise of.FundsHeld
        self._put_proxies(who, [], deposit)
        self.currency.transfer(who, maker, self.currency.free(who), keep_alive=False)
        self.deposit_event(of.PureKilled(who, maker, proxy_type, index))

    # -- announcing

    @frame.call(6, weight=CHANGE)
    def announce(self, origin: frame.Origin, real: MultiAddress, call_hash: Hash) -> None:
        """Announce a call for `real` by its blake2b-256; a deposit is held. Signed by the proxy.

        Emits Announced. Raises NotProxy, TooMany, TokenError.
        """
        who, account = frame.ensure_signed(origin), look_up(real)
        self._find(account, who, None)
        pending, deposit = self.announcements.get(who)
        if len(pending) >= self.config.max_pending:
            raise of.TooMany
        announced = Announcement(account, call_hash, self.block.block_number())
        self._put_announcements(who, [*pending, announced], deposit)
        self.deposit_event(of.Announced(account, who, call_hash))

    @frame.call(7, weight=CHANGE)
    def remove_announcement(
        self, origin: frame.Origin, real: MultiAddress, call_hash: Hash
    ) -> None:
        """Take back what the signer announced; the deposit returns. Signed. Raises NotFound."""
        who, account = frame.ensure_signed(origin), look_up(real)
        if not self._forget(who, lambda item: (item.real, item.call_hash) == (account, call_hash)):
            raise of.NotFound

    @frame.call(8, weight=CHANGE)
    def reject_announcement(
        self, origin: frame.Origin, delegate: MultiAddress, call_hash: Hash
    ) -> None:
        """Refuse what `delegate` announced for the signer; its deposit returns. Signed.

        Raises NotFound.
        """
        real, who = frame.ensure_signed(origin), look_up(delegate)
        if not self._forget(who, lambda item: (item.real, item.call_hash) == (real, call_hash)):
            raise of.NotFound

    def _forget(self, who: AccountId, gone: Callable[[Announcement], bool]) -> bool:
        """Remove announcements of a proxy; whether there was one."""
        pending, deposit = self.announcements.get(who)
        left = [item for item in pending if not gone(item)]
        if len(left) == len(pending):
            return False
        self._put_announcements(who, left, deposit)
        return True

    def _put_announcements(
        self, who: AccountId, pending: list[Announcement], deposit: Balance
    ) -> None:
        config = self.config
        needed = _deposit(
            config.announcement_deposit_base, config.announcement_deposit_factor, len(pending)
        )
        self._hold_instead(who, deposit, needed)
        if pending:
            self.announcements.put(who, (pending, needed))
        else:
            self.announcements.remove(who)

    # -- deposits

    def _hold_instead(self, who: AccountId, held: Balance, needed: Balance) -> None:
        if needed > held:
            self.currency.hold(HoldReason.PROXY, who, needed - held)
        elif needed < held:
            self.currency.release(HoldReason.PROXY, who, held - needed)

    def try_state(self) -> None:
        deposits: dict[AccountId, int] = {}
        for who, (definitions, deposit) in self.proxies.items():
            assert definitions == sorted(definitions, key=ProxyDefinition.order)
            deposits[who] = deposit
        for who, (_, deposit) in self.announcements.items():
            deposits[who] = deposits.get(who, 0) + deposit
        for who, deposit in deposits.items():
            held = self.currency.held(HoldReason.PROXY, who)
            assert held == deposit > 0, f"proxy hold of {who.hex()}"


def _deposit(base: Balance, factor: Balance, count: int) -> Balance:
    return base + factor * count if count else 0
