"""The folder of a ceremony: `ceremony.json`, who contributed what, and the string so far.

The string is the file `<SHA-256>.srs`, as beside a chain spec; the transcript names it, so it is
written first, and a process that is ended in between leaves the folder as it was.
Invariant: whatever the folder holds, only `TranscriptError` leaves reading it.
Source: WP VI.H; `runtime.primitives.zk_ceremony` (what is checked).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from genesis.errors import SpecError
from genesis.reader import Reader, parse_document
from runtime.primitives.types import Hash
from runtime.primitives.zk_ceremony import NAME_BYTES_MAX, Ceremony, Contribution
from runtime.primitives.zk_points import POINT_BYTES, SCALAR_BYTES, SECOND_BYTES
from runtime.primitives.zk_profile import (
    SETUP_POINTS_MIN,
    ChainSetup,
    parse_setup,
    setup_bytes,
)
from runtime.primitives.zk_setup import Setup, SetupError

FILE_NAME: Final = "ceremony.json"
POINTS_MAX: Final = 1 << 20
CONTRIBUTIONS_MAX: Final = 1_024
LABEL_MAX: Final = 64
_SIZES: Final = {
    "tau": POINT_BYTES,
    "tauSecond": SECOND_BYTES,
    "factor": SECOND_BYTES,
    "setup": 32,
    "challenge": SCALAR_BYTES,
    "response": SCALAR_BYTES,
}


class TranscriptError(ValueError):
    """A folder in which no ceremony can be read."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """A ceremony as far as it has come."""

    ceremony: Ceremony
    contributions: tuple[Contribution, ...]


def setup_file_name(digest: Hash) -> str:
    """How the file of a string is called."""
    return f"{digest.hex()}.srs"


def read_transcript(folder: Path) -> Transcript | None:
    """The transcript in a folder; None if there is none yet. Raises `TranscriptError`."""
    path = folder / FILE_NAME
    if not path.exists():
        return None
    try:
        return _read(parse_document(path.read_bytes()))
    except (OSError, SpecError) as error:
        raise TranscriptError(f"{path}: {error}") from error


def read_setup(folder: Path, transcript: Transcript) -> Setup:
    """The string after the last contribution. Raises `TranscriptError`."""
    if not transcript.contributions:
        raise TranscriptError("nobody has contributed")
    digest = transcript.contributions[-1].setup
    path = folder / setup_file_name(digest)
    try:
        return parse_setup(path.read_bytes(), ChainSetup(transcript.ceremony.points, digest))
    except (OSError, SetupError) as error:
        raise TranscriptError(f"{path}: {error}") from error


def write_transcript(folder: Path, transcript: Transcript, setup: Setup) -> None:
    """Write the string, then the transcript, and remove the former string."""
    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / setup_file_name(setup.id), setup_bytes(setup))
    document = json.dumps(_document(transcript), indent=2) + "\n"
    replace_file(folder / FILE_NAME, document.encode())
    for former in transcript.contributions[:-1]:
        (folder / setup_file_name(former.setup)).unlink(missing_ok=True)


def replace_file(path: Path, data: bytes) -> None:
    """Write a file whole, or leave the one that is there."""
    waiting = path.with_name(f".{path.name}.new")
    with waiting.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    waiting.replace(path)


def _document(transcript: Transcript) -> dict[str, object]:
    contributions = [
        {
            "name": each.name,
            "tau": _hex(each.tau),
            "tauSecond": _hex(each.tau_second),
            "factor": _hex(each.factor),
            "setup": _hex(each.setup),
            "challenge": _hex(each.challenge),
            "response": _hex(each.response),
        }
        for each in transcript.contributions
    ]
    ceremony = transcript.ceremony
    return {
        "label": ceremony.label,
        "points": ceremony.points,
        "contributions": contributions,
    }


def _read(root: Reader) -> Transcript:
    root.fields({"label", "points", "contributions"})
    points = root.key("points").integer(SETUP_POINTS_MIN, POINTS_MAX)
    ceremony = Ceremony(root.key("label").text(LABEL_MAX), points)
    entries = root.key("contributions").items(0, CONTRIBUTIONS_MAX)
    return Transcript(ceremony, tuple(map(_read_contribution, entries)))


def _read_contribution(entry: Reader) -> Contribution:
    entry.fields({"name", *_SIZES})
    values = {name: entry.key(name).hex(size) for name, size in _SIZES.items()}
    return Contribution(
        entry.key("name").text(NAME_BYTES_MAX),
        values["tau"],
        values["tauSecond"],
        values["factor"],
        Hash(values["setup"]),
        values["challenge"],
        values["response"],
    )


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
