"""Run by `test_replay` in processes of their own: execute a recorded chain, print its state roots.

Usage: replay_script.py RECORDED. Exits with a traceback on the first block that does not import.
"""

from __future__ import annotations

import sys
from pathlib import Path

from runtime.primitives.header import HEADER
from tests.properties.replayed_chain import RECORDED, open_chain


def main(path: str) -> None:
    """Import block by block."""
    pairs, blocks = RECORDED.decode_all(Path(path).read_bytes())
    importer = open_chain(dict(pairs))
    for raw, body in blocks:
        imported = importer.import_block(HEADER.decode_all(raw), body)
        importer.backend.finalize(imported.hash)
        print(imported.header.state_root.hex())  # the importer compared it with its own


if __name__ == "__main__":
    main(sys.argv[1])
