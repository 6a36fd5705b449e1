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

from runtime.primitives.content_id import cid_text, content_id
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
        self._directory = directory
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

    # -- models and other blobs

    def put_model_file(self, model: bytes, held_out: Fraction) -> bytes:
        """Keep a model with its metric on held-out data, the oldest makes room; its content id."""
        digest = self.put_blob(model)
        self.metrics[digest.hex()] = str(held_out)
        while len(self.metrics) > MODELS_KEPT:
            oldest = next(iter(self.metrics))
            del self.metrics[oldest]
            self._blob_path(bytes.fromhex(oldest)).unlink(missing_ok=True)
        self._save()
        return digest

    def find_metric(self, digest: bytes) -> Fraction | None:
        """The metric of a model of one's own, if it is still known."""
        text = self.metrics.get(digest.hex())
        return None if text is None else Fraction(text)

    def put_blob(self, data: bytes) -> bytes:
        """Keep a blob beside the state; its content id."""
        digest = content_id(data)
        path = self._blob_path(digest)
        if not path.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_atomically(path, data)
        return digest

    def find_blob(self, digest: bytes) -> bytes | None:
        """A kept blob, or None if it is not there whole."""
        try:
            data = self._blob_path(digest).read_bytes()
        except FileNotFoundError:
            return None
        return data if content_id(data) == digest else None

    def _blob_path(self, digest: bytes) -> Path:
        return self._directory / "blobs" / cid_text(digest)

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


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file whole, readable by its owner only. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _read(document: Mapping[str, Mapping[str, Any]], kind: type[R]) -> dict[str, R]:
    found: dict[str, R] = {}
    for name, fields in document.items():
        task, day = name.split("/")
        found[f"{int(task)}/{int(day)}"] = kind(**fields)
    return found
