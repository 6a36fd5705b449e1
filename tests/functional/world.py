"""Processes whose clock may be wrong and whose network may be cut, by a preloaded library.

The node is the one that ships: only libc's calls are answered otherwise (`world.c`).
"""

from __future__ import annotations

import mmap
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

SOURCE = Path(__file__).with_name("world.c")


def build_world(directory: Path) -> Path:
    """The library, compiled for this machine. Raises CalledProcessError."""
    library = directory / "world.so"
    subprocess.run(
        ["gcc", "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"], check=True
    )
    return library


class World:
    """What one process believes of time and network."""

    def __init__(self, library: Path, path: Path, ports: Sequence[int]) -> None:
        path.write_bytes(bytes(16))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 16)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FLOCK_WORLD": str(path),
            "FLOCK_PORTS": ",".join(map(str, ports)),
        }

    def set_clock(self, ahead_ms: int) -> None:
        """The clock is ahead of the truth; behind it if negative."""
        self._memory[0:8] = struct.pack("<q", ahead_ms)

    def cut(self, *, is_cut: bool) -> None:
        """Connections to peers break and none comes about; or the network is back."""
        self._memory[8:16] = struct.pack("<q", int(is_cut))
