"""The hash of a release: the same for the same sources, and told by the command."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from typer.testing import CliRunner

import runtime
from flockchain.cli.release import release
from flockchain.release import release_hash
from runtime.primitives.hashing import blake2b_256
from runtime.primitives.scale import codec_of
from runtime.version import SPEC_VERSION


def test_the_hash_covers_every_source_of_the_runtime() -> None:
    root = Path(runtime.__file__).parent
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))
    assert "pallets/upgrades.py" in names
    codec = codec_of(tuple[str, bytes])
    data = b"".join(codec.encode((name, (root / name).read_bytes())) for name in names)
    assert release_hash() == blake2b_256(data)


def test_the_command_prints_what_a_proposal_names() -> None:
    app = typer.Typer()
    app.command()(release)
    told = json.loads(CliRunner().invoke(app, ["--json"]).stdout)
    assert told["release"] == f"0x{release_hash().hex()}"
    assert told["spec_version"] == SPEC_VERSION
