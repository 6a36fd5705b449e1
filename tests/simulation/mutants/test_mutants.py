"""Small false changes of what holds stake are noticed, by unit tests or by whole networks.

`pytest -m long -s tests/simulation/mutants` prints the score and who escaped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.simulation.mutants.catalogue import MUTANTS, Mutant
from tests.simulation.mutants.stake_catalogue import STAKE_MUTANTS

ROOT: Final = Path(__file__).parents[3]
_ALL: Final = (*MUTANTS, *STAKE_MUTANTS)
_NETWORKS: Final = (
    "tests/simulation/test_cluster.py",
    "tests/simulation/test_equivocation.py",
    "tests/simulation/test_set_changes.py",
    "tests/simulation/test_network_seeds.py",
    "tests/simulation/test_negative_controls.py",
)
_TIMEOUT_S: Final = 1_800  # a network that hangs is noticed too
PERCENT_NOTICED_MIN: Final = 95
_FAILED: Final = 1  # pytest's exit status when tests failed


@pytest.mark.parametrize("mutant", _ALL, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_one_place(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.lines) == 1
    assert mutant.lines != mutant.false
    for place in mutant.tests:
        assert (ROOT / place).exists()


def copy_sources(place: Path) -> None:
    """A copy of the sources and tests."""
    for name in ("flockchain", "runtime", "genesis", "p2p", "ml", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", ".hypothesis")
        shutil.copytree(ROOT / name, place / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", place)


def plant(mutant: Mutant, place: Path) -> None:
    """A copy with the false change."""
    copy_sources(place)
    file = place / mutant.file
    file.write_text(
        file.read_text(encoding="utf-8").replace(mutant.lines, mutant.false), encoding="utf-8"
    )


def unit_tests(mutant: Mutant) -> tuple[str, ...]:
    """The tests of the changed file first, where it has any: they mostly notice."""
    file = Path("tests") / mutant.file
    own = file.with_name(f"test_{file.name}")
    return (str(own), *mutant.tests) if (ROOT / own).exists() else mutant.tests


def is_noticed(place: Path, tests: tuple[str, ...]) -> bool:
    """Whether any of these tests fails in the copy."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(place)}
    try:
        ended = subprocess.run(
            command,
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return True
    assert ended.returncode in (0, _FAILED), ended.stdout + ended.stderr
    return ended.returncode == _FAILED


@pytest.mark.long
def test_nothing_is_noticed_where_nothing_is_false(tmp_path: Path) -> None:
    copy_sources(tmp_path)
    tests = dict.fromkeys(test for mutant in _ALL for test in unit_tests(mutant))
    assert not is_noticed(tmp_path, (*tests, *_NETWORKS))


@pytest.mark.long
def test_hardly_a_mutant_escapes(tmp_path: Path) -> None:
    by_units, by_networks, escaped = [], [], []
    for number, mutant in enumerate(_ALL):
        place = tmp_path / str(number)
        plant(mutant, place)
        if is_noticed(place, unit_tests(mutant)):
            by_units.append(mutant.name)
        elif is_noticed(place, _NETWORKS):
            by_networks.append(mutant.name)
        else:
            escaped.append(mutant.name)
        shutil.rmtree(place)
    print(
        f"\n{len(_ALL)} mutants: {len(by_units)} noticed by unit tests, {len(by_networks)} by "
        f"networks alone {by_networks}, {len(escaped)} by nobody {escaped}"
    )
    assert PERCENT_NOTICED_MIN * len(_ALL) <= 100 * (len(_ALL) - len(escaped))
