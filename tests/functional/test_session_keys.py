"""An operator whose validator starts without keys makes them over RPC; they outlive the process."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.functional.conftest import StartNode
from tests.functional.node_process import ensure_refused


def test_a_validator_is_given_keys_while_it_runs(start_node: StartNode, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("correct horse\n")
    data = ("--base-path", str(tmp_path / "node"), "--listen-address", "127.0.0.1")
    options = ("--chain", "devnet", "--validator", *data, "--password-file", str(password))
    said = ensure_refused(start_node("--chain", "devnet", "--validator", *data))
    assert "a validator needs a babe key in" in said
    assert "call author_rotateKeys" in said
    node = start_node(*options).wait_until_ready()
    assert node.find("no babe key yet") is not None
    keys = asyncio.run(node.call("author_rotateKeys"))
    assert asyncio.run(node.call("system_nodeRoles")) == ["Authority"]
    assert node.stop() == 0, node.log
    again = start_node(*options).wait_until_ready()
    assert again.find("no babe key yet") is None
    assert asyncio.run(again.call("author_hasSessionKeys", keys)) is True
    files = list((tmp_path / "node").rglob("babe-*.json"))
    assert len(files) == 1
    assert (files[0].stat().st_mode & 0o777) == 0o600
    assert again.stop() == 0, again.log
    assert "correct horse" not in node.log + again.log
