"""A host's book: what each caller was served, free and for pay, and the vouchers that cover it.

Sans-I/O: every change is a record; the book is what its records say. Invariant: of a caller and
model at most the highest covered total is ever spent, at most the deposit is ever covered, and free
calls of a day never pass their limit, in whatever order records are asked for.
Source: WP II.C (quotas by stake), III.B.2 (payment channels).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, NamedTuple

from runtime.primitives.types import AccountId

KINDS: Final = ("opened", "free", "owing", "voucher", "reserve", "spent", "refunded", "settled")


class Payer(NamedTuple):
    """Whose calls, and to which model: the book's key. The host is the book's own."""

    caller: AccountId
    model: bytes


@dataclass(frozen=True, slots=True)
class Channel:
    """A deposit on the chain in planck, what of it was paid out, and whether it is being closed."""

    deposit: int
    settled: int
    is_closing: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a call is made now: `price` in planck, None if the chain has no final offer of
    the model; `free_calls` a day."""

    price: int | None
    free_calls: int
    day: int
    channel: Channel | None


@dataclass(frozen=True, slots=True)
class Pledge:
    """A voucher's total, its signature in hex, and the last day of the key that brought it."""

    total: int = 0
    signature: str = ""
    expires_day: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """One payer's page. Totals in planck, since the channel exists. `owing_since`: the day of the
    first call that was not paid out yet."""

    spent: int = 0
    voucher: Pledge = field(default=Pledge())
    reserve: Pledge = field(default=Pledge())
    settled: int = 0
    day: int = 0
    free: int = 0
    owing_since: int = 0

    @property
    def covered(self) -> int:
        """Up to which total calls are covered."""
        return max(self.voucher.total, self.reserve.total, self.settled)

    @property
    def is_even(self) -> bool:
        """Whether all was paid out, so that the chain knows as much as this page."""
        return self.spent == self.settled >= self.covered


@dataclass(frozen=True, slots=True)
class Record:
    """One change of the book: of `KINDS`, with an amount (planck, or a day) and a pledge."""

    payer: Payer
    kind: str
    amount: int = 0
    pledge: Pledge | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is written."""
        found: dict[str, Any] = {
            "caller": self.payer.caller.hex(),
            "model": self.payer.model.hex(),
            "kind": self.kind,
            "amount": self.amount,
        }
        return found if self.pledge is None else {**found, "pledge": asdict(self.pledge)}

    @staticmethod
    def from_json(value: dict[str, Any]) -> Record:
        """As it was written. Raises ValueError, LookupError, TypeError."""
        payer = Payer(AccountId(bytes.fromhex(value["caller"])), bytes.fromhex(value["model"]))
        if value["kind"] not in KINDS:
            raise ValueError(f"record of kind {value['kind']}")
        pledge = Pledge(**value["pledge"]) if "pledge" in value else None
        return Record(payer, value["kind"], int(value["amount"]), pledge)


@dataclass(frozen=True, slots=True)
class Charge:
    """What a call cost: `amount` in planck, 0 for a free one; `spent`: the total after it."""

    payer: Payer
    amount: int
    spent: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What the host can have paid out now, by the caller's signature (in hex)."""

    payer: Payer
    total: int
    signature: str
    earned: int
    """What of it was served and not paid yet, in planck."""


class Unpaid(Exception):
    """Nothing covers the call. `due`: the total of a voucher that would, None if none can."""

    def __init__(self, message: str, due: int | None) -> None:
        super().__init__(message)
        self.due = due


