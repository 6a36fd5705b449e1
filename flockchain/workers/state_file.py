"""What a worker must not forget: models, keys, salts, aliases, score sheets, verdicts.

One JSON document a key and chain, written whole and renamed into place, mode 0600: who reads a salt
early can copy what it seals, and who reads a key can open a model. Models lie beside it, named by
content id. Invariant: a commitment, and the key of what it is of, are on disk before it is
submitted.

Source: WP V.B (blind validation); the sealing is `runtime.pallets.arena.seals`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, TypeVar

from flockchain.workers.blob_folder import BlobFolder
from flockchain.workers.locked_file import LockedFile, StateFileError
from flockchain.workers.model_seal import new_model_key, seal_model
from runtime.pallets.arena.records import SubmittedModel
from runtime.primitives.content_id import content_id
from runtime.primitives.types import AccountId, Hash

VERSION: Final = 3
DAYS_KEPT: Final = 3  # of what was sealed: later it can no longer be opened
VERDICTS_KEPT: Final = 64  # twice as many cases as are on their way
R = TypeVar("R")

__all__ = [
    "KeptModel",
    "SealedModel",
    "SealedSheet",
    "SealedVerdict",
    "StateFileError",
    "WorkerState",
]


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model of one's own: how it travels, and how good it is. Bytes in hex.

    `size_bytes` is the ciphertext's; `held_out` the score on held-out rows, as a fraction.
    """

    task: int
    content: str
    ciphertext: str
    size_bytes: int
    key: str
    held_out: str
    is_published: bool = False

    @property
    def metric(self) -> Fraction:
        """On held-out rows."""
        return Fraction(self.held_out)

    @property
    def submitted(self) -> SubmittedModel:
        """As the chain is told of it."""
        content, ciphertext = bytes.fromhex(self.content), bytes.fromhex(self.ciphertext)
        return SubmittedModel(content, ciphertext, self.size_bytes)


@dataclass(frozen=True, slots=True)
class SealedModel:
    """A submission of a day: which kept model was sealed with which salt. Bytes in hex."""

    content: str
    salt: str


@dataclass(frozen=True, slots=True)
class SealedAlias:
    """A submission of a day under an alias. Bytes in hex.

    `secret` is the alias's ed25519 seed, `entropy` what its ring signature is made with; it signs
    in the ring of `index`, at the block `send_at` of the day or later.
    """

    content: str
    salt: str
    secret: str
    entropy: str
    index: int
    send_at: int


@dataclass(frozen=True, slots=True)
class SealedSheet:
    """A score sheet of a day: SCALE bytes of the verdicts, and the salt, in hex."""

    scores: str
    salt: str


@dataclass(frozen=True, slots=True)
class SealedVerdict:
    """A verdict on a case: SCALE bytes of what it is about and of what was found, and the salt, in
    hex; `why` in words; the lost seal that it `replaces`, if one does, in hex."""

    matter: str
    verdict: str
    salt: str
    why: str
    replaces: str = ""


