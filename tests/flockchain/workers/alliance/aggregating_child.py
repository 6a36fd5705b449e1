"""An aggregator's process for tests: sums what a file holds, and writes down its memory meanwhile.

Run with the request's file, and where to write memory and what comes out. Memory is all that the
process can write to, at the moment when it has opened everything and begins to prove.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from flockchain.workers.alliance.proving import Summed, sum_up
from ml.zk import prover


def write_memory(path: Path) -> None:
    """All private writable memory of this process."""
    with path.open("wb") as out, Path("/proc/self/mem").open("rb", buffering=0) as memory:
        for line in Path("/proc/self/maps").read_text().splitlines():
            addresses, rights, *_, name = (*line.split()[:2], line.split()[-1])
            if rights != "rw-p" or name in ("[vvar]", "[vsyscall]"):
                continue
            start, end = (int(part, 16) for part in addresses.split("-"))
            memory.seek(start)
            while start < end:
                found = memory.read(min(end - start, 1 << 16))
                if found.count(0) < len(found):  # most of what is mapped was never used
                    out.write(found)
                start += len(found)


def main(request: Path, dump: Path, out: Path) -> None:
    """Sum up; the proof must come out."""
    prove = prover.prove_aggregation

    def proving(*args, **kwargs):  # type: ignore[no-untyped-def]
        write_memory(dump)
        return prove(*args, **kwargs)

    prover.prove_aggregation = proving
    found = sum_up(pickle.loads(request.read_bytes()))  # noqa: S301 - the test wrote it
    assert isinstance(found, Summed), found
    out.write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
