"""The book on disk: a journal that is synced before a call is answered, folded now and then.

Owns both files and their lock. Invariant: what `write` returned for survives a loss of power; a
line that was torn while it was written is dropped, and its call was not answered.
Source: WP III.B.2; POSIX fsync(2).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from flockchain.marketplace.ledger import Account, Ledger, Payer, Pledge, Record
from flockchain.workers.locked_file import LockedFile
from runtime.primitives.types import AccountId, Hash

log = logging.getLogger(__name__)

VERSION: Final = 1
FOLD_LINES: Final = 20_000  # a journal of some 5 MB
_MODE: Final = 0o600


class LedgerFile:
    """A host's book on one chain. Raises StateFileError if another process has it."""

    def __init__(self, directory: Path, genesis: Hash, host: AccountId) -> None:
        name = f"{genesis[:4].hex()}-{host[:8].hex()}-ledger"
        self._file = LockedFile(directory / f"{name}.json")
        self.ledger = Ledger()
        self._sequence = 0
        self._lines = 0
        self._fold_at = FOLD_LINES
        self._waiting: list[tuple[list[Record], asyncio.Future[None]]] = []
        self._flush: asyncio.Task[None] | None = None
        try:
            path = directory / f"{name}.journal"
            self._journal = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, _MODE)
            self._load(path)
        except BaseException:
            self._file.close()
            raise

    async def write(self, records: list[Record]) -> None:
        """Wait until these records are on disk; calls at the same time share one sync.

        Raises OSError.
        """
        if not records:
            return
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((records, written))
        if self._flush is None:
            self._flush = asyncio.create_task(self._write_waiting())
        await written

    async def close(self) -> None:
        """Let another process have it, once what waits is written."""
        if self._flush is not None:
            await self._flush
        await self._fold()
        os.close(self._journal)
        self._file.close()

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                records = [record for group, _ in batch for record in group]
                try:
                    await asyncio.to_thread(self._append, records)
                except OSError as error:
                    _tell(batch, error)
                    continue
                _tell(batch, None)
                # What waits is in the book already: folding it would count it twice.
                if self._lines >= self._fold_at and not self._waiting:
                    await self._fold()
        finally:
            self._flush = None

    def _append(self, records: list[Record]) -> None:
        lines = [
            json.dumps({"sequence": number, **record.to_json()}, separators=(",", ":")) + "\n"
            for number, record in enumerate(records, self._sequence + 1)
        ]
        size = os.fstat(self._journal).st_size
        try:
            with open(self._journal, "ab", closefd=False) as file:
                file.write("".join(lines).encode())
            os.fsync(self._journal)
        except OSError:
            os.ftruncate(self._journal, size)  # half a line would spoil those after it
            raise
        self._sequence += len(records)
        self._lines += len(records)

    async def _fold(self) -> None:
        """Write the whole book, then empty the journal; the sequence tells what is in both.

        Whoever folds is the only one who appends, so no line comes between the two. If the disk
        fails, the journal has all, and a later fold is tried.
        """
        today = max((account.day for account in self.ledger.accounts.values()), default=0)
        self.ledger.accounts = {
            payer: account
            for payer, account in self.ledger.accounts.items()
            if (account.free and account.day == today) or not account.is_even
        }
        try:
            await asyncio.to_thread(self._replace, self._sequence, dict(self.ledger.accounts))
        except OSError as error:
            log.warning("the book could not be folded, its journal grows: %s", error)
            self._fold_at = self._lines + FOLD_LINES
            return
        self._lines, self._fold_at = 0, FOLD_LINES

    def _replace(self, sequence: int, accounts: dict[Payer, Account]) -> None:
        document = {
            "version": VERSION,
            "sequence": sequence,
            "accounts": [
                {"caller": payer.caller.hex(), "model": payer.model.hex(), **asdict(account)}
                for payer, account in accounts.items()
            ],
        }
        self._file.write(document)
        os.ftruncate(self._journal, 0)
        os.fsync(self._journal)

    # -- reading

    def _load(self, path: Path) -> None:
        try:
            document = self._file.read()
            if document is not None:
                if document["version"] != VERSION:
                    raise ValueError(f"version {document['version']}")
                self._sequence = int(document["sequence"])
                self.ledger.accounts = dict(map(_account, document["accounts"]))
            self._replay(path)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._file.refusal(error) from error

    def _replay(self, path: Path) -> None:
        whole = 0
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break  # torn: nobody was told of it
                value = json.loads(line)
                whole += len(line)
                self._lines += 1
                number = value.pop("sequence")
                if number > self._sequence:
                    self._sequence = number
                    self.ledger.apply([Record.from_json(value)])
        os.ftruncate(self._journal, whole)


def _tell(batch: list[tuple[list[Record], asyncio.Future[None]]], error: OSError | None) -> None:
    for _, written in batch:
        if written.done():
            continue  # whoever waited was cancelled
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)


def _account(fields: dict[str, Any]) -> tuple[Payer, Account]:
    payer = Payer(
        AccountId(bytes.fromhex(fields.pop("caller"))), bytes.fromhex(fields.pop("model"))
    )
    voucher, reserve = Pledge(**fields.pop("voucher")), Pledge(**fields.pop("reserve"))
    return payer, Account(voucher=voucher, reserve=reserve, **fields)
