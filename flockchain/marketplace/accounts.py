"""The door of payment: who calls, on what terms, and what it costs, on disk before the answer.

Owns the order: the book decides at once, the disk follows, the call goes on after both. Invariant:
no call is served that the book does not have on disk.
Source: WP II.C, III.B.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from flockchain.marketplace.credentials import (
    ApiKey,
    CredentialError,
    SignedVoucher,
    read_key,
    read_voucher,
)
from flockchain.marketplace.errors import ApiError, bad_key, payment_required
from flockchain.marketplace.ledger import Charge, Payer, Pledge, Terms, Unpaid
from flockchain.marketplace.ledger_file import LedgerFile
from flockchain.sdk.errors import SdkError
from runtime.primitives.multi import MULTI_SIGNATURE
from runtime.primitives.types import AccountId, Hash


class MarketView(Protocol):
    """What the chain says of a payer now."""

    @property
    def day(self) -> int:
        """The chain's day, as far as it is known: by it free calls count and keys expire."""

    async def terms(self, payer: Payer) -> Terms:
        """On what terms it calls. Raises SdkError while the chain cannot be asked."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and with what to pay."""

    key: ApiKey
    voucher: SignedVoucher | None

    @property
    def account(self) -> AccountId:
        """The account."""
        return self.key.grant.caller


class Accounts:
    """Authenticates and charges."""

    def __init__(self, book: LedgerFile, view: MarketView, genesis: Hash, host: AccountId) -> None:
        self.book = book
        self._view = view
        self._genesis = genesis
        self._host = host

    def authenticate(self, authorization: str | None, voucher: str | None) -> Caller:
        """The caller of a request's headers. Raises ApiError."""
        if authorization is None or not authorization.startswith("Bearer "):
            raise bad_key("no key: send it as Authorization: Bearer sk-flock-...")
        try:
            key = read_key(authorization.removeprefix("Bearer ").strip())
            self._ensure_ours(key)
            paid = None if voucher is None else read_voucher(voucher, key.grant)
        except CredentialError as error:
            raise bad_key(str(error)) from error
        return Caller(key, paid)

    async def charge(self, caller: Caller, model: bytes) -> Charge:
        """Count a call, on disk. Raises ApiError."""
        if caller.key.grant.model != model:
            raise bad_key("the key is for another model: `flockchain market key --model` makes one")
        payer = Payer(caller.account, model)
        try:
            terms = await self._view.terms(payer)
        except SdkError as error:
            raise ApiError(503, f"the chain cannot be asked: {error}", "server_error") from error
        expires = caller.key.grant.expires_day
        try:
            charge, records = self.book.ledger.charge(
                payer,
                terms,
                _pledge(caller.voucher, expires),
                _pledge(caller.key.reserve, expires),
            )
        except Unpaid as error:
            raise payment_required(str(error), error.due) from error
        try:
            await self.book.write(records)
        except OSError:
            self.book.ledger.refund(charge)  # the call is not answered, and no disk says it was
            raise
        return charge

    async def refund(self, charge: Charge) -> None:
        """Give back what a failed call cost, on disk."""
        await self.book.write(self.book.ledger.refund(charge))

    def _ensure_ours(self, key: ApiKey) -> None:
        grant = key.grant
        if grant.genesis != self._genesis:
            raise CredentialError(f"the key is for chain 0x{grant.genesis.hex()}")
        if grant.host != self._host:
            raise CredentialError(f"the key is for another host, 0x{grant.host.hex()}")
        if grant.expires_day < self._view.day:
            raise CredentialError("the key has expired: `flockchain market key` makes another")


def _pledge(signed: SignedVoucher | None, expires_day: int) -> Pledge | None:
    if signed is None:
        return None
    text = MULTI_SIGNATURE.encode(signed.signature).hex()
    return Pledge(signed.voucher.total, text, expires_day)
