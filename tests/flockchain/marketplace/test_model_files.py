"""A model's files are on disk before the mark that says so."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import cast

import pytest

from flockchain.marketplace.model_files import (
    FolderLimits,
    ModelFiles,
    ModelFilesError,
    ModelFolder,
    ModelTooLarge,
)
from flockchain.sdk import BlobTooLarge, Client
from ml.language.bundle import describe_bundle
from ml.language.directory import model_files
from ml.tasks.questions import create_questions_task
from runtime.primitives.content_id import ContentId, content_id


def test_files_and_folders_are_synced_before_the_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[str] = set()

    async def fetch(self: ModelFolder, model: bytes, task: int, path: Path) -> None:
        (path / "files").mkdir()
        (path / "files" / "config.json").write_bytes(b"{}")

    def sync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        assert not list(path.parent.rglob(".whole"))
        synced.add(path.name)

    monkeypatch.setattr(ModelFolder, "_fetch", fetch)
    monkeypatch.setattr(os, "fsync", sync)
    found = asyncio.run(ModelFolder(cast(Client, None), tmp_path).get(bytes(32), 0))
    assert synced == {"config.json", "files", found.path.parent.name}
    assert (found.path.parent / ".whole").is_file()


def test_a_language_task_s_weights_become_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = b"canonical weights, which the serving process reads"
    specs = {3: create_questions_task().spec.to_bytes(), 4: b"{}"}

    class Blobs:
        async def get_blob(self, model: bytes) -> bytes:
            return weights

    async def spec_of(self: ModelFolder, task: int) -> bytes:
        return specs[task]

    monkeypatch.setattr(ModelFolder, "_spec_of", spec_of)
    folder = ModelFolder(cast(Client, Blobs()), tmp_path)
    found = asyncio.run(folder.get(bytes(32), 3))
    assert found == ModelFiles("language", found.path)
    assert (found.path / "model.safetensors").read_bytes() == weights
    assert {"config.json", "tokenizer.json", "chat_template.jinja"} <= set(model_files(found.path))
    with pytest.raises(ModelFilesError, match=r"^task 4: specification lacks field 'baseline'$"):
        asyncio.run(folder.get(bytes([1] * 32), 4))


def test_a_court_takes_no_more_than_its_limits(tmp_path: Path) -> None:
    files = {name: name.encode() * 8 for name in ("config.json", "model.safetensors")}
    blobs = {content_id(body): body for body in files.values()}
    listed = describe_bundle({name: content_id(body) for name, body in files.items()})
    blobs[content_id(listed)] = listed

    class Blobs:
        async def get_blob(self, blob: bytes, size_max_bytes: int = 1 << 30) -> bytes:
            if len(blobs[ContentId(blob)]) > size_max_bytes:
                raise BlobTooLarge("too large")
            return blobs[ContentId(blob)]

    whole = sum(map(len, files.values()))
    for limits, refused in (
        (FolderLimits(model_bytes=whole), None),
        (FolderLimits(model_bytes=whole - 1), ModelTooLarge),
        (FolderLimits(file_bytes=len(files["model.safetensors"]) - 1), ModelTooLarge),
        (FolderLimits(free_bytes=1 << 60), ModelFilesError),
    ):
        folder = ModelFolder(cast(Client, Blobs()), tmp_path, limits)
        folder.keep_latest(0)
        if refused is None:
            assert asyncio.run(folder.get(content_id(listed), 0)).kind == "language"
        else:
            with pytest.raises(refused):
                asyncio.run(folder.get(content_id(listed), 0))
            assert not list((tmp_path / "models").iterdir())  # nothing half is left
        assert folder.has(content_id(listed)) is (refused is None)
