"""What a caller has signed away, by host and model, on its own disk before it leaves.

Owns the totals. A voucher that was sent counts as given whatever became of its call; a host's word
on what it charged is believed up to that and no further. Invariant: a voucher is signed only after
its total is on disk, and never for more than the price above what the host may have charged: so a
crash costs at most what was not signed yet, and a lying host at most one call.
Source: WP III.B.2 (payment channels).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from flockchain.keys import KeyPair
from flockchain.marketplace.credentials import SignedVoucher, sign
from flockchain.workers.locked_file import LockedFile
from runtime.primitives.types import AccountId, Hash
from runtime.primitives.vouchers import Voucher

VERSION: Final = 1


class Line(NamedTuple):
    """A host and its model."""

    host: AccountId
    model: bytes


@dataclass(slots=True)
class Promise:
    """Planck in all: `signed` is given away, `spent` what the host says it charged, `running` what
    calls may cost that are on their way, `kept` the highest total that is on disk."""

    signed: int = 0
    spent: int = 0
    running: int = 0
    kept: int = 0


class Overcharged(Exception):
    """A host claims to have charged more than was ever signed."""


class Promises:
    """The promises of one key on one chain. Raises StateFileError if another process has them."""

    def __init__(self, directory: Path, genesis: Hash, pair: KeyPair) -> None:
        name = f"{genesis[:4].hex()}-{pair.account[:8].hex()}-promises"
        self._file = LockedFile(directory / f"{name}.json")
        self._genesis = genesis
        self._pair = pair
        self._turn = asyncio.Lock()
        self._promises: dict[Line, Promise] = {}
        try:
            self._load()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Let another process have them."""
        self._file.close()

    def of(self, line: Line) -> Promise:
        """What was promised to a host for a model."""
        return self._promises.setdefault(line, Promise())

    async def pay(self, line: Line, price: int) -> SignedVoucher:
        """A voucher that covers one more call, its total on disk. Raises OSError."""
        promise = self.of(line)
        promise.running += price
        promise.signed = total = max(promise.signed, promise.spent + promise.running)
        try:
            async with self._turn:  # another call may have raised the total and not be done yet
                if total > promise.kept:
                    await self._save()
        except BaseException:
            promise.running -= price  # no call will follow
            raise
        voucher = Voucher(self._genesis, self._pair.account, line.host, line.model, total)
        return SignedVoucher(voucher, sign(self._pair, voucher))

    def ended(self, line: Line, price: int, charged_to: int | None) -> None:
        """A call that `pay` was for is over; `charged_to` is the host's count, None if it said
        nothing: then the same voucher pays for the next call, or the host says what it charged."""
        promise = self.of(line)
        promise.running -= price
        if charged_to is not None:
            promise.spent = max(promise.spent, min(charged_to, promise.signed))

    def agree(self, line: Line, due: int, price: int) -> None:
        """Take over a host's count, which asks for a voucher of `due`. Raises `Overcharged`."""
        promise = self.of(line)
        if due - price > promise.signed:
            raise Overcharged(
                f"host 0x{line.host.hex()} claims {due - price} planck, {promise.signed} are signed"
            )
        promise.spent = max(promise.spent, due - price)

    def note_settled(self, line: Line, settled: int) -> None:
        """The chain paid out so much: it was signed, if not by this copy of the file."""
        promise = self.of(line)
        promise.signed = max(promise.signed, settled)

    def _load(self) -> None:
        try:
            document = self._file.read()
            if document is None:
                return
            if document["version"] != VERSION:
                raise ValueError(f"version {document['version']}")
            for each in document["promises"]:
                line = Line(AccountId(bytes.fromhex(each["host"])), bytes.fromhex(each["model"]))
                signed = int(each["signed"])
                self._promises[line] = Promise(signed, int(each["spent"]), kept=signed)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._file.refusal(error) from error

    async def _save(self) -> None:
        """Write all totals as they are now. Raises OSError."""
        now = {line: promise.signed for line, promise in self._promises.items()}
        promises = [
            {
                "host": line.host.hex(),
                "model": line.model.hex(),
                "signed": promise.signed,
                "spent": promise.spent,
            }
            for line, promise in self._promises.items()
        ]
        document = {"version": VERSION, "promises": promises}
        await asyncio.to_thread(self._file.write, document)
        for line, signed in now.items():
            self._promises[line].kept = max(self._promises[line].kept, signed)
