"""Running a directory of vector files.

Invariant: a file that cannot be read, is malformed or of an unknown scheme is a failure, never a
case left out. Limits: files of 64 MiB, a million cases a file.
Source: docs/vectors.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from flockchain.vectors.case import Case, VectorError
from flockchain.vectors.schemes import SCHEMES

FILE_BYTES_MAX: Final = 64 * 1024**2
CASES_MAX: Final = 1_000_000
_SHOWN_CHARACTERS: Final = 200


@dataclass(slots=True)
class Report:
    """How many cases ran, and a line for each that failed and each file that could not run."""

    cases: int = 0
    failures: list[str] = field(default_factory=list)


def run_directory(directory: Path) -> Report:
    """Run every `*.json` below a directory. Raises VectorError if there is none."""
    paths = sorted(directory.rglob("*.json"))
    if not paths:
        raise VectorError(f"there is no *.json below {directory}")
    report = Report()
    for path in paths:
        name = path.relative_to(directory).as_posix()
        try:
            scheme, cases = _read(path)
        except VectorError as error:
            report.failures.append(f"{name}: {error}")
            continue
        report.cases += len(cases)
        report.failures.extend(f"{name}: {line}" for line in _failures(scheme, cases))
    return report


def _failures(scheme: str, cases: list[object]) -> Iterator[str]:
    """A line for each case that fails."""
    for place, fields in enumerate(cases):
        if not isinstance(fields, dict):
            yield f"case {place}: no object"
            continue
        title = f"case {place} ({fields['name']})" if "name" in fields else f"case {place}"
        try:
            found, expected = SCHEMES[scheme](Case(fields))
        except VectorError as error:
            yield f"{title}: {error}"
            continue
        # 1 == True in Python, which no vector means.
        if found != expected or isinstance(found, bool) != isinstance(expected, bool):
            yield f"{title}: {_shown(found)}, expected {_shown(expected)}"


def _read(path: Path) -> tuple[str, list[object]]:
    """A file's scheme and cases. Raises VectorError."""
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise VectorError(f"cannot be read: {error.strerror}") from None
    if len(raw) > FILE_BYTES_MAX:
        raise VectorError(f"longer than {FILE_BYTES_MAX} bytes")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise VectorError(f"no JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("scheme"), str):
        raise VectorError("no object with a 'scheme'")
    scheme, cases = document["scheme"], document.get("cases")
    if scheme not in SCHEMES:
        raise VectorError(f"the scheme {scheme!r} is none of {', '.join(SCHEMES)}")
    if not isinstance(cases, list) or not 1 <= len(cases) <= CASES_MAX:
        raise VectorError(f"'cases' is no list of 1 to {CASES_MAX} cases")
    return scheme, cases


def _shown(value: object) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
