"""What a worker must not forget over a restart: salts, sealed submissions and score sheets.

One JSON document a key and chain, written whole and renamed into place, mode 0600: who reads a salt
early can copy what it seals. Models lie beside it, named by content id. Invariant: a commitment is
on disk before it is submitted.

Source: WP V.B (blind validation); the sealing is `runtime.pallets.arena.seals`.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, TypeVar

from flockchain.workers.blob_folder import BlobFolder, write_atomically
from runtime.primitives.types import AccountId, Hash

VERSION: Final = 1
DAYS_KEPT: Final = 3  # of what was sealed: later it can no longer be opened
MODELS_KEPT: Final = 64
FILE_BYTES_MAX: Final = 64 * 1024 * 1024
_MODE: Final = 0o600

R = TypeVar("R")


class StateFileError(Exception):
    """The state directory cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class SealedModel:
    """A submission of a day: what was sealed with which salt. Bytes in hex."""

    content: str
    size_bytes: int
    salt: str


@dataclass(frozen=True, slots=True)
class SealedSheet:
    """A score sheet of a day: SCALE bytes of the verdicts, and the salt, in hex."""

    scores: str
    salt: str


class WorkerState:
    """The memory of one key on one chain. Raises StateFileError if another process has it."""

    def __init__(self, directory: Path, genesis: Hash, account: AccountId) -> None:
        self._blobs = BlobFolder(directory)
        self._path = directory / f"{genesis[:4].hex()}-{account[:8].hex()}.json"
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, _MODE)
        except OSError as error:
            raise StateFileError(f"cannot use {directory}: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise StateFileError(
                f"{self._path} is in use by another worker: give each its own --state-dir"
            ) from error
        self.models: dict[str, SealedModel] = {}
        self.sheets: dict[str, SealedSheet] = {}
        self.attempts: dict[str, int] = {}  # trainings so far, by task
        self.metrics: dict[str, str] = {}  # own models' metrics on held-out data, as fractions
        self._load()

    def close(self) -> None:
        """Let another process have it."""
        os.close(self._lock)

    # -- what was sealed

    def find_model(self, task: int, day: int) -> SealedModel | None:
        """What was sealed as the day's submission."""
        return self.models.get(f"{task}/{day}")

    def put_model(self, task: int, day: int, sealed: SealedModel) -> None:
        """Remember it, on disk."""
        self.models[f"{task}/{day}"] = sealed
        self._forget(self.models, day, DAYS_KEPT)
        self._save()

    def find_sheet(self, task: int, day: int) -> SealedSheet | None:
        """What was sealed as the day's scores."""
        return self.sheets.get(f"{task}/{day}")

    def put_sheet(self, task: int, day: int, sealed: SealedSheet) -> None:
        """Remember it, on disk."""
        self.sheets[f"{task}/{day}"] = sealed
        self._forget(self.sheets, day, DAYS_KEPT)
        self._save()

    def count_attempt(self, task: int) -> None:
        """One more training was used up."""
        self.attempts[str(task)] = self.attempts.get(str(task), 0) + 1
        self._save()

    @staticmethod
    def _forget(kept: dict[str, R], day: int, days: int) -> None:
        for name in [name for name in kept if int(name.split("/")[1]) < day - days]:
            del kept[name]

    # -- models

    def put_model_file(self, model: bytes, held_out: Fraction) -> bytes:
        """Keep a model with its metric on held-out data, the oldest makes room; its content id."""
        digest = self._blobs.put(model)
        self.metrics[digest.hex()] = str(held_out)
        while len(self.metrics) > MODELS_KEPT:
            oldest = next(iter(self.metrics))
            del self.metrics[oldest]
            self._blobs.drop(bytes.fromhex(oldest))
        self._save()
        return digest

    def find_metric(self, digest: bytes) -> Fraction | None:
        """The metric of a model of one's own, if it is still known."""
        text = self.metrics.get(digest.hex())
        return None if text is None else Fraction(text)

    def find_model_file(self, digest: bytes) -> bytes | None:
        """A kept model, or None if it is not there whole."""
        return self._blobs.find(digest)

    # -- the file

    def _load(self) -> None:
        try:
            with self._path.open("rb") as file:
                raw = file.read(FILE_BYTES_MAX)
        except FileNotFoundError:
            return
        try:
            document = json.loads(raw)
            if document["version"] != VERSION:
                raise ValueError(f"version {document['version']}")
            self.models = _read(document["models"], SealedModel)
            self.sheets = _read(document["sheets"], SealedSheet)
            self.metrics = {
                name: str(Fraction(metric)) for name, metric in document["metrics"].items()
            }
            self.attempts = {str(task): int(count) for task, count in document["attempts"].items()}
        except (ValueError, LookupError, TypeError, AttributeError, ZeroDivisionError) as error:
            raise StateFileError(
                f"{self._path} is no worker state ({error}): move it away; what it sealed and did "
                "not open yet is lost"
            ) from error

    def _save(self) -> None:
        document = {
            "version": VERSION,
            "models": {name: asdict(sealed) for name, sealed in self.models.items()},
            "sheets": {name: asdict(sealed) for name, sealed in self.sheets.items()},
            "attempts": self.attempts,
            "metrics": self.metrics,
        }
        write_atomically(self._path, json.dumps(document, indent=1).encode())


def _read(document: Mapping[str, Mapping[str, Any]], kind: type[R]) -> dict[str, R]:
    found: dict[str, R] = {}
    for name, fields in document.items():
        task, day = name.split("/")
        found[f"{int(task)}/{int(day)}"] = kind(**fields)
    return found
