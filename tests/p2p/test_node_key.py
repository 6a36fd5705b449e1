"""The node key file."""

import stat
from pathlib import Path

import pytest

from p2p.node_key import NodeKeyError, load_node_key


def test_a_key_is_created_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "network" / "node.key"
    seed = load_node_key(path)
    assert len(seed) == 32
    assert load_node_key(path) == seed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_broken_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "node.key"
    path.write_bytes(b"short")
    with pytest.raises(NodeKeyError) as caught:
        load_node_key(path)
    assert str(caught.value) == f"node key {path} has 5 bytes, not 32"
    with pytest.raises(NodeKeyError, match="cannot be used: Is a directory"):
        load_node_key(tmp_path)
