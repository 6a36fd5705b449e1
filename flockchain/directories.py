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
