"""The book on disk: a journal that is synced before a call is answered, folded now and then.

Owns both files and their lock. Invariant: what `write` returned for survives a loss of power; a
line that was torn while it was written is dropped, and its call was not answered.
Source: WP III.B.2; POSIX fsync(2).
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final

from flockchain.marketplace.ledger import Account, Ledger, Payer, Pledge, Record
from flockchain.workers.locked_file import LockedFile
from runtime.primitives.types import AccountId, Hash

VERSION: Final = 1
FOLD_LINES: Final = 20_000  # a journal of some 5 MB


class LedgerFile:
    """A host's book on one chain. Raises StateFileError if another process has it."""

    def __init__(self, directory: Path, genesis: Hash, host: AccountId) -> None:
        name = f"{genesis[:4].hex()}-{host[:8].hex()}-ledger"
        self._file = LockedFile(directory / f"{name}.json")
        self._path = directory / f"{name}.journal"
        self.ledger = Ledger()
        self._sequence = 0
        self._lines = 0
        self._waiting: list[Record] = []
        self._flush: asyncio.Task[None] | None = None
        try:
            self._load()
            self._journal: IO[bytes] = self._path.open("ab")
        except BaseException:
            self._file.close()
            raise

    async def write(self, records: list[Record]) -> None:
        """Wait until these records are on disk; calls at the same time share one sync.

        Raises OSError.
        """
        if not records:
            return
        self._waiting += records
        while self._waiting_for(records):
            if self._flush is None:
                self._flush = asyncio.create_task(self._write_waiting())
            # Shielded: a caller that goes away must not take the others' records along.
            await asyncio.shield(self._flush)

    def close(self) -> None:
        """Let another process have it; what waits is written."""
        self._append(self._waiting)
        self._waiting = []
        self._fold()
        self._journal.close()
        self._file.close()

    def _waiting_for(self, records: list[Record]) -> bool:
        return any(each is records[-1] for each in self._waiting) or self._flush is not None

    async def _write_waiting(self) -> None:
        records, self._waiting = self._waiting, []
        try:
            await asyncio.to_thread(self._append, records)
            if self._lines >= FOLD_LINES and not self._waiting:
                self._fold()
        finally:
            self._flush = None

    def _append(self, records: list[Record]) -> None:
        for record in records:
            self._sequence += 1
            line = {"sequence": self._sequence, **record.to_json()}
            self._journal.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        self._journal.flush()
        os.fsync(self._journal.fileno())
        self._lines += len(records)

    def _fold(self) -> None:
        """Write the whole book, then empty the journal; the sequence tells what is in both."""
        days = [account.day for account in self.ledger.accounts.values()]
        kept = {
            payer: account
            for payer, account in self.ledger.accounts.items()
            if account.spent or account.covered or account.day == max(days)
        }
        document = {
            "version": VERSION,
            "sequence": self._sequence,
            "accounts": [
                {"caller": payer.caller.hex(), "model": payer.model.hex(), **asdict(account)}
                for payer, account in kept.items()
            ],
        }
        self._file.write(document)
        self._journal.truncate(0)
        os.fsync(self._journal.fileno())
        self.ledger.accounts = kept
        self._lines = 0

    # -- reading

    def _load(self) -> None:
        try:
            document = self._file.read()
            if document is not None:
                if document["version"] != VERSION:
                    raise ValueError(f"version {document['version']}")
                self._sequence = int(document["sequence"])
                self.ledger.accounts = dict(map(_account, document["accounts"]))
            self._replay()
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._file.refusal(error) from error

    def _replay(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("r+b") as file:
            whole = 0
            for line in file:
                if not line.endswith(b"\n"):
                    break  # torn: nobody was told of it
                value = json.loads(line)
                whole += len(line)
                self._lines += 1
                if value.pop("sequence") > self._sequence:
                    self._sequence += 1
                    self.ledger.apply([Record.from_json(value)])
            file.truncate(whole)


def _account(fields: dict[str, Any]) -> tuple[Payer, Account]:
    payer = Payer(AccountId(bytes.fromhex(fields.pop("caller"))), bytes.fromhex(fields.pop("model")))
    voucher, reserve = Pledge(**fields.pop("voucher")), Pledge(**fields.pop("reserve"))
    return payer, Account(voucher=voucher, reserve=reserve, **fields)
