"""Re-keying: everything that an account owns moves to a new key, as the storage schema tells.

Values and maps keyed by account are found in the schema; items that need to know
tasks are listed by how their entries are reached, and what stays with the old key is listed with
the reason. `ensure_all_handled` refuses, at import, a runtime with an item that is in no list.
Rule: nobody swaps while the arena deals rings, draws or settles; an operator swaps only in the
submit window of a day on which it has sealed nothing, so no order by account that a draw or a
settlement relies on ever changes under it. What it sealed under an alias is no obstacle: nobody
knows of it, rolls name no accounts, and it is opened with the new key. Who has anything at stake
in the FL Alliance or the marketplace, or has bonded for the chain's own proof of stake, does not
swap at all. Nonces stay with their keys: a signed extrinsic must not become valid again.
Invariant: a swap and its reverse restore every other byte.
Source: WP II (accounts own stakes, tasks and roles); WP V.B (draws are in account order).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Final, Protocol, TypeAlias

from runtime import frame
from runtime.economy.calendar import Calendar
from runtime.frame.account import AccountInfo, AccountStore
from runtime.frame.executive import Verifier, verify_signature
from runtime.frame.schema_walk import (
    is_account,
    item_mentions_accounts,
    key_shape,
    parts_of,
    rewrite,
    value_shape,
    with_account,
)
from runtime.frame.storage import StorageItem
from runtime.frame.traits import BlockInfo, is_pot
from runtime.primitives.multi import MultiSignature
from runtime.primitives.scale import codec_of
from runtime.primitives.types import U32, AccountId, Hash

LOOKUPS_MAX: Final = 5_000
LOOKUP: Final = frame.Weight(40_000_000)  # measured 25 us, with a rewrite and a write more
DOMAIN: Final = b"flockchain/swap_key"

BY_TASK: Final = (  # keyed by task and account
    *("Delegation.operators", "Delegation.ties"),
    *("Arena.seals", "Arena.standing", "Arena.node_records", "Arena.validator_records"),
)
BY_OPERATOR: Final = ("Delegation.delegations", "Delegation.unbonding")  # by operator, staker
BY_STAKER: Final = "Delegation.backed"  # by staker, operator: where to look in those by operator
OF_TASK: Final = (
    "Tasks.tasks",
    "Tasks.bounties",
    "Arena.best",
)  # keyed by task, accounts in the value
IN_TASK: Final = ("Arena.submissions",)  # keyed by task and thing
BY_DEPOSITOR: Final = {
    "Multisig.multisigs": "Multisig.opened",
    "Preimage.request_status_for": "Preimage.noted",
    "Marketplace.contributions": "Marketplace.contributed",
}
"""Items of which an account has those entries that another item lists by account."""
ONLY_DEPOSITOR: Final = ("Multisig.multisigs",)
"""Only the depositor changes: who has approved, as a signatory, must not do so once more."""
STAYS: Final[dict[str, str]] = {
    "System.account": "moved apart: its nonce stays with the key",
    "System.events": "events tell what happened under the keys of their time",
    "Rekeying.consents": "a count against replays belongs to the key that signs",
    "Arena.rosters": "a decided day's committee; undecided ones forbid a swap",
    "Arena.assignments": "as rosters",
    "Arena.score_seals": "as rosters",
    "Arena.model_keys": "as rosters",
    "Arena.ballots": "as rosters; `kept` of a result follows their order by account",
    "Arena.day_results": "what a past day's payments were made from",
    "Arena.bounty_results": "what a past task's bounty was paid from",
    "Arena.payments": "a past day's; a settlement in progress forbids a swap",
    "Scheduler.agenda": "a call that was decided is made by whom it was decided for",
    "ModelRegistry.models": "a record of who won; it grants nothing",
    "FlAlliance.tasks": "who has anything at stake in the FL Alliance may not swap",
    "FlAlliance.memberships": "as tasks: what forbids a swap",
    "FlAlliance.members": "as tasks",
    "FlAlliance.roster": "as tasks",
    "FlAlliance.vrf_keys": "a key was used once in a task, whoever had it",
    "FlAlliance.rounds": "a past round's roles; open ones forbid a swap",
    "FlAlliance.draws": "as tasks",
    "FlAlliance.check_ins": "as rounds",
    "FlAlliance.proposals": "as rounds",
    "FlAlliance.commitments": "as rounds",
    "FlAlliance.deals": "as rounds",
    "FlAlliance.reveals": "as rounds",
    "FlAlliance.votes": "as rounds",
    "FlAlliance.proposed": "a record of who had some bytes first",
    "FlAlliance.payments": "as rounds",
    "Staking.eras_stakers": "who has bonded may not swap; past eras are paid and slashed by these",
    "Staking.eras_validator_prefs": "as eras_stakers",
    "Staking.eras_blocks": "as eras_stakers",
    "Staking.eras_payouts": "as eras_stakers",
    "Staking.fractions": "as eras_stakers",
    "Staking.deferred_slashes": "as slash_jobs",
    "Staking.slash_jobs": "as eras_stakers; a reporter is paid at the key that reported",
    "Session.key_owner": "who has bonded may not swap, and nobody else has session keys",
    "Governance.positions": "who has locked tokens to vote may not swap",
    "Governance.proposals": "whoever proposed what is on its way may not swap; others are records",
    "Governance.comments": "who comments has a lock",
    "Governance.covering": "as positions",
    "Trends.payers": "a payment counts in its season for the key that paid",
    "Trends.ballots": "who votes has a lock, or had one; its ballot counts once",
    "Marketplace.offers": "a host may not swap",
    "Marketplace.channels": "who has a deposit may not swap; what was settled binds the old key",
    "Marketplace.cases": "who opened a case or stands ready may not swap; past ones are records",
    "Marketplace.days": "a past day's payments; who rates names the key that paid",
    "Marketplace.requests": "who has a fee held may not swap; a named host has a stake",
    "Offences.cases": "who offended had bonded, and may not swap while it is slashed",
}

Entry: TypeAlias = tuple[Any, Any]
"""A bound item and a key in it; the key of a value is None."""


@frame.event(0)
class KeySwapped:
    """All that `old` owned belongs to `new`; so many storage entries were rewritten."""

    old: AccountId
    new: AccountId
    entries: U32


class NoConsent(frame.ModuleError, index=0):
    """The signature is not the new key's over this swap."""


