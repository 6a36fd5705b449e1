"""One chain, executed by its author, by an importer and by processes that hash and optimize unlike.

What must not matter: the order in which sets and dictionaries of strings hash (PYTHONHASHSEED),
whether assertions run (-O), what was executed in the process before (caches of codecs, of storage
keys, of decoded values), extrinsics that the author tried and refused, a libm that answers
otherwise, floating point that rounds down (`odd_arithmetic.c`, preloaded).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest

from runtime.api import runtime_at
from runtime.economy.tasks import TaskStatus
from runtime.pallets.arena.records import Alias
from tests.properties.replayed_chain import Author, open_chain, record

BLOCKS = 170
LONG_BLOCKS = 5_000
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def author() -> Author:
    """The chain."""
    made = Author(Random(2024))
    for _ in range(BLOCKS):
        made.make_block()
    return made


def test_the_chain_is_worth_replaying(author: Author) -> None:
    runtime = runtime_at(author.backend.state_at(author.backend.best.hash))
    runtime.try_state()
    statuses = [task.status for _, task in sorted(runtime.tasks.tasks.items())]
    assert statuses.count(TaskStatus.COMPLETED) >= 3
    assert author.succeeded > 100
    assert author.failed > 200
    assert author.refused > 20
    assert runtime.emission.minted.get() > 0
    opened = [made for _, made in runtime.arena.submissions.items() if made.owner is not None]
    assert any(isinstance(made.submitter, Alias) for made in opened)


def test_an_importer_finds_the_authors_roots(author: Author) -> None:
    importer = open_chain(author.state)
    for header, body in author.blocks:
        imported = importer.import_block(header, body)
        importer.backend.finalize(imported.hash)
    assert importer.backend.best == author.backend.best


def test_other_processes_find_the_authors_roots(author: Author, tmp_path: Path) -> None:
    ensure_others_agree(author, tmp_path, range(4))


def test_the_odd_machine_is_odd(tmp_path: Path) -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", "import math; print(math.exp(1.5), 1 / 3, 0.1 + 0.2)"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for environment in ({}, odd_machine(tmp_path))
    ]
    assert all(usual != odd for usual, odd in zip(said[0][::2], said[1][::2], strict=True))


def test_a_machine_with_odd_floating_point_finds_the_roots(author: Author, tmp_path: Path) -> None:
    ensure_others_agree(author, tmp_path, range(1), odd_machine(tmp_path))


@pytest.mark.long
def test_a_long_chain_under_five_hash_seeds_and_on_an_odd_machine(tmp_path: Path) -> None:
    author = Author(Random(2025))
    for _ in range(LONG_BLOCKS):
        author.make_block()
    ensure_others_agree(author, tmp_path, range(5))
    ensure_others_agree(author, tmp_path, range(5, 7), odd_machine(tmp_path))


def odd_machine(directory: Path) -> dict[str, str]:
    """The environment of a process with another libm and another rounding mode."""
    library = directory / "odd_arithmetic.so"
    source = Path(__file__).with_name("odd_arithmetic.c")
    flags = ("-O1", "-fno-builtin", "-frounding-math", "-shared", "-fPIC")
    subprocess.run(["gcc", *flags, "-o", str(library), str(source), "-lm", "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}


def ensure_others_agree(
    author: Author,
    directory: Path,
    hash_seeds: range,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Processes that hash unlike, one of them optimized, replay the chain to its roots."""
    recorded = directory / "chain"
    recorded.write_bytes(record(author))
    script = "tests.properties.replay_script"
    runs = [
        subprocess.Popen(
            [sys.executable, *(["-O"] if seed == 3 else []), "-m", script, str(recorded)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": str(seed), **(environment or {})},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in hash_seeds
    ]
    expected = [header.state_root.hex() for header, _ in author.blocks]
    for run in runs:
        output, _ = run.communicate(timeout=600 + len(expected))
        assert run.returncode == 0
        assert output.split() == expected
