"""Labelled rows that the caller asks classifiers about, read in a process that may load torch.

Source: WP V.H (data that nobody trained on).
"""

from __future__ import annotations

from dataclasses import dataclass

from flockchain.workers.training import TrainingPool


@dataclass(frozen=True)
class Rows:
    """Rows and the class of each."""

    inputs: list[list[float]]
    labels: tuple[int, ...]

    def right(self, answered: tuple[int, ...]) -> int:
        """How many classes were named as they are."""
        return sum(said == label for said, label in zip(answered, self.labels, strict=True))


async def read_rows(dataset: bytes, count: int) -> Rows:
    """The first rows of a data set of digits. Raises `ArtifactError`."""
    pool = TrainingPool()
    try:
        return await pool.run(_read, (dataset, count))
    finally:
        await pool.close()


def _read(wanted: tuple[bytes, int]) -> Rows:
    from ml.datasets.digits import CLASSES, INPUTS
    from ml.datasets.labelled import LabelledData

    data = LabelledData.from_bytes(wanted[0], INPUTS, CLASSES)
    count = wanted[1]
    return Rows(data.features[:count].tolist(), tuple(data.labels[:count].tolist()))