class WorkerState:
    """The memory of one key on one chain. Raises StateFileError if another process has it."""

    def __init__(self, directory: Path, genesis: Hash, account: AccountId) -> None:
        name = f"{genesis[:4].hex()}-{account[:8].hex()}"
        self._blobs = BlobFolder(directory / name)
        self._file = LockedFile(directory / f"{name}.json")
        self.submissions: dict[str, SealedModel] = {}
        self.aliases: dict[str, SealedAlias] = {}
        self.sheets: dict[str, SealedSheet] = {}
        self.verdicts: dict[str, SealedVerdict] = {}  # by case
        self.attempts: dict[str, int] = {}  # trainings so far, by task
        self._kept: dict[str, KeptModel] = {}  # by task and content id
        try:
            self._load()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Let another process have it."""
        self._file.close()

    # -- what was sealed

    def find_submission(self, task: int, day: int) -> SealedModel | None:
        """What was sealed as the day's submission."""
        return self.submissions.get(f"{task}/{day}")

    def put_submission(self, task: int, day: int, sealed: SealedModel) -> None:
        """Remember it, on disk."""
        self.submissions[f"{task}/{day}"] = sealed
        self._forget(self.submissions, day, DAYS_KEPT)
        self._save()

    def find_alias(self, task: int, day: int) -> SealedAlias | None:
        """What was sealed as the day's submission under an alias."""
        return self.aliases.get(f"{task}/{day}")

    def put_alias(self, task: int, day: int, sealed: SealedAlias) -> None:
        """Remember it, on disk."""
        self.aliases[f"{task}/{day}"] = sealed
        self._forget(self.aliases, day, DAYS_KEPT)
        self._save()

    def find_sheet(self, task: int, day: int) -> SealedSheet | None:
        """What was sealed as the day's scores."""
        return self.sheets.get(f"{task}/{day}")

    def put_sheet(self, task: int, day: int, sealed: SealedSheet) -> None:
        """Remember it, on disk."""
        self.sheets[f"{task}/{day}"] = sealed
        self._forget(self.sheets, day, DAYS_KEPT)
        self._save()

    def find_verdict(self, case: int) -> SealedVerdict | None:
        """What was sealed as the verdict on a case."""
        return self.verdicts.get(str(case))

    def put_verdict(self, case: int, sealed: SealedVerdict) -> None:
        """Remember it, on disk. Raises OSError, and then does not remember it."""
        before = self.verdicts
        after = {**before, str(case): sealed}
        self.verdicts = {each: after[each] for each in sorted(after, key=int)[-VERDICTS_KEPT:]}
        try:
            self._save()
        except OSError:
            self.verdicts = before
            raise

    def count_attempt(self, task: int) -> None:
        """One more training was used up."""
        self.attempts[str(task)] = self.attempts.get(str(task), 0) + 1
        self._save()

    @staticmethod
    def _forget(kept: dict[str, R], day: int, days: int) -> None:
        for name in [name for name in kept if int(name.split("/")[1]) < day - days]:
            del kept[name]

    # -- models

    def keep_model(self, task: int, model: bytes, held_out: Fraction) -> KeptModel:
        """Keep a model of a task, with a key of its own, on disk."""
        content = content_id(model)
        known = self.find_kept(task, content)
        if known is not None:
            return known
        key = new_model_key()
        ciphertext = seal_model(model, key)
        kept = KeptModel(
            task,
            content.hex(),
            content_id(ciphertext).hex(),
            len(ciphertext),
            key.hex(),
            str(held_out),
        )
        self._blobs.put(model)
        self._kept[f"{task}/{kept.content}"] = kept
        self._save()
        return kept

    def find_kept(self, task: int, content: bytes) -> KeptModel | None:
        """A kept model of the task."""
        return self._kept.get(f"{task}/{content.hex()}")

    def drop_models(self, task: int, but: Collection[bytes] = ()) -> None:
        """Forget the task's models except for those of these content ids."""
        for name, kept in list(self._kept.items()):
            content = bytes.fromhex(kept.content)
            if kept.task == task and content not in but:
                del self._kept[name]
                if all(other.content != kept.content for other in self._kept.values()):
                    self._blobs.drop(content)
        self._save()

    def mark_published(self, kept: KeptModel) -> None:
        """Everybody may read it now; it stays here."""
        self._kept[f"{kept.task}/{kept.content}"] = replace(kept, is_published=True)
        self._save()

    def tasks_with_secrets(self) -> set[int]:
        """The tasks of which models are kept that nobody else may read yet."""
        return {kept.task for kept in self._kept.values() if not kept.is_published}

    def contents_of(self, task: int) -> set[bytes]:
        """The content ids of what was sealed for the task lately, by name or under aliases."""
        named = [(name, sealed.content) for name, sealed in self.submissions.items()]
        hidden = [(name, sealed.content) for name, sealed in self.aliases.items()]
        return {
            bytes.fromhex(content)
            for name, content in (*named, *hidden)
            if name.startswith(f"{task}/")
        }

    def read_model(self, kept: KeptModel) -> bytes:
        """A kept model in plain. Raises FileNotFoundError if it is not there whole."""
        model = self._blobs.find(bytes.fromhex(kept.content))
        if model is None:
            raise FileNotFoundError(
                f"model {kept.content} is not in {self._file.path.parent} any more"
            )
        return model

    # -- the file

    def _load(self) -> None:
        try:
            document = self._file.read()
            if document is None:
                return
            if document["version"] != VERSION:
                raise ValueError(f"version {document['version']}")
            self.submissions = _read(document["submissions"], SealedModel)
            self.aliases = _read(document["aliases"], SealedAlias)
            self.sheets = _read(document["sheets"], SealedSheet)
            judged = document.get("verdicts", {})  # of releases before there were juries: none
            self.verdicts = {
                str(int(case)): SealedVerdict(**fields) for case, fields in judged.items()
            }
            self._kept = {
                str(name): KeptModel(**fields) for name, fields in document["models"].items()
            }
            self.attempts = {str(task): int(count) for task, count in document["attempts"].items()}
            for kept in self._kept.values():
                _ = kept.submitted, kept.metric  # hexadecimal, and a fraction
        except (ValueError, LookupError, TypeError, AttributeError, ZeroDivisionError) as error:
            raise self._file.refusal(error) from error

    def _save(self) -> None:
        document = {
            "version": VERSION,
            "submissions": {name: asdict(sealed) for name, sealed in self.submissions.items()},
            "aliases": {name: asdict(sealed) for name, sealed in self.aliases.items()},
            "sheets": {name: asdict(sealed) for name, sealed in self.sheets.items()},
            "verdicts": {case: asdict(sealed) for case, sealed in self.verdicts.items()},
            "attempts": self.attempts,
            "models": {name: asdict(kept) for name, kept in self._kept.items()},
        }
        self._file.write(document)


def _read(document: Mapping[str, Mapping[str, Any]], kind: type[R]) -> dict[str, R]:
    found: dict[str, R] = {}
    for name, fields in document.items():
        task, day = name.split("/")
        found[f"{int(task)}/{int(day)}"] = kind(**fields)
    return found
