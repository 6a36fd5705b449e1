"""A model's files are on disk before the mark that says so."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import cast

import pytest

from flockchain.marketplace.model_files import ModelFolder
from flockchain.sdk import Client


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
