"""What may never appear: readers that run code, and imports across the package's border."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ml", "flockchain", "p2p", "runtime", "genesis")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
BANNED_IMPORTS = {
    "pickle",
    "cPickle",
    "_pickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
}
BANNED_CALLS = {"eval", "__import__"}
BANNED_ATTRIBUTES = {
    ("torch", "load"),
    ("yaml", "load"),
    ("yaml", "unsafe_load"),
    ("np", "load"),
    ("numpy", "load"),
}


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def findings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.split(".")[0] in BANNED_IMPORTS)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module.split(".")[0] in BANNED_IMPORTS:
                yield node.module
            yield from (
                f"{node.module}.{a.name}"
                for a in node.names
                if (node.module, a.name) in BANNED_ATTRIBUTES
            )
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if (node.value.id, node.attr) in BANNED_ATTRIBUTES:
                yield f"{node.value.id}.{node.attr}"
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in BANNED_CALLS
        ):
            yield node.func.id


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.add(node.module or "")
    return names


def test_nothing_reads_files_that_can_run_code() -> None:
    found = {
        str(path.relative_to(ROOT)): names
        for path in SOURCES
        if (names := list(findings(tree_of(path))))
    }
    assert found == {}


@pytest.mark.parametrize(
    "program",
    ["import pickle", "from torch import load", "import torch; torch.load(x)", "eval(x)"],
)
def test_the_search_finds(program: str) -> None:
    assert list(findings(ast.parse(program)))


def test_ml_imports_only_the_primitives_and_torch_stays_in_ml() -> None:
    for path in SOURCES:
        names = imported(tree_of(path))
        if path.is_relative_to(ROOT / "ml"):
            ours = {name for name in names if name.split(".")[0] in PACKAGES}
            outside = {n for n in ours if not n.startswith(("ml", "runtime.primitives"))}
            assert outside == set(), path
        else:
            assert not any(name.split(".")[0] == "torch" for name in names), path
