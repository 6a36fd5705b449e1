"""The chapter's data: disjoint shards of the digits, one a client, and what the terms need.

Made in a process that may load torch. Invariant: a client's rows lie in its own file and no two
files share a row.

Source: WP VI.B (private training data), WP VI.A (task creation).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flockchain.devnet.fl.cast import EVERYBODY, ORIGIN
from flockchain.sdk.client import Client
from flockchain.workers.alliance.computing import (
    score_models,
    split_rows_among,
    zero_update_for,
)
from flockchain.workers.sealed_dataset import open_dataset
from flockchain.workers.training import TrainingPool
from runtime.pallets.model_registry import ModelRegistry
from runtime.pallets.tasks import Tasks


@dataclass(frozen=True)
class Start:
    """What the Arena left: specification, consensus model, set B in plain; the terms' needs."""

    spec_id: bytes
    spec: bytes
    model_id: bytes
    model: bytes
    judging: bytes
    zero_update: bytes
    shards: dict[str, Path]  # by client


async def make_start(client: Client, directory: Path) -> Start:
    """Fetch what the Arena left and deal the training rows out. Raises SdkError."""
    origin = await client.query(Tasks.tasks, ORIGIN)
    best = await client.query(ModelRegistry.models, ORIGIN)
    terms, pool = origin.terms, TrainingPool()
    assert origin.key is not None, "the Arena's chapter has revealed it"
    spec, model = await client.get_blob(terms.spec), await client.get_blob(best.content)
    ciphertext = await client.get_blob(terms.validation_b.ciphertext)
    judging = open_dataset(ciphertext, origin.key, terms.validation_b)
    rows = await client.get_blob(terms.training[0])
    try:
        parts = await pool.run(split_rows_among, (rows, len(EVERYBODY)))
        zero_update = await pool.run(zero_update_for, (spec, model))
    finally:
        await pool.close()
    shards = _lay_out(directory, parts)
    return Start(terms.spec, spec, best.content, model, judging, zero_update, shards)


def _lay_out(directory: Path, parts: tuple[bytes, ...]) -> dict[str, Path]:
    """A file for each client."""
    directory.mkdir(parents=True, exist_ok=True)
    shards = {each.name: directory / f"{each.name.replace(' ', '-')}.rows" for each in EVERYBODY}
    for path, part in zip(shards.values(), parts, strict=True):
        path.write_bytes(part)
    return shards


async def score_all(start: Start, models: tuple[bytes, ...]) -> tuple[int, ...]:
    """Scores on set B, which nobody trained on. Raises `ArtifactError`."""
    pool = TrainingPool()
    try:
        return await pool.run(score_models, (start.spec, start.judging, models))
    finally:
        await pool.close()
