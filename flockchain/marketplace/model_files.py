"""A host's model files: fetched by content id, laid out as the serving process opens them.

Owns the folder. Invariant: what is served as a model has exactly the content id that the chain
recorded; a folder without its mark was not written whole and is fetched again.
Source: WP V.C (models by content id), II.C (hosts serve a version pinned by hash).
"""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flockchain.marketplace.catalogue import Kind
from flockchain.sdk import BlobTooLarge, Client
from ml.language.bundle import is_bundle, pack_directory, read_bundle
from ml.language.directory import ModelDirectoryError
from ml.tasks.spec import LANGUAGE, SPEC_BYTES_MAX, TaskSpec, TaskSpecError
from runtime.pallets.fl_alliance import FlAlliance
from runtime.pallets.tasks import Tasks
from runtime.primitives.content_id import cid_text, content_id

FILE_BYTES_MAX: Final = 16 << 30
MODEL_BYTES_MAX: Final = 4 << 40
_WHOLE: Final = ".whole"


class ModelFilesError(Exception):
    """A model whose files cannot be served; the message says why."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Where a model lies, and how it is opened."""

    kind: Kind
    path: Path
    fraction_bits: int | None = None


class ModelTooLarge(ModelFilesError):
    """A model that has more bytes than its folder takes."""


@dataclass(frozen=True, slots=True)
class FolderLimits:
    """What a folder takes, in bytes: of a file, which passes through memory, and of a model; and
    how much of the disk it leaves free."""

    file_bytes: int = FILE_BYTES_MAX
    model_bytes: int = MODEL_BYTES_MAX
    free_bytes: int = 0


class ModelFolder:
    """The models beneath a host's state directory, or a court's."""

    def __init__(
        self, client: Client, directory: Path, limits: FolderLimits = FolderLimits()
    ) -> None:
        self._client = client
        self._folder = directory / "models"
        self._limits = limits

    async def get(self, model: bytes, task: int) -> ModelFiles:
        """The files of a task's model, fetched if they are not here.

        Raises ModelFilesError, SdkError, OSError.
        """
        path = self._folder / cid_text(model)
        if self.has(model):
            os.utime(path)  # which came last
        else:
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
            path.mkdir(mode=0o700, parents=True)
            try:
                await self._fetch(model, task, path)
                await asyncio.to_thread(_sync, path)
            except BaseException as error:
                shutil.rmtree(path, ignore_errors=True)
                if isinstance(error, BlobTooLarge):
                    raise ModelTooLarge(f"model {cid_text(model)}: {error}") from error
                raise
            (path / _WHOLE).touch(mode=0o600)
        if not (path / "task.json").is_file():
            return ModelFiles("language", path / "files")
        return ModelFiles("classifier", path, await self._fraction_bits(task))

    def has(self, model: bytes) -> bool:
        """Whether all of a model's files are here."""
        return (self._folder / cid_text(model) / _WHOLE).is_file()

    def adopt(self, model: bytes, directory: Path) -> ModelFiles:
        """A language model that its operator has on disk already. Raises ModelFilesError."""
        try:
            listed, _ = pack_directory(directory)
        except ModelDirectoryError as error:
            raise ModelFilesError(str(error)) from error
        if content_id(listed) != model:
            raise ModelFilesError(f"{directory} is not model {cid_text(model)}")
        return ModelFiles("language", directory)

    def keep_latest(self, count: int) -> None:
        """Forget all but the models that came last. Raises OSError."""
        if not self._folder.is_dir():
            return
        found = sorted(self._folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        for path in found[: max(0, len(found) - count)]:
            shutil.rmtree(path)

    async def _fetch(self, model: bytes, task: int, path: Path) -> None:
        data = await self._client.get_blob(model)
        if not is_bundle(data):
            spec = await self._spec_of(task)
            try:
                is_language = TaskSpec.parse(spec).kind == LANGUAGE
            except TaskSpecError as error:
                raise ModelFilesError(f"task {task}: {error}") from error
            if is_language:
                await asyncio.to_thread(_lay_out, spec, data, path / "files")
                return
            await self._write(path / "model.safetensors", data)
            (path / "task.json").write_bytes(spec)
            return
        files = path / "files"
        files.mkdir(mode=0o700)
        left = self._limits.model_bytes
        for name, blob in read_bundle(data).items():
            body = await self._client.get_blob(blob, min(self._limits.file_bytes, left))
            left -= len(body)
            await self._write(files / name, body)

    async def _write(self, path: Path, body: bytes) -> None:
        free = shutil.disk_usage(path.parent).free - len(body)
        if free < self._limits.free_bytes:
            raise ModelFilesError(f"{path} would leave {max(0, free)} bytes of the disk free")
        await asyncio.to_thread(path.write_bytes, body)

    async def _spec_of(self, task: int) -> bytes:
        arena = await self._client.find(Tasks.tasks, task)
        if arena is not None:
            return await self._client.get_blob(arena.terms.spec, SPEC_BYTES_MAX)
        alliance = await self._client.find(FlAlliance.tasks, task)
        if alliance is None:
            raise ModelFilesError(f"the chain has no task {task}")
        return await self._client.get_blob(alliance.terms.spec, SPEC_BYTES_MAX)

    async def _fraction_bits(self, task: int) -> int | None:
        alliance = await self._client.find(FlAlliance.tasks, task)
        return None if alliance is None else alliance.terms.fraction_bits


def _lay_out(spec: bytes, weights: bytes, directory: Path) -> None:
    """The directory of a language task's model, whose weights are one file."""
    from ml.tasks.language import write_directory  # seconds: it loads transformers

    directory.mkdir(mode=0o700)
    write_directory(spec, weights, directory)


def _sync(path: Path) -> None:
    """Have a folder and all beneath it on disk, so that its mark never outlives a file."""
    for each in (*path.rglob("*"), path):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
