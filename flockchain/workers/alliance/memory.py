"""What a participant must not forget over a restart: seals, salts, ballots, models that it made.

One document a key and chain beside those of other roles; updates and models lie beside it, named by
content id. Invariant: what a seal on the chain hides is on disk before the seal is submitted.

Source: WP VI.B to VI.E (sealed proposals and votes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from flockchain.workers.blob_folder import BlobFolder
from flockchain.workers.locked_file import LockedFile
from runtime.primitives.types import AccountId, Hash

VERSION: Final = 1
ROUNDS_KEPT: Final = 3  # of what was sealed: later it can no longer be opened

R = TypeVar("R", "SealedProposal", "SealedBallot")


@dataclass(frozen=True, slots=True)
class SealedProposal:
    """A round's proposal, in hex: what was sealed as its content, the content id of what travels,
    the salt. `opening`: the file that opens commitments; empty if the content is a file itself."""

    content: str
    ciphertext: str
    salt: str
    opening: str = ""

    @property
    def kept(self) -> bytes:
        """The content id of the file that stays."""
        return bytes.fromhex(self.opening or self.content)


@dataclass(frozen=True, slots=True)
class SealedBallot:
    """A round's ballot: its SCALE bytes and the salt, in hex. `place`: of the aggregator that it
    is about, one byte; empty in open mode."""

    ballot: str
    salt: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class TaskMemory:
    """What is known of a task as a whole. Content ids in hex, empty for none.

    `was_member`: seen among the members, so that one that left is not joined again. `best`: of
    the accepted models the one that scored best here. `made`: aggregates that were computed here
    and may become the global model. `checked`: the model whose sum was recommitted here.
    """

    was_member: bool = False
    best: str = ""
    made: tuple[str, ...] = field(default=())
    checked: str = ""


class AllianceMemory:
    """The memory of one key on one chain. Raises StateFileError if another process has it."""

    def __init__(self, directory: Path, genesis: Hash, account: AccountId) -> None:
        name = f"{genesis[:4].hex()}-{account[:8].hex()}-alliance"
        self._blobs = BlobFolder(directory / name)
        self._file = LockedFile(directory / f"{name}.json")
        self._tasks: dict[str, TaskMemory] = {}
        self._proposals: dict[str, SealedProposal] = {}
        self._ballots: dict[str, SealedBallot] = {}
        try:
            self._load()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Let another process have it."""
        self._file.close()

    # -- rounds

    def find_proposal(self, task: int, round_: int) -> SealedProposal | None:
        """What was sealed as the round's proposal."""
        return self._proposals.get(f"{task}/{round_}")

    def put_proposal(
        self,
        task: int,
        round_: int,
        files: tuple[bytes, bytes],
        salt: str,
        content: bytes | None = None,
    ) -> None:
        """Remember a proposal and its files, on disk. `files`: what stays, and what travels.

        `content`: what is sealed, by default the content id of what stays.
        """
        kept, sealed = (self._blobs.put(file) for file in files)
        opening = "" if content is None else kept.hex()
        made = SealedProposal((content or kept).hex(), sealed.hex(), salt, opening)
        self._proposals[f"{task}/{round_}"] = made
        for gone in _forget(self._proposals, task, round_):
            self._blobs.drop(gone.kept)
            self._blobs.drop(bytes.fromhex(gone.ciphertext))
        self._save()

    def last_update(self, task: int) -> bytes | None:
        """The update that was sealed last for the task, if it is still kept."""
        rounds = [
            int(name.split("/")[1]) for name in self._proposals if name.startswith(f"{task}/")
        ]
        if not rounds:
            return None
        return self.find_blob(bytes.fromhex(self._proposals[f"{task}/{max(rounds)}"].content))

    def find_ballot(self, task: int, round_: int) -> SealedBallot | None:
        """What was sealed as the round's vote."""
        return self._ballots.get(f"{task}/{round_}")

    def put_ballot(self, task: int, round_: int, ballot: bytes, salt: str, place: str = "") -> None:
        """Remember it, on disk."""
        self._ballots[f"{task}/{round_}"] = SealedBallot(ballot.hex(), salt, place)
        _forget(self._ballots, task, round_)
        self._save()

    # -- a task as a whole

    def of_task(self, task: int) -> TaskMemory:
        """What is known of the task."""
        return self._tasks.get(str(task), TaskMemory())

    def note_membership(self, task: int) -> None:
        """The chain has it as a member."""
        self._put(task, replace(self.of_task(task), was_member=True))

    def put_best(self, task: int, model: bytes) -> None:
        """Of the accepted models this one scored best here."""
        known = self.of_task(task)
        self._put(task, replace(known, best=self._blobs.put(model).hex()))
        if known.best not in (self.of_task(task).best, "", *known.made):
            self._blobs.drop(bytes.fromhex(known.best))

    def put_checked(self, task: int, content: bytes) -> None:
        """The sum that made this model was recommitted here."""
        self._put(task, replace(self.of_task(task), checked=content.hex()))

    def put_made(self, task: int, aggregate: bytes) -> None:
        """An aggregate that may become the global model."""
        known, name = self.of_task(task), self._blobs.put(aggregate).hex()
        if name not in known.made:
            self._put(task, replace(known, made=(*known.made, name)))

    def drop_made(self, task: int, content: bytes) -> None:
        """An aggregate that everybody can have, or nobody needs."""
        known, name = self.of_task(task), content.hex()
        self._put(task, replace(known, made=tuple(each for each in known.made if each != name)))
        if name != known.best:
            self._blobs.drop(content)

    def find_blob(self, digest: bytes) -> bytes | None:
        """A kept update, sealed file or model."""
        return self._blobs.find(digest)

    def _put(self, task: int, known: TaskMemory) -> None:
        if self.of_task(task) != known:
            self._tasks[str(task)] = known
            self._save()

    # -- the file

    def _load(self) -> None:
        try:
            document = self._file.read()
            if document is None:
                return
            if document["version"] != VERSION:
                raise ValueError(f"version {document['version']}")
            self._proposals = _read(document["proposals"], SealedProposal)
            self._ballots = _read(document["ballots"], SealedBallot)
            self._tasks = {
                str(int(task)): TaskMemory(**{**fields, "made": tuple(fields["made"])})
                for task, fields in document["tasks"].items()
            }
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._file.refusal(error) from error

    def _save(self) -> None:
        self._file.write(
            {
                "version": VERSION,
                "tasks": {name: asdict(known) for name, known in self._tasks.items()},
                "proposals": {name: asdict(each) for name, each in self._proposals.items()},
                "ballots": {name: asdict(each) for name, each in self._ballots.items()},
            }
        )


def _forget(kept: dict[str, R], task: int, round_: int) -> list[R]:
    """Drop what is of rounds long before this one; what was dropped."""
    old = [
        name
        for name in kept
        if name.startswith(f"{task}/") and int(name.split("/")[1]) <= round_ - ROUNDS_KEPT
    ]
    return [kept.pop(name) for name in old]


def _read(document: Mapping[str, Mapping[str, Any]], kind: type[R]) -> dict[str, R]:
    found: dict[str, R] = {}
    for name, fields in document.items():
        task, round_ = name.split("/")
        sealed = kind(**fields)
        for text in asdict(sealed).values():
            bytes.fromhex(text)
        found[f"{int(task)}/{int(round_)}"] = sealed
    return found
