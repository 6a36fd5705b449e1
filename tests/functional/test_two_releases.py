"""Two installed releases on one chain: the old one ends at its last block, the new one goes on."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genesis.spec import load_chain_spec
from runtime.pallets.upgrades import Upgrade, Upgrades
from runtime.primitives.types import Hash
from runtime.version import SPEC_VERSION
from tests.functional.conftest import StartNode
from tests.functional.node_process import NodeProcess, ensure_refused

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
PACKAGES = ("flockchain", "runtime", "p2p", "ml", "genesis")
NEW = SPEC_VERSION + 1
LAST = 30  # of the old release; a second each
MIGRATED = b"migrated by the next release"
END_S = 120.0
MIGRATION = f"""
    stored_version = 2
    migrations = {{1: lambda pallet: pallet.ext.put({MIGRATED!r}, b"1")}}
"""


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of the next release: another spec version, and a pallet that migrates."""
    sources = tmp_path_factory.mktemp("newer")
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, sources / package, ignore=ignored)
    replace(
        sources / "runtime" / "version.py",
        f"SPEC_VERSION: Final = {SPEC_VERSION}",
        f"SPEC_VERSION: Final = {NEW}",
    )
    declared = "class Treasury(frame.Pallet[Config], index=11):\n"
    replace(sources / "runtime" / "pallets" / "treasury.py", declared, declared + MIGRATION)
    return sources


def replace(path: Path, old: str, new: str) -> None:
    """Change one place in a source file."""
    text = path.read_text()
    assert text.count(old) == 1, path
    path.write_text(text.replace(old, new))


def release_of(sources: Path) -> str:
    """What `flockchain release` of an installation prints."""
    told = subprocess.run(
        [sys.executable, "-m", "flockchain", "release", "--json"],
        cwd=sources,
        env={**os.environ, "PYTHONPATH": str(sources)},
        capture_output=True,
        text=True,
        check=True,
    )
    facts = json.loads(told.stdout)
    assert facts["spec_version"] == NEW
    return str(facts["release"])


def spec_with_upgrade(path: Path, release: str) -> Path:
    """The local chain, whose DAO has decided that the release goes on after a block."""
    document = json.loads(load_chain_spec("local").to_json(is_raw=True))
    decided = Upgrade(NEW, Hash(bytes.fromhex(release[2:])), LAST)
    item = Upgrades.scheduled
    encoded = item.value_codec.encode(decided).hex()
    document["genesis"]["raw"]["top"]["0x" + item.path().hex()] = f"0x{encoded}"
    path.write_text(json.dumps(document))
    return path


class Validators:
    """Alice and Bob, by any release, over data that stay."""

    def __init__(self, start: StartNode, spec: Path, directory: Path) -> None:
        self._start, self._spec, self._directory = start, spec, directory

    def start(
        self, name: str, sources: Path | None = None, other: NodeProcess | None = None
    ) -> NodeProcess:
        known = () if other is None else ("--bootnodes", other.address)
        data = ("--base-path", str(self._directory / name), "--listen-address", "127.0.0.1")
        return self._start("--chain", str(self._spec), f"--{name}", *data, *known, sources=sources)


def ready(node: NodeProcess) -> NodeProcess:
    """The node with all its ports open, on a busy machine too."""
    node.wait_for(r"best #\d+, finalized #\d+", END_S)
    return node


def wait_until(node: NodeProcess, method: str, number: int) -> None:
    """Return when the block that a method names has the number, or a higher one."""
    deadline = time.monotonic() + END_S
    while True:
        block = asyncio.run(node.call(method))
        header = asyncio.run(node.call("chain_getHeader", block))
        if int(header["number"], 16) >= number:
            return
        assert time.monotonic() < deadline, node.log
        assert node.is_running(), node.log
        node.wait_for_more(1.0)


def ensure_over(node: NodeProcess, release: str) -> None:
    """The node has ended by itself and names the release to install."""
    assert node.wait(END_S) == 1, node.log
    said = f"the chain runs spec version {NEW}, this release has {SPEC_VERSION}: install the "
    assert f"{said}release with hash {release}" in node.log, node.log
    assert "Traceback" not in node.log


def test_the_old_release_ends_and_the_new_one_goes_on_with_a_migrated_state(
    start_node: StartNode, newer: Path, tmp_path: Path
) -> None:
    release = release_of(newer)
    spec = spec_with_upgrade(tmp_path / "spec.json", release)
    validators = Validators(start_node, spec, tmp_path)

    bob = ready(validators.start("bob"))
    bob.wait_for(rf"block {LAST} is the last of this release")
    wait_until(bob, "chain_getBlockHash", 1)
    assert bob.stop(END_S) == 0, bob.log
    early = ensure_refused(validators.start("bob", newer), END_S)
    said = f"the chain runs spec version {SPEC_VERSION}, this release has {NEW}: the older release"
    assert f"{said} goes on until the upgrade that governance scheduled" in early

    alice = ready(validators.start("alice"))
    bob = ready(validators.start("bob", other=alice))  # nothing was lost by the attempt
    for node in (alice, bob):
        ensure_over(node, release)
    alice = ready(validators.start("alice", newer))
    bob = ready(validators.start("bob", newer, alice))
    for node in (alice, bob):
        wait_until(node, "chain_getFinalizedHead", LAST + 2)
    first = [asyncio.run(node.call("chain_getBlockHash", LAST + 1)) for node in (alice, bob)]
    assert first[0] == first[1]
    version = asyncio.run(alice.call("state_getRuntimeVersion"))
    assert version["specVersion"] == NEW
    key = "0x" + MIGRATED.hex()
    last = asyncio.run(alice.call("chain_getBlockHash", LAST))
    assert asyncio.run(alice.call("state_getStorage", key, last)) is None
    assert asyncio.run(bob.call("state_getStorage", key, first[0])) == "0x31"

    assert bob.stop(END_S) == 0, bob.log
    late = validators.start("bob", other=alice)
    assert late.wait(END_S) == 1, late.log
    assert f"the chain runs spec version {NEW}, this release has {SPEC_VERSION}" in late.log
