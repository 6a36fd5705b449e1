"""The reference string of the worker's chain: asked of its node once, checked, kept on disk.

What a chain declares in block 0 never changes. The training process reads the file itself, so that
megabytes do not travel with every job. Invariant: a string that is used has the size and the digest
that the chain's state names, whoever sent it.

Source: WP VI.H; docs/zk.md (profile B).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from flockchain.sdk import Client, SdkError
from flockchain.workers.blob_folder import write_atomically
from runtime.pallets.fl_alliance import FlAlliance
from runtime.primitives.content_id import ContentIdError, parse_cid_text
from runtime.primitives.zk_points import POINT_BYTES, SECOND_BYTES
from runtime.primitives.zk_profile import ChainSetup, SetupMissing, install, parse_setup, setup_of
from runtime.primitives.zk_setup import Setup, SetupError, ethereum_setup


@dataclass(frozen=True, slots=True)
class StringFile:
    """Where a process finds the string of a chain; of a chain without its own there is no file."""

    declared: ChainSetup | None = None
    path: Path | None = None

    def open(self) -> Setup:
        """The string, its points decompressed once. Raises `SetupError`, OSError."""
        try:
            return setup_of(self.declared)
        except SetupMissing:
            assert self.declared is not None, "that of Ethereum is in the package"
            assert self.path is not None, "a declared string has a file"
            install(parse_setup(self.path.read_bytes(), self.declared))
            return setup_of(self.declared)


@dataclass(frozen=True, slots=True)
class KnownString:
    """The string as this process needs it, with no point decompressed; `file`: for others."""

    setup: Setup
    file: StringFile


class ChainString:
    """One chain's string for all keys of a worker."""

    def __init__(self, client: Client, directory: Path) -> None:
        self._client = client
        self._directory = directory
        self._turn = asyncio.Lock()
        self._known: KnownString | None = None

    async def get(self) -> KnownString:
        """Raises `SetupError` if what the node sends is another one; SdkError."""
        async with self._turn:
            if self._known is None:
                self._known = await self._find()
            return self._known

    async def _find(self) -> KnownString:
        state = await self._client.at_best()
        declared = await state.find(FlAlliance.setup)
        if declared is None:
            return KnownString(ethereum_setup(), StringFile())
        path = self._directory / f"{declared.digest.hex()}.srs"
        setup = await asyncio.to_thread(_read, path, declared)
        if setup is None:
            data = await self._fetch(declared)
            setup = parse_setup(data, declared)
            await asyncio.to_thread(write_atomically, path, data)
        return KnownString(setup, StringFile(declared, path))

    async def _fetch(self, declared: ChainSetup) -> bytes:
        answer = await self._client.rpc("flock_referenceString")
        try:
            blob = parse_cid_text(answer["cid"])
        except (TypeError, KeyError, ContentIdError) as error:
            raise SdkError(f"the node names no reference string: {error}") from error
        size = POINT_BYTES * declared.points + SECOND_BYTES
        return await self._client.get_blob(blob, size)


def _read(path: Path, declared: ChainSetup) -> Setup | None:
    """The kept string; None if there is none, or none that is whole."""
    try:
        return parse_setup(path.read_bytes(), declared)
    except (FileNotFoundError, SetupError):
        return None
