"""Workers of a node: start when the RPC answers, come back when killed, end with the node."""

from __future__ import annotations

import asyncio
import os
import select
import signal
from pathlib import Path

from flockchain.directories import worker_key_file
from tests.functional.conftest import StartNode
from tests.functional.node_process import NodeProcess, ensure_refused

NAMES = ("trainer", "validator")


def process_of(node: NodeProcess, name: str, before: int = 0) -> int:
    """The process of a worker; the next one after `before`."""
    return int(node.wait_for(rf"worker {name} runs as process (?!{before}\b)(\d+)")[1])


def is_alive(process: int) -> bool:
    """Whether the process is there; the node has waited for those that ended."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_worker_comes_back_and_all_end_with_the_node(start_node: StartNode) -> None:
    workers = ("--worker", "trainer,validator", "--blind-rpc", "ws://127.0.0.1:9")
    node = start_node("--dev", "--tmp", *workers).wait_until_ready()
    first = {name: process_of(node, name) for name in NAMES}
    words = {name: Path(f"/proc/{first[name]}/cmdline").read_text().split("\0") for name in NAMES}
    assert words["trainer"][-3:-1] == ["--blind-rpc", "ws://127.0.0.1:9"]
    assert "--blind-rpc" not in words["validator"]
    os.kill(first["trainer"], signal.SIGKILL)
    node.wait_for(r"worker trainer was ended by SIGKILL, starts again in 1 s")
    second = process_of(node, "trainer", first["trainer"])
    assert is_alive(second)
    assert is_alive(first["validator"])
    health = asyncio.run(node.call("system_health"))
    assert health["isSyncing"] is False
    assert node.stop(timeout_s=20) == 0, node.log
    assert not is_alive(second)
    assert not is_alive(first["validator"])
    assert "Traceback" not in node.log


def test_a_worker_that_refuses_leaves_the_node_alone(start_node: StartNode, tmp_path: Path) -> None:
    key_file = worker_key_file(tmp_path, "flock_dev", "validator")
    key_file.parent.mkdir(parents=True)
    key_file.write_text("no such phrase\n")
    node = start_node("--dev", "--base-path", str(tmp_path), "--worker", "validator")
    node.wait_for(r"worker validator ended with status 1, starts again in 1 s")
    assert asyncio.run(node.call("system_chain")) == "FLock Development"
    assert node.stop(timeout_s=20) == 0, node.log


def test_a_worker_without_a_key_is_refused(start_node: StartNode, tmp_path: Path) -> None:
    node = start_node("--chain", "dev", "--base-path", str(tmp_path), "--worker", "trainer")
    path = worker_key_file(tmp_path, "flock_dev", "trainer")
    assert ensure_refused(node).endswith(
        f"the worker trainer has no key: write its secret URI, one line, to {path}"
    )


def test_roles_that_are_not_built_are_refused(start_node: StartNode) -> None:
    said = ensure_refused(start_node("--dev", "--worker", "host"))
    assert said == (
        "error: --workers: host is not built yet: leave it out, or use trainer or validator"
    )


def test_workers_end_with_a_node_that_is_killed(start_node: StartNode, tmp_path: Path) -> None:
    base = ("--base-path", str(tmp_path))
    node = start_node("--dev", *base, "--worker", "validator").wait_until_ready()
    worker = os.pidfd_open(process_of(node, "validator"))
    node.kill()
    ended, _, _ = select.select([worker], [], [], 20)
    os.close(worker)
    assert ended, "the worker lives on"
