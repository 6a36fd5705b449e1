"""Unmodified clients, each in an environment of its own, and a development node for them.

The clients cannot share one environment: two of them ship the same module. An environment is made
once and used again as long as the client's pinned requirements are the same.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.primitives.hashing import sha2_256

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent.parent / ".clients"
SCRIPT_S = 120
_LISTENING = re.compile(r"JSON-RPC server on 127\.0\.0\.1:(\d+)")
_NODE = ["node", "--dev", "--tmp", "--seal-interval-ms", "0", "--log-level", "info"]
_PORTS = ["--rpc-port", "0", "--port", "0", "--prometheus-port", "0"]

RunClient = Callable[[str, str], dict[str, Any]]


def python_of(client: str) -> Path:
    """The interpreter of a client's environment, made or made anew when its pins changed."""
    requirements = HERE / f"requirements-{client}.txt"
    pins = sha2_256(requirements.read_bytes() + sys.version.encode()).hex()
    home = ENVIRONMENTS / client
    stamp, python = home / "requirements.sha256", home / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != pins:
        venv.create(home, clear=True, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "-r", str(requirements)]
        subprocess.run(install, check=True)
        stamp.write_text(pins)
    return python


def npm_home(client: str) -> Path:
    """A directory with a client's pinned packages; scripts find them only from beside them."""
    source, home = HERE / client, ENVIRONMENTS / client
    pins = sha2_256((source / "package-lock.json").read_bytes()).hex()
    stamp = home / "package-lock.sha256"
    home.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        shutil.copy(path, home)
    if not stamp.exists() or stamp.read_text() != pins:
        install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(install, cwd=home, check=True)
        stamp.write_text(pins)
    return home


def run_node_script(home: Path, script: str, node_url: str) -> dict[str, Any]:
    """What a script of a client prints last. Node.js must be installed."""
    command = ["node", script, node_url]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=SCRIPT_S)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def ensure_locked(client: str, package: str, version: str) -> None:
    """A client's lock has this version, names every package by its hash, and names no host."""
    lock = json.loads((HERE / client / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages[f"node_modules/{package}"]["version"] == version
    for name, entry in packages.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, name


@pytest.fixture(scope="session")
def node_url() -> Iterator[str]:
    """The WebSocket URL of a development node that seals at once."""
    command = [sys.executable, "-m", "flockchain", *_NODE, *_PORTS]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines: list[str] = []
        for line in process.stderr:
            lines.append(line)
            found = _LISTENING.search(line)
            if found is not None:
                break
        else:
            pytest.fail("the node did not start:\n" + "".join(lines))
        try:
            yield f"ws://127.0.0.1:{found[1]}/"
        finally:
            process.terminate()
            process.communicate(timeout=30)


@pytest.fixture
def run_client(node_url: str) -> RunClient:
    """Run a client's script against the node; what it printed."""

    def run(client: str, script: str) -> dict[str, Any]:
        command = [str(python_of(client)), str(HERE / script), node_url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SCRIPT_S)
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result

    return run