class NewKeyInUse(frame.ModuleError, index=1):
    """The new account owns something, or is a pallet's or the old one. Swap to a fresh key."""


class ArenaAtWork(frame.ModuleError, index=2):
    """The arena is dealing rings, drawing or settling. Try again in some blocks."""


class RoleInPlay(frame.ModuleError, index=3):
    """An operator swaps in the submit window, on a day on which it has sealed nothing."""


class AllianceStake(frame.ModuleError, index=5):
    """The account has something at stake in the FL Alliance. Claim it before, or wait."""


class ChainStake(frame.ModuleError, index=6):
    """The account has bonded for the chain's proof of stake. Unbond and withdraw before."""


class VoteLock(frame.ModuleError, index=7):
    """The account has locked tokens to vote, or proposed what is not decided. End that before."""


class MarketStake(frame.ModuleError, index=8):
    """The account hosts models, or has a stake, a deposit or a fee in the marketplace. End that."""


class TooMuchToMove(frame.ModuleError, index=4):
    """More storage must be searched than a block affords. Try when fewer tasks are open."""


class Bonds(Protocol):
    """What rekeying asks of staking."""

    def is_bonded(self, who: AccountId) -> bool:
        """Whether `who` has bonded for the chain's proof of stake."""


class Votes(Protocol):
    """What rekeying asks of governance."""

    def is_engaged(self, who: AccountId) -> bool:
        """Whether `who` has locked tokens, votes for others or proposed what is on its way."""


class Market(Protocol):
    """What rekeying asks of the marketplace."""

    def is_engaged(self, who: AccountId) -> bool:
        """Whether `who` is a host, or has anything held there."""


@dataclass(frozen=True)
class Config:
    """When windows open, and how many storage entries one swap may look at."""

    calendar: Calendar
    lookups_max: U32 = LOOKUPS_MAX


_CONSENT: Final = codec_of(tuple[Hash, AccountId, AccountId, U32])


def consent_message(genesis: Hash, old: AccountId, new: AccountId, nonce: int) -> bytes:
    """What the new key signs; `nonce` is how often it has consented (`Rekeying.consents`)."""
    return DOMAIN + _CONSENT.encode((genesis, old, new, nonce))


