"""Where a node's files lie below its base path, as in Substrate: `chains/<chain id>/...`.

Invariant: what belongs to one chain lies in one directory, and a chain's id, checked by the chain
spec, cannot lead out of it.
Source: Substrate `sc_service::config::BasePath`.
"""

from __future__ import annotations

from pathlib import Path


def chain_directory(base_path: Path, chain_id: str) -> Path:
    """All that the node keeps for a chain."""
    return base_path / "chains" / chain_id


def database_directory(base_path: Path, chain_id: str) -> Path:
    """Blocks and states: everything that can be synced again."""
    return chain_directory(base_path, chain_id) / "db"


def keystore_directory(base_path: Path, chain_id: str) -> Path:
    """The keys, which cannot."""
    return chain_directory(base_path, chain_id) / "keystore"


def node_key_file(base_path: Path, chain_id: str) -> Path:
    """The seed of the node's peer id."""
    return chain_directory(base_path, chain_id) / "network" / "node_key"


def blob_directory(base_path: Path, chain_id: str) -> Path:
    """Data sets and models by content id."""
    return chain_directory(base_path, chain_id) / "blobs"


def upload_directory(base_path: Path, chain_id: str) -> Path:
    """Blobs on their way in."""
    return chain_directory(base_path, chain_id) / "uploads"


def worker_key_file(base_path: Path, chain_id: str, role: str) -> Path:
    """The secret URI of a worker that the node starts."""
    return chain_directory(base_path, chain_id) / "worker-keys" / role


def worker_state_directory(base_path: Path, chain_id: str, role: str) -> Path:
    """What that worker must find again after a restart."""
    return chain_directory(base_path, chain_id) / "workers" / role
