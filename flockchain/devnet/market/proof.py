"""Certificates of what is served, checked by a process that knows the genesis hash alone.

It starts in an empty directory, without settings, and opens no connection. Invariant: a file that
is not the certified one is refused.
Source: WP VI.H (anyone can verify), WP V.H.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flockchain.devnet.checks import CheckFailed, Verdict, ensure
from flockchain.devnet.market.services import CommandFailed, command
from flockchain.devnet.processes import Devnet
from runtime.primitives.content_id import cid_text
from runtime.primitives.types import Hash

_ROOT: Final = Path(__file__).resolve().parents[3]  # of this installation
_NOT_IT: Final = "the file's content id is"


@dataclass(frozen=True)
class Served:
    """A task's model, the file that its host serves, and perhaps one that passes for it."""

    task: int
    model: bytes
    weights: Path
    forged: Path | None = None


async def prove(devnet: Devnet, genesis: Hash, served: Sequence[Served]) -> Verdict:
    """Certify and verify each. Raises CheckFailed, DevnetError."""
    parts = []
    for each in served:
        file = devnet.directory / "market" / f"task-{each.task}.certificate"
        asked = (str(each.task), "--out", str(file), "--chain", devnet.chain)
        made = await command("model", "certificate", *asked, "--rpc", devnet.url())
        ensure(made["model"] == cid_text(each.model), f"the certificate is of {made['model']}")
        lineage = (await _verify(file, each.weights, genesis))["lineage"]
        ensure(
            lineage[0]["content"] == cid_text(each.model),
            f"the certificate of task {each.task} proves {lineage[0]['content']}",
        )
        parts.append(f"of task {each.task} ({len(lineage)} in its lineage)")
        if each.forged is not None:
            await _ensure_refused(file, each.forged, genesis)
    return Verdict(
        f"with the genesis hash alone the weights that host 1 serves verify: {', '.join(parts)}; "
        "those of host 2 do not"
    )


async def _ensure_refused(file: Path, forged: Path, genesis: Hash) -> None:
    try:
        await _verify(file, forged, genesis)
    except CommandFailed as refusal:
        ensure(_NOT_IT in str(refusal), f"a forged file is refused for another reason: {refusal}")
        return
    raise CheckFailed(f"{forged} passes for the model of {file}")


async def _verify(file: Path, weights: Path, genesis: Hash) -> dict[str, Any]:
    asked = (str(file), str(weights), "--genesis", f"0x{genesis.hex()}")
    with tempfile.TemporaryDirectory(prefix="flockchain-verify-") as empty:
        environment = {"PATH": os.defpath, "PYTHONPATH": str(_ROOT), "HOME": empty}
        return await command(
            "model", "verify", *asked, directory=Path(empty), environment=environment
        )
