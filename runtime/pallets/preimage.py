"""Preimage: bytes on the chain that others name by their hash, such as calls that are scheduled.

Who notes bytes holds a deposit by their size until it takes them back. Bytes that somebody relies
on are requested: they stay, whoever paid for them, until the last request ends.
Invariant (`try_state`): bytes are stored where a status says so and nowhere else; an account's hold
for PREIMAGE is the sum of the deposits that statuses name.

Source: Substrate `pallet_preimage`; WP VII (proposals).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final, TypeAlias

from runtime import frame
from runtime.frame.traits import Currency, HoldReason
from runtime.frame.weights import Weight
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.scale import Limit
from runtime.primitives.types import FML, U32, AccountId, Balance, Hash

SIZE_MAX: Final = 256 * 1024
NOTED_MAX: Final = 64  # preimages of one account
NOTE: Final = Weight(120_000_000)
BYTE: Final = Weight(5_000)  # hashed, stored and hashed again into the state root
CHANGE: Final = Weight(100_000_000)

Data = Annotated[bytes, Limit(SIZE_MAX)]
Ticket: TypeAlias = tuple[AccountId, Balance]
"""Who holds a deposit, and how much."""


class RequestStatus(frame.ScaleEnum, path="pallet_preimage::RequestStatus"):
    """What is known of a hash."""


class Unrequested(RequestStatus, index=0):
    """The bytes are here, and whoever noted them may take them back."""

    ticket: Ticket
    len: U32


class RequestedStatus(RequestStatus, index=1, name="Requested"):
    """So many rely on the bytes; they may not be here yet: `maybe_len` is None then."""

    maybe_ticket: Ticket | None
    count: U32
    maybe_len: U32 | None


@frame.event(0)
class Noted:
    """Bytes are on the chain."""

    hash: Hash


@frame.event(1)
class Requested:
    """Bytes are relied on."""

    hash: Hash


@frame.event(2)
class Cleared:
    """Bytes are no longer on the chain."""

    hash: Hash


class TooBig(frame.ModuleError, index=0):
    """The bytes are more than may be noted."""


class AlreadyNoted(frame.ModuleError, index=1):
    """The bytes are on the chain already."""


class NotAuthorized(frame.ModuleError, index=2):
    """Only whoever noted the bytes takes them back."""


class NotNoted(frame.ModuleError, index=3):
    """The bytes are not on the chain."""


class NotRequested(frame.ModuleError, index=5):
    """Nobody relies on the bytes."""


class TooMany(frame.ModuleError, index=6):
    """The account has as many preimages on the chain as it may. Take one back."""


@dataclass(frozen=True)
class Config:
    """Deposits in planck: the base, and for each byte."""

    base_deposit: Balance = FML // 100
    byte_deposit: Balance = FML // 100_000
    max_size: U32 = SIZE_MAX


Hashes = Annotated[list[Hash], Limit(NOTED_MAX)]


class Preimage(frame.Pallet[Config], index=10):
    request_status_for = frame.StorageMap[Hash, RequestStatus](
        Hash, RequestStatus, hasher=frame.Hasher.IDENTITY, docs="What is known of a hash."
    )
    preimage_for = frame.StorageMap[tuple[Hash, int], bytes](
        tuple[Hash, U32],
        Data,
        hasher=frame.Hasher.IDENTITY,
        docs="The bytes by hash and length.",
    )
    noted = frame.StorageMap[AccountId, list[Hash]](
        AccountId, Hashes, default=[], docs="What an account holds a deposit for."
    )

    def __init__(self, ext: frame.Externalities, config: Config, *, currency: Currency) -> None:
        super().__init__(ext, config)
        self.currency = currency

    # -- calls

    @frame.call(0, weight=lambda bytes_: NOTE + BYTE.times(len(bytes_)))
    def note_preimage(self, origin: frame.Origin, bytes_: bytes) -> None:
        """Put bytes on the chain. Signed, with a deposit by size; root requests them instead.

        Emits Noted. Raises TooBig, AlreadyNoted, TooMany, TokenError.
        """
        if origin.is_root:
            self.note(bytes_)
        else:
            self._note_for(frame.ensure_signed(origin), bytes_)

    @frame.call(1, weight=CHANGE)
    def unnote_preimage(self, origin: frame.Origin, hash_: Hash) -> None:
        """Get the deposit of bytes back. Signed by who noted them, or root.

        Bytes that somebody relies on stay, others go. Emits Cleared if they go. Raises NotNoted,
        NotAuthorized.
        """
        who = None if origin.is_root else frame.ensure_signed(origin)
        status = self.request_status_for.find(hash_)
        ticket = _ticket_of(status)
        if status is None or ticket is None:
            raise NotNoted
        if who not in (None, ticket[0]):
            raise NotAuthorized
        if isinstance(status, RequestedStatus):
            self.request_status_for.put(hash_, replace(status, maybe_ticket=None))
        else:
            self._clear(hash_, status)
        self._give_back(hash_, ticket)

    @frame.call(2, weight=CHANGE)
    def request_preimage(self, origin: frame.Origin, hash_: Hash) -> None:
        """Rely on bytes, which need not be here yet. Root. Emits Requested."""
        frame.ensure_root(origin)
        self.request(hash_)

    @frame.call(3, weight=CHANGE)
    def unrequest_preimage(self, origin: frame.Origin, hash_: Hash) -> None:
        """Rely on bytes no longer. Root. Emits Cleared if they go. Raises NotRequested."""
        frame.ensure_root(origin)
        if not self.unrequest(hash_):
            raise NotRequested

    # -- Preimages

    def note(self, data: bytes) -> Hash:
        """Put bytes on the chain without a deposit, requested once. Emits Noted. Raises TooBig."""
        self._ensure_size(data)
        found = Hash(blake2b_256(data))
        status = self.request_status_for.find(found)
        if isinstance(status, RequestedStatus):
            grown = replace(status, count=status.count + 1, maybe_len=len(data))
        else:
            grown = RequestedStatus(_ticket_of(status), 1, len(data))
        self._put(found, grown, data)
        return found

    def bytes_of(self, found: Hash) -> bytes | None:
        """The bytes of a hash, if they are on the chain."""
        length = _length_of(self.request_status_for.find(found))
        return None if length is None else self.preimage_for.find((found, length))

    def request(self, found: Hash) -> None:
        """Rely on bytes once more. Emits Requested the first time."""
        status = self.request_status_for.find(found)
        if isinstance(status, RequestedStatus):
            self.request_status_for.put(found, replace(status, count=status.count + 1))
            return
        requested = RequestedStatus(_ticket_of(status), 1, _length_of(status))
        self.request_status_for.put(found, requested)
        self.deposit_event(Requested(found))

    def unrequest(self, found: Hash) -> bool:
        """Rely on bytes once less; False if nobody did. Emits Cleared if they go."""
        status = self.request_status_for.find(found)
        if not isinstance(status, RequestedStatus):
            return False
        if status.count > 1:
            self.request_status_for.put(found, replace(status, count=status.count - 1))
        elif status.maybe_len is None:
            self.request_status_for.remove(found)
        elif status.maybe_ticket is None:
            self._clear(found, status)
        else:
            kept = Unrequested(status.maybe_ticket, status.maybe_len)
            self.request_status_for.put(found, kept)
        return True

    # -- one place for each write

    def _note_for(self, who: AccountId, data: bytes) -> None:
        self._ensure_size(data)
        found = Hash(blake2b_256(data))
        status, mine = self.request_status_for.find(found), self.noted.get(who)
        if _length_of(status) is not None:
            raise AlreadyNoted
        if len(mine) >= NOTED_MAX:
            raise TooMany
        deposit = self.config.base_deposit + self.config.byte_deposit * len(data)
        self.currency.hold(HoldReason.PREIMAGE, who, deposit)
        self.noted.put(who, [*mine, found])
        ticket = (who, deposit)
        if isinstance(status, RequestedStatus):
            self._put(found, RequestedStatus(ticket, status.count, len(data)), data)
        else:
            self._put(found, Unrequested(ticket, len(data)), data)

    def _ensure_size(self, data: bytes) -> None:
        if len(data) > self.config.max_size:
            raise TooBig

    def _put(self, found: Hash, status: RequestStatus, data: bytes) -> None:
        self.request_status_for.put(found, status)
        self.preimage_for.put((found, len(data)), data)
        self.deposit_event(Noted(found))

    def _clear(self, found: Hash, status: RequestStatus) -> None:
        length = _length_of(status)
        assert length is not None, "only bytes that are here are cleared"
        self.request_status_for.remove(found)
        self.preimage_for.remove((found, length))
        self.deposit_event(Cleared(found))

    def _give_back(self, found: Hash, ticket: Ticket) -> None:
        who, deposit = ticket
        left = [item for item in self.noted.get(who) if item != found]
        if left:
            self.noted.put(who, left)
        else:
            self.noted.remove(who)
        self.currency.release(HoldReason.PREIMAGE, who, deposit)

    def try_state(self) -> None:
        deposits: dict[AccountId, int] = {}
        statuses = dict(self.request_status_for.items())
        for found, status in statuses.items():
            length, ticket = _length_of(status), _ticket_of(status)
            if length is not None:
                data = self.preimage_for.get((found, length))
                assert (len(data), blake2b_256(data)) == (length, found)
            if ticket is not None:
                assert found in self.noted.get(ticket[0])
                deposits[ticket[0]] = deposits.get(ticket[0], 0) + ticket[1]
        here = [found for found, status in statuses.items() if _length_of(status) is not None]
        assert sorted(key[0] for key, _ in self.preimage_for.items()) == sorted(here)
        assert sorted(self.noted.keys()) == sorted(deposits)
        for who, deposit in deposits.items():
            assert self.currency.held(HoldReason.PREIMAGE, who) == deposit


def _ticket_of(status: RequestStatus | None) -> Ticket | None:
    if isinstance(status, Unrequested):
        return status.ticket
    return status.maybe_ticket if isinstance(status, RequestedStatus) else None


def _length_of(status: RequestStatus | None) -> int | None:
    if isinstance(status, Unrequested):
        return status.len
    return status.maybe_len if isinstance(status, RequestedStatus) else None
