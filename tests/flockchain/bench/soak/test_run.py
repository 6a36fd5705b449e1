"""Nodes that never come so far that a load may begin: the bench says so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from flockchain.bench.soak.run import Soak, SoakPlan
from flockchain.devnet.processes import Devnet, DevnetError, free_port


def test_nodes_that_do_not_settle_are_named(tmp_path: Path) -> None:
    soak = Soak(SoakPlan(nodes=1), Devnet(tmp_path, "dev"), lambda *_: None)
    url = f"ws://127.0.0.1:{free_port()}"
    text = f"the first 5 final blocks at {url} took more than 0.05 s"
    with pytest.raises(DevnetError, match=f"^{text}$"):
        asyncio.run(soak.until_settled([url], 0.05))
