"""What other processes hold: their writable memory, read from outside while they run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from pathlib import Path

CHUNK = 1 << 20
OVERLAP = 1 << 10  # so that nothing is missed between two chunks


def family_of(pid: int) -> list[int]:
    """A process and all that it started."""
    found = [pid]
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            found += family_of(int(child))
    return found


def found_in(pids: list[int], wanted: Mapping[str, Set[bytes]]) -> set[str]:
    """The names of what lies in the memory of one of the processes."""
    found: set[str] = set()
    for pid in pids:
        for part in _parts(pid):
            for name in wanted.keys() - found:
                if any(each in part for each in wanted[name]):
                    found.add(name)
    return found


def _parts(pid: int) -> Iterator[bytes]:
    maps = Path(f"/proc/{pid}/maps").read_text()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps.splitlines():
            addresses, rights, *_ = line.split()
            if rights != "rw-p":
                continue
            start, end = (int(part, 16) for part in addresses.split("-"))
            for at in range(start, end, CHUNK - OVERLAP):
                memory.seek(at)
                try:
                    part = memory.read(min(CHUNK, end - at))
                except OSError:  # the process gave it back meanwhile
                    break
                if part.count(0) < len(part):  # most of what is mapped was never used
                    yield part
