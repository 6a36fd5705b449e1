"""The chapter's data: disjoint shards of the digits, one a client, and what the terms need.

The clients' scanners see every digit one pixel further to the right, so the Arena's model, which
never saw such rows, reads them badly: what the clients know is worth something. Made in a process
that may load torch. Invariant: a client's rows lie in its own file, no two files share a row.

Source: WP VI.B (private training data), WP VI.A (task creation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flockchain.devnet.fl.cast import EVERYBODY, ORIGIN
from flockchain.devnet.person import Person
from flockchain.sdk.client import Client
from flockchain.workers.alliance.computing import measure_model, score_models
from flockchain.workers.alliance.terms import ModelFacts
from flockchain.workers.sealed_dataset import open_dataset
from flockchain.workers.training import TrainingPool
from runtime.pallets.model_registry import ModelRegistry
from runtime.pallets.tasks import Tasks


@dataclass(frozen=True)
class Start:
    """What the Arena left: specification and consensus model; the terms' needs.

    `judging`: set B as the clients' scanners see it.
    """

    spec_id: bytes
    spec: bytes
    model_id: bytes
    model: bytes
    judging: bytes
    facts: ModelFacts
    shards: dict[str, Path]  # by client


async def make_start(
    client: Client, directory: Path, people: Sequence[Person] = EVERYBODY
) -> Start:
    """Fetch what the Arena left and deal the training rows out. Raises SdkError."""
    origin = await client.query(Tasks.tasks, ORIGIN)
    best = await client.query(ModelRegistry.models, ORIGIN)
    terms, pool = origin.terms, TrainingPool()
    assert origin.key is not None, "the Arena's chapter has revealed it"
    spec, model = await client.get_blob(terms.spec), await client.get_blob(best.content)
    ciphertext = await client.get_blob(terms.validation_b.ciphertext)
    unseen = open_dataset(ciphertext, origin.key, terms.validation_b)
    rows = await client.get_blob(terms.training[0])
    try:
        judging, *parts = await pool.run(scan_anew, (rows, unseen, len(people)))
        facts = await pool.run(measure_model, (spec, model))
    finally:
        await pool.close()
    shards = _lay_out(directory, parts, people)
    return Start(terms.spec, spec, best.content, model, judging, facts, shards)


def scan_anew(wanted: tuple[bytes, bytes, int]) -> tuple[bytes, ...]:
    """The rows to judge with, then each client's. Raises `ArtifactError`."""
    from ml.datasets.digits import CLASSES, INPUTS, shift_digits
    from ml.datasets.labelled import LabelledData
    from ml.round_work import split_into_shards

    rows, unseen, count = wanted
    training, judging = (
        shift_digits(LabelledData.from_bytes(data, INPUTS, CLASSES)).to_bytes()
        for data in (rows, unseen)
    )
    return judging, *split_into_shards(training, count)


def _lay_out(directory: Path, parts: Sequence[bytes], people: Sequence[Person]) -> dict[str, Path]:
    """A file for each client."""
    directory.mkdir(parents=True, exist_ok=True)
    shards = {each.name: directory / f"{each.name.replace(' ', '-')}.rows" for each in people}
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
