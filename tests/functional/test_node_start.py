"""A node starts, answers and stops; what keeps it from starting is said in one line."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from genesis.spec import load_chain_spec
from tests.functional.conftest import StartNode
from tests.functional.node_process import ANY_PORTS, NodeProcess, database_of, ensure_refused


@pytest.fixture(scope="module")
def taken_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base path of a development node that ran and stopped."""
    base = tmp_path_factory.mktemp("stopped")
    node = NodeProcess("--dev", "--base-path", str(base), *ANY_PORTS)
    node.wait_until_ready()
    assert node.stop() == 0, node.log
    return base


def test_starts_answers_and_stops(start_node: StartNode) -> None:
    node = start_node("--dev", "--tmp", "--name", "first").wait_until_ready()
    genesis = load_chain_spec("dev").genesis_hash()
    assert asyncio.run(node.call("chain_getBlockHash", 0)) == f"0x{genesis.hex()}"
    assert asyncio.run(node.call("system_chain")) == "FLock Development"
    port = int(node.wait_for(r"metrics on http://127\.0\.0\.1:(\d+)/metrics")[1])
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        assert b'flockchain_equivocations_total{kind="block"} 0.0' in answer.read()
    assert node.stop() == 0
    assert "the node stops" in node.lines[-1]


@pytest.mark.parametrize("option", ["--port", "--rpc-port", "--prometheus-port"])
def test_a_taken_port_is_named_with_the_option_to_change(
    start_node: StartNode, taken_port: int, option: str
) -> None:
    said = ensure_refused(start_node("--dev", "--tmp", option, str(taken_port)))
    assert f"port {taken_port} is in use: choose another with {option}" in said


def test_a_base_path_has_one_node(start_node: StartNode, tmp_path: Path) -> None:
    first = start_node("--dev", "--base-path", str(tmp_path)).wait_until_ready()
    said = ensure_refused(start_node("--dev", "--base-path", str(tmp_path)))
    assert f"database {database_of(tmp_path)} is in use" in said
    assert "stop the other node" in said
    assert asyncio.run(first.call("system_health"))["isSyncing"] is False


def test_a_database_of_another_genesis_is_left_alone(
    start_node: StartNode, stopped: Path, tmp_path: Path
) -> None:
    spec = load_chain_spec("dev")
    other = tmp_path / "other.json"
    other.write_text(spec.to_json(is_raw=False).replace("10000000 FML", "10000001 FML"))
    base = tmp_path / "base"
    shutil.copytree(stopped, base)
    said = ensure_refused(start_node("--chain", str(other), "--base-path", str(base)))
    assert f"0x{spec.genesis_hash().hex()}" in said
    assert f"0x{load_chain_spec(other).genesis_hash().hex()}" in said
    assert "use another --base-path, or purge-chain" in said


@pytest.mark.parametrize("damage", ["emptied log", "overwritten log", "no manifest"])
def test_a_damaged_database_is_reported_or_started_right(
    start_node: StartNode, stopped: Path, tmp_path: Path, damage: str
) -> None:
    base = tmp_path / "base"
    shutil.copytree(stopped, base)
    apply(damage, database_of(base))
    node = start_node("--dev", "--base-path", str(base))
    node.wait_for(r"best #0, finalized #0| ERROR ")
    if node.find(r"best #0, finalized #0"):
        genesis = load_chain_spec("dev").genesis_hash()
        assert asyncio.run(node.call("chain_getBlockHash", 0)) == f"0x{genesis.hex()}"
    else:
        said = ensure_refused(node)
        assert str(database_of(base)) in said
    assert "Traceback" not in node.log


def apply(damage: str, database: Path) -> None:
    """Do to the files what disks and people do."""
    log = max(database.glob("*.log"), key=lambda path: path.stat().st_size)
    if damage == "emptied log":
        log.write_bytes(b"")
    elif damage == "overwritten log":
        size = log.stat().st_size
        with log.open("r+b") as file:
            file.seek(size // 2)
            file.write(b"\xff" * (size // 4))
    else:
        for path in database.glob("MANIFEST-*"):
            path.write_bytes(b"\x00" * 64)
