"""`flockchain ceremony`: make a reference string of one's own for a chain, and check one.

The folder goes from contributor to contributor; each notes the digest that it is told, and finds
it again in what `verify` prints. Exit status: 0 done, 1 refused, 2 wrong usage.
Source: WP VI.H; docs/zk.md (what to trust).
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from flockchain.ceremony.contributing import contribute as add_contribution
from flockchain.ceremony.contributing import first_setup
from flockchain.ceremony.transcript import (
    LABEL_MAX,
    POINTS_MAX,
    Transcript,
    TranscriptError,
    read_setup,
    read_transcript,
    replace_file,
    setup_file_name,
    write_transcript,
)
from flockchain.cli.refusal import refuse
from flockchain.telemetry import escape
from genesis.errors import SpecError
from genesis.spec import parse_chain_spec
from runtime.primitives.types import Hash
from runtime.primitives.zk_ceremony import (
    NAME_BYTES_MAX,
    Ceremony,
    CeremonyError,
    ensure_ceremony,
    ensure_contributions,
)
from runtime.primitives.zk_profile import SETUP_POINTS_MAX, SETUP_POINTS_MIN, setup_bytes
from runtime.primitives.zk_setup import Setup, SetupError

POINTS: Final = 1 << 16
CONTRIBUTORS_MIN: Final = 2  # of one, its only contributor knows whether τ is forgotten
_PATCH: Final = ("genesis", "runtimeGenesis", "patch")

app = typer.Typer(
    help="Make a reference string for a chain, and check one.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
Folder = Annotated[Path, typer.Argument(help="The ceremony's folder.", file_okay=False)]


@app.command()
def contribute(
    folder: Folder,
    name: Annotated[str, typer.Option(help="Who contributes, as others shall read it.")],
    label: Annotated[
        str | None, typer.Option(help="What the string is for; who begins says it.")
    ] = None,
    points: Annotated[
        int, typer.Option(min=SETUP_POINTS_MIN, max=POINTS_MAX, help="How many; who begins says.")
    ] = POINTS,
    processes: Annotated[
        int, typer.Option(min=1, max=256, help="How many work on it.", show_default="all cores")
    ] = os.cpu_count() or 1,
) -> None:
    """Multiply the string by a secret of one's own, and begin if nobody has."""
    if not 1 <= len(name.encode()) <= NAME_BYTES_MAX or not name.isprintable():
        refuse(f"a name has 1 to {NAME_BYTES_MAX} bytes that can be printed")
    try:
        transcript = read_transcript(folder) or _begun(label, points)
        begins = not transcript.contributions
        setup = first_setup(points) if begins else read_setup(folder, transcript)
        ensure_contributions(transcript.ceremony, transcript.contributions)
    except (TranscriptError, CeremonyError) as error:
        refuse(error)
    after, made = add_contribution(transcript, setup, name, processes)
    write_transcript(folder, after, made)
    digests = ensure_contributions(after.ceremony, after.contributions)
    print(f"contribution {len(digests)} of {escape(name)}: 0x{digests[-1].hex()}")


@app.command()
def verify(folder: Folder) -> None:
    """Check every contribution and the string, and print who contributed."""
    transcript, setup, digests = _verified(folder)
    for number, (each, digest) in enumerate(zip(transcript.contributions, digests, strict=True)):
        print(f"{number + 1} {escape(each.name)} 0x{digest.hex()}")
    print(f"{setup.points} points for {escape(transcript.ceremony.label)}")
    print(f"SHA-256 of the string: 0x{setup.id.hex()}")


@app.command()
def finish(
    folder: Folder,
    spec: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The chain spec that shall name it.")
    ],
    contributors_min: Annotated[
        int, typer.Option(min=1, help="How many contributions there must be.")
    ] = CONTRIBUTORS_MIN,
) -> None:
    """Check the ceremony, put the string beside a chain spec, and name it there."""
    transcript, setup, digests = _verified(folder)
    if len(digests) < contributors_min:
        refuse(f"{len(digests)} contributions, {contributors_min} are needed")
    if setup.points > SETUP_POINTS_MAX:
        refuse(f"a chain's string has at most {SETUP_POINTS_MAX} points, not {setup.points}")
    try:
        found = parse_chain_spec(spec.read_bytes())
    except (OSError, SpecError) as error:
        refuse(error)
    if found.id != transcript.ceremony.label:
        refuse(f"the ceremony is for {transcript.ceremony.label}, the chain is {found.id}")
    changed = _with_setup(found.document, setup)
    replace_file(spec.parent / setup_file_name(setup.id), setup_bytes(setup))
    replace_file(spec, (json.dumps(changed, indent=2) + "\n").encode())
    print(f"{spec} names the string 0x{setup.id.hex()} of {setup.points} points")


def _begun(label: str | None, points: int) -> Transcript:
    if label is None or not 1 <= len(label) <= LABEL_MAX or not label.isprintable():
        refuse(f"nobody has begun: --label names the chain's id, 1 to {LABEL_MAX} characters")
    return Transcript(Ceremony(label, points), ())


def _verified(folder: Path) -> tuple[Transcript, Setup, Sequence[Hash]]:
    try:
        transcript = read_transcript(folder)
        if transcript is None:
            refuse(f"{folder} holds no ceremony")
        setup = read_setup(folder, transcript)
        digests = ensure_ceremony(transcript.ceremony, transcript.contributions, setup)
    except (TranscriptError, CeremonyError, SetupError) as error:
        refuse(error)
    return transcript, setup, digests


def _with_setup(document: object, setup: Setup) -> object:
    """The spec's document, naming the string. The document itself is changed."""
    patch = document
    for name in _PATCH:
        if not isinstance(patch, dict) or name not in patch:
            refuse(f"the chain spec has no {'.'.join(_PATCH)}: a raw one cannot be changed")
        patch = patch[name]
    if not isinstance(patch, dict):
        refuse(f"{'.'.join(_PATCH)} is no object")
    named = {"points": setup.points, "sha256": f"0x{setup.id.hex()}"}
    patch["flAlliance"] = {"setup": named}
    return document
