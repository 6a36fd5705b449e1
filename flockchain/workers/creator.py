"""A task creator: keep the task's data available and reveal the key of set B in time.

The key lies in the state directory, where `flockchain task create` put it; if it is not revealed
before the final day's draw, the whole stake S_c is burned.

Source: WP V.A (task creators), WP V.H (Dataset B).
"""

from __future__ import annotations

import logging
from pathlib import Path

from flockchain.workers.blob_folder import BlobFolder, write_atomically
from flockchain.workers.built_in import built_in_blobs
from flockchain.workers.desk import Desk
from flockchain.workers.moment import Moment
from runtime.economy.tasks import Task
from runtime.frame.pallet import encode_call
from runtime.pallets.tasks import Tasks
from runtime.primitives.hashing import blake2b_256

log = logging.getLogger(__name__)


def keep_key(directory: Path, key: bytes) -> Path:
    """Write the key of a set B where the creator's worker finds it, mode 0600. Raises OSError."""
    folder = directory / "dataset-keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{blake2b_256(key).hex()}.key"
    write_atomically(path, key.hex().encode())
    return path


def find_key(directory: Path, key_hash: bytes) -> bytes | None:
    """The kept key of this hash, or None."""
    try:
        text = (directory / "dataset-keys" / f"{key_hash.hex()}.key").read_text()
    except FileNotFoundError:
        return None
    try:
        key = bytes.fromhex(text)
    except ValueError:
        return None
    return key if blake2b_256(key) == key_hash else None


class CreatorDuty:
    """One key's duty in a task that it created."""

    def __init__(self, desk: Desk, task: int, directory: Path) -> None:
        self._desk = desk
        self._task = task
        self._directory = directory
        self._warned = False

    async def step(self, now: Moment, task: Task) -> None:
        """Upload what the task names, reveal the key when it is time. Raises SdkError."""
        if task.creator != self._desk.key.account:
            return
        self._desk.jobs.poll(("publish", self._task), now.head.number, lambda: self._publish(task))
        if task.key is None and self._is_key_due(now, task):
            self._reveal(now, task)

    def _is_key_due(self, now: Moment, task: Task) -> bool:
        """From the freeze of submissions to the final day's draw."""
        calendar = now.calendar
        final = calendar.first_block(task.final_day()) + calendar.reveal_end
        return final - calendar.day_blocks <= now.next_number < final

    def _reveal(self, now: Moment, task: Task) -> None:
        key = find_key(self._directory, task.terms.validation_b.key_hash)
        if key is None:
            if not self._warned:
                self._warned = True
                log.error(
                    "task %d: the key of set B is not in %s: without it the stake is lost",
                    self._task,
                    self._directory,
                )
            return
        self._desk.actions.act(
            ("reveal key", self._task),
            now.head.number,
            self._desk.key,
            encode_call(Tasks.reveal_key, self._task, key),
            f"{self._desk.name} revealed the key of task {self._task}",
        )

    async def _publish(self, task: Task) -> int:
        """Upload the task's blobs; how many there are here. Raises SdkError."""
        terms, folder = task.terms, BlobFolder(self._directory)
        wanted = [
            terms.spec,
            *terms.training,
            terms.validation_a,
            terms.validation_b.ciphertext,
        ]
        if any(folder.find(digest) is None for digest in wanted):
            await self._make_built_in(task, folder)
        found = [data for digest in wanted if (data := folder.find(digest)) is not None]
        for data in found:
            await self._desk.client.put_blob(data, self._desk.key)
        log.info(
            "%s published %d of %d blobs of task %d",
            self._desk.name,
            len(found),
            len(wanted),
            self._task,
        )
        return len(found)

    async def _make_built_in(self, task: Task, folder: BlobFolder) -> None:
        """Make the data anew if the task is one of those that ship with the program."""
        key = find_key(self._directory, task.terms.validation_b.key_hash)
        if key is None:
            return
        made = await self._desk.training.run(built_in_blobs, (task.terms.spec, key))
        for blob in made:
            folder.put(blob)