def unhandled_items(pallets: Sequence[type[frame.Pallet[Any]]]) -> list[str]:
    """Items with accounts that no rule moves and no reason leaves, as Pallet.item."""
    listed = {*BY_TASK, *BY_OPERATOR, BY_STAKER, *OF_TASK, *IN_TASK, *BY_DEPOSITOR, *STAYS}
    return [
        name
        for pallet in pallets
        for item in pallet.storage_items
        if item_mentions_accounts(item)
        and (name := f"{pallet.__name__}.{item.name}") not in listed
        and not _is_direct(item)
    ]


def ensure_all_handled(pallets: Sequence[type[frame.Pallet[Any]]]) -> None:
    """Raises TypeError if a pallet stores accounts in a way that `swap_key` does not know."""
    missing = unhandled_items(pallets)
    if missing:
        raise TypeError(f"rekeying: no rule for the accounts in {', '.join(missing)}")


def _is_direct(item: StorageItem) -> bool:
    """Whether the schema alone tells where an account's entries are."""
    key = key_shape(item)
    return key is None or is_account(key)


class Rekeying(frame.Pallet[Config], index=38):
    consents = frame.StorageMap[AccountId, int](
        AccountId, U32, default=0, docs="How often a key has consented to take over an account."
    )

    def __init__(
        self,
        ext: frame.Externalities,
        config: Config,
        *,
        block: BlockInfo,
        accounts: AccountStore,
        bonds: Bonds,
        votes: Votes,
        market: Market,
        pallets: Sequence[frame.Pallet[Any]],
        verifier: Verifier = verify_signature,
    ) -> None:
        """`pallets` are those whose state is moved: all but this one."""
        super().__init__(ext, config)
        self.block, self.accounts, self.verifier = block, accounts, verifier
        self.bonds, self.votes, self.market = bonds, votes, market
        self._pallets = tuple(pallets)

    # -- calls

    @frame.call(0, weight=LOOKUP.times(LOOKUPS_MAX))
    def swap_key(self, origin: frame.Origin, new: AccountId, consent: MultiSignature) -> None:
        """Give all that the signer owns to `new`, which signed `consent_message`. Signed.

        Emits KeySwapped. Raises NewKeyInUse, NoConsent, ArenaAtWork, RoleInPlay, AllianceStake,
        ChainStake, VoteLock, MarketStake, TooMuchToMove.
        """
        old = frame.ensure_signed(origin)
        target = self.accounts.account_info(new)
        items = self._items()
        staking = items["FlAlliance.memberships"]
        is_used = replace(target, nonce=0) != AccountInfo() or staking.contains(new)
        if new == old or is_pot(new) or is_used:
            raise NewKeyInUse
        count = self.consents.get(new)
        message = consent_message(self.block.genesis_hash(), old, new, count)
        if not self.verifier(consent, new, message):
            raise NoConsent
        # Bounties may still be going back when a task's stakes are free.
        tasks = sorted({*items["Delegation.starts"].keys(), *items["Tasks.bounties"].keys()})
        self._ensure_allowed(items, tasks, old)
        moves = self._moves(items, tasks, old, new)
        self.consents.put(new, count + 1)
        for item, source, target_key, value in moves:
            _remove(item, source)
            _put(item, target_key, value)
        self._move_account(items["System.account"], old, new)
        self.deposit_event(KeySwapped(old, new, len(moves) + 1))

    # -- when

    def _ensure_allowed(self, items: dict[str, Any], tasks: list[int], old: AccountId) -> None:
        work = ("Arena.cursor", "Arena.roll_work")
        if items["Arena.jobs"].get() or any(items[name].exists() for name in work):
            raise ArenaAtWork
        if items["FlAlliance.memberships"].contains(old):
            raise AllianceStake
        if self.bonds.is_bonded(old):
            raise ChainStake
        if self.votes.is_engaged(old):
            raise VoteLock
        if self.market.is_engaged(old):
            raise MarketStake
        calendar, number = self.config.calendar, self.block.block_number()
        today, is_open = calendar.day_of(number), calendar.position_of(number) < calendar.submit_end
        roles = [task for task in tasks if items["Delegation.operators"].contains((task, old))]
        seals = items["Arena.seals"]
        for task in roles:
            sealed = seals.find(_task_key(seals, task, old))
            if not is_open or (sealed is not None and sealed.day == today):
                raise RoleInPlay

    # -- what

    def _items(self) -> dict[str, Any]:
        """All items, bound to the state, by Pallet.item."""
        return {
            f"{type(pallet).__name__}.{item.name}": getattr(pallet, item.name)
            for pallet in self._pallets
            for item in pallet.storage_items
        }

    def _moves(
        self, items: dict[str, Any], tasks: list[int], old: AccountId, new: AccountId
    ) -> list[tuple[Any, Any, Any, Any]]:
        """Item, old key, new key, new value of every entry that changes. Nothing is written."""

        def swapped(who: AccountId) -> AccountId:
            if who == new:
                raise NewKeyInUse
            return new if who == old else who

        by_depositor = [items[name] for name in ONLY_DEPOSITOR]
        moves = []
        for place, (item, key) in enumerate(self._candidates(items, tasks, old, new)):
            if place >= self.config.lookups_max:
                raise TooMuchToMove
            value = item.find() if key is None else item.find(key)
            if value is None:
                continue
            shape = key_shape(item)
            to = key if shape is None else rewrite(shape, key, swapped)
            if item in by_depositor:
                changed = replace(value, depositor=swapped(value.depositor))
            else:
                changed = rewrite(value_shape(item), value, swapped)
            if to != key or changed != value:
                moves.append((item, key, to, changed))
        return moves

    def _candidates(
        self, items: dict[str, Any], tasks: list[int], old: AccountId, new: AccountId
    ) -> Iterator[Entry]:
        """Where accounts `old` and `new` may be mentioned, each place once."""
        for name, item in items.items():
            if name not in STAYS and item_mentions_accounts(item) and _is_direct(item):
                if key_shape(item) is None:
                    yield item, None
                else:
                    yield from ((item, who) for who in (old, new))
        for name, index in BY_DEPOSITOR.items():
            yield from ((items[name], _entry_key(key)) for key in items[index].get(old))
        for task in tasks:
            yield from _of_task(items, task, old, new)

    def _move_account(self, records: Any, old: AccountId, new: AccountId) -> None:
        info, nonce = self.accounts.account_info(old), self.accounts.account_info(new).nonce
        self.accounts.set_account_info(new, replace(info, nonce=nonce))
        self.accounts.set_account_info(old, AccountInfo())
        if info.nonce:
            records.put(old, AccountInfo(info.nonce))