class Ledger:
    """The book. `apply` is the only way to change it."""

    def __init__(self) -> None:
        self.accounts: dict[Payer, Account] = {}

    def account(self, payer: Payer) -> Account:
        """The payer's page; an empty one if there is none."""
        return self.accounts.get(payer, Account())

    def charge(
        self, payer: Payer, terms: Terms, voucher: Pledge | None, reserve: Pledge | None
    ) -> tuple[Charge, list[Record]]:
        """Count a call; its cost, and the records of it, which are applied already.

        A voucher counts only if it is higher than all before. Raises `Unpaid`, without a change.
        """
        price = terms.price
        if price is None:
            raise Unpaid("the host's offer of this model is withdrawn, or not final yet", None)
        account = self.account(payer)
        used = account.free if account.day == terms.day else 0
        if used < terms.free_calls:
            return self._done(payer, 0, [Record(payer, "free", terms.day)])
        if price == 0:
            return self._done(payer, 0, [])
        if terms.channel is None:
            raise Unpaid("no free calls are left today, and there is no channel to pay from", None)
        if terms.channel.is_closing:
            raise Unpaid("no free calls are left today, and the channel is being closed", None)
        records = self._synced(payer, terms.channel)
        for kind, pledge in (("voucher", voucher), ("reserve", reserve)):
            if pledge is not None and self._is_higher(account, kind, pledge, terms.channel):
                records.append(Record(payer, kind, pledge=pledge))
        after = account
        for record in records:
            after = _changed(after, record)
        due = after.spent + price
        if due > min(after.covered, terms.channel.deposit):
            raise Unpaid(_why(after, due, terms.channel), _payable(due, terms.channel))
        if after.spent <= after.settled:
            records.append(Record(payer, "owing", terms.day))
        return self._done(payer, price, [*records, Record(payer, "spent", price)])

    def refund(self, charge: Charge) -> list[Record]:
        """A paid call failed: what it cost covers a later one."""
        if not charge.amount:
            return []
        records = [Record(charge.payer, "refunded", charge.amount)]
        self.apply(records)
        return records

    def note_settled(self, payer: Payer, total: int) -> list[Record]:
        """The chain paid out up to this total."""
        records = [] if total <= self.account(payer).settled else [Record(payer, "settled", total)]
        self.apply(records)
        return records

    def claims(self, day: int, closing: frozenset[Payer] = frozenset()) -> Iterator[Claim]:
        """What can be claimed. A key's reserve only when it is used up, or soon worth nothing:
        its rest is then the caller's credit here."""
        for payer, account in self.accounts.items():
            earned = account.spent - account.settled
            if earned <= 0:
                continue
            voucher, reserve = account.voucher, account.reserve
            if voucher.total >= account.spent:
                yield Claim(payer, voucher.total, voucher.signature, earned)
            elif reserve.total > account.settled and (
                account.spent >= reserve.total or reserve.expires_day < day or payer in closing
            ):
                yield Claim(payer, reserve.total, reserve.signature, earned)
            elif voucher.total > account.settled:
                part = voucher.total - account.settled
                yield Claim(payer, voucher.total, voucher.signature, part)

    def apply(self, records: list[Record]) -> None:
        """Write records into the book."""
        for record in records:
            self.accounts[record.payer] = _changed(self.account(record.payer), record)

    def _done(
        self, payer: Payer, amount: int, records: list[Record]
    ) -> tuple[Charge, list[Record]]:
        self.apply(records)
        return Charge(payer, amount, self.account(payer).spent), records

    def _synced(self, payer: Payer, channel: Channel) -> list[Record]:
        """A page that the book does not have begins at what the chain paid out. It may hold the
        refund of a call, if it was dropped while that ran: the caller's credit."""
        known = self.accounts.get(payer)
        if known is None or (known.spent <= 0 and not known.covered):
            return [Record(payer, "opened", channel.settled)] if channel.settled else []
        return (
            [Record(payer, "settled", channel.settled)] if channel.settled > known.settled else []
        )

    @staticmethod
    def _is_higher(account: Account, kind: str, pledge: Pledge, channel: Channel) -> bool:
        known = account.voucher if kind == "voucher" else account.reserve
        return max(known.total, channel.settled) < pledge.total <= channel.deposit


def _why(account: Account, due: int, channel: Channel) -> str:
    if due > channel.deposit:
        return (
            f"no free calls are left today, and of the deposit of {channel.deposit} planck "
            f"{account.spent} are spent: top it up"
        )
    return (
        f"no free calls are left today: send a voucher of {due} planck in all, or use a key with "
        "a higher limit"
    )


def _payable(due: int, channel: Channel) -> int | None:
    return due if due <= channel.deposit else None


def _changed(account: Account, record: Record) -> Account:
    kind, amount = record.kind, record.amount
    if kind == "opened":
        return replace(account, spent=account.spent + amount, settled=amount)
    if kind == "free":
        used = account.free if account.day == amount else 0
        return replace(account, day=amount, free=used + 1)
    if kind == "owing":
        return replace(account, owing_since=amount)
    if kind == "spent":
        return replace(account, spent=account.spent + amount)
    if kind == "refunded":
        return replace(account, spent=account.spent - amount)
    if kind == "settled":
        return replace(account, settled=max(account.settled, amount))
    assert record.pledge is not None, f"a record of kind {kind} has a pledge"
    if kind == "voucher":
        return replace(account, voucher=record.pledge)
    return replace(account, reserve=record.pledge)
