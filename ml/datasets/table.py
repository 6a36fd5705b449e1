"""A table of numbers as private rows: comma-separated text to the canonical file, and parts of one.

Owns the narrow form of the text: a header or none, features, and the class as a whole number in the
last column. Invariant: what is not exactly that is refused with the line's number, never guessed.
Source: WP VI.B (private training data of participants).
"""

from __future__ import annotations

import csv
import io
import math
from typing import Final

import torch

from ml.datasets.labelled import LabelledData

ROWS_MAX: Final = 10_000_000


class TableError(ValueError):
    """Text that is no table of features and a class; the message names the line."""


def read_table(text: str) -> LabelledData:
    """features: (rows, columns - 1) float32, labels: (rows,) int64. Raises `TableError`."""
    features: list[list[float]] = []
    labels: list[int] = []
    for number, line in enumerate(csv.reader(io.StringIO(text)), start=1):
        if not line or (number == 1 and not _is_numeric(line)):
            continue  # an empty line, or the header
        if features and len(line) != len(features[0]) + 1:
            raise TableError(f"line {number} has {len(line)} columns, not {len(features[0]) + 1}")
        if len(features) >= ROWS_MAX:
            raise TableError(f"more than {ROWS_MAX} rows")
        row, label = _read_line(number, line)
        features.append(row)
        labels.append(label)
    if not features:
        raise TableError("there is no row")
    return LabelledData(
        torch.tensor(features, dtype=torch.float32), torch.tensor(labels, dtype=torch.int64)
    )


def _read_line(number: int, line: list[str]) -> tuple[list[float], int]:
    if len(line) < 2:
        raise TableError(f"line {number} has no feature beside the class")
    try:
        row, label = [float(cell) for cell in line[:-1]], int(line[-1])
    except ValueError as error:
        raise TableError(f"line {number}: {error}") from None
    if not all(map(math.isfinite, row)):
        raise TableError(f"line {number} has a feature that is not finite")
    if not 0 <= label < 1 << 31:
        raise TableError(f"line {number}: class {label} is outside 0..2147483647")
    return row, label


def _is_numeric(line: list[str]) -> bool:
    try:
        return bool([float(cell) for cell in line])
    except ValueError:
        return False