def _of_task(items: dict[str, Any], task: int, old: AccountId, new: AccountId) -> Iterator[Entry]:
    """What a task keeps of the two accounts."""
    for name in BY_TASK:
        yield from ((items[name], _task_key(items[name], task, who)) for who in (old, new))
    yield from ((items[name], task) for name in OF_TASK)
    yield from _stakes(items, task, old, new)
    if items["Delegation.operators"].contains((task, old)):  # only operators submit
        for name in IN_TASK:
            yield from ((items[name], (task, thing)) for thing, _ in items[name].items_of(task))


def _stakes(items: dict[str, Any], task: int, old: AccountId, new: AccountId) -> Iterator[Entry]:
    """What is staked behind the two accounts, and what they have behind others."""
    backed = items[BY_STAKER]
    staker_key: Any = parts_of(_shape(backed))[0]
    for name in BY_OPERATOR:
        item = items[name]
        operator_key: Any = parts_of(_shape(item))[0]
        for who in (old, new):
            behind = operator_key.build(task, who)
            yield from ((item, (behind, staker)) for staker, _ in item.items_of(behind))
            for operator, _ in backed.items_of(staker_key.build(task, who)):
                if operator not in (old, new):
                    yield item, (operator_key.build(task, operator), who)
    delegations = items["Delegation.delegations"]
    for who in (old, new):
        of_staker = staker_key.build(task, who)
        yield from ((backed, (of_staker, operator)) for operator, _ in backed.items_of(of_staker))
        behind = parts_of(_shape(delegations))[0].build(task, who)  # type: ignore[attr-defined]
        for staker, _ in delegations.items_of(behind):
            if staker not in (old, new):
                yield backed, (staker_key.build(task, staker), who)


def _entry_key(listed: Any) -> Any:
    """The key of a map from how a list tells it: a record's fields are the keys of a double map."""
    if is_dataclass(listed):
        return tuple(getattr(listed, member.name) for member in fields(listed))
    return listed


def _task_key(item: Any, task: int, who: AccountId) -> tuple[int, Any]:
    return task, with_account(parts_of(_shape(item))[1], who)


def _shape(item: Any) -> Any:
    shape = key_shape(item)
    assert shape is not None, item.name
    return shape


def _remove(item: Any, key: Any) -> None:
    if key is None:
        item.remove()
    else:
        item.remove(key)


def _put(item: Any, key: Any, value: Any) -> None:
    if key is None:
        item.put(value)
    else:
        item.put(key, value)
