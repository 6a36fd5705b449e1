"""The house rules that a machine can check: who imports whom, sizes, words, purity.

Each test lists every place that breaks its rule as `path:line: what`. An exception needs an entry
in one of the tables here, with its reason.
"""

from __future__ import annotations

import ast
import functools
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("runtime", "genesis", "flockchain", "p2p", "ml")
SOURCES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100

IMPURE_IMPORTS = {
    ("runtime/frame/metadata/generate.py", "sys"): "reads docstrings of loaded modules",
}
ENVIRONMENT_READERS = {
    "flockchain/devnet/processes.py": "hands its own environment on to the nodes that it starts",
}
# Which of our modules a module may import: the first prefix that fits counts, a module's own
# package is always open to it.
LAYERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("runtime.primitives", ()),
    ("runtime.economy", ("runtime.primitives",)),
    ("runtime.frame", ("runtime.primitives",)),
    ("runtime.pallets", ("runtime.primitives", "runtime.frame", "runtime.economy")),
    ("runtime.constants", ("runtime.primitives", "runtime.economy")),
    ("runtime.version", ()),
    ("runtime.weights", ("runtime.frame",)),
    ("runtime", ("runtime",)),
    # A spec is known by its genesis hash, which is a pure function of the trie's format.
    ("genesis", ("runtime", "flockchain.chain.spec_hash")),
    ("p2p", ("runtime.primitives",)),
    ("ml", ("runtime.primitives",)),
    ("flockchain.workers", ("runtime", "genesis", "flockchain", "p2p", "ml")),
    ("flockchain.marketplace", ("runtime", "genesis", "flockchain", "p2p", "ml")),
    ("flockchain.simulation", ("runtime", "genesis", "flockchain", "p2p", "ml")),
    ("flockchain.devnet", ("runtime", "genesis", "flockchain", "p2p", "ml")),
    ("flockchain.service", ("runtime", "genesis", "flockchain", "p2p", "ml")),
    ("flockchain.cli", ("runtime", "genesis", "flockchain", "p2p", "ml")),
    ("flockchain", ("runtime", "genesis", "flockchain", "p2p")),
)
ABOVE_THE_PALLETS = (
    *("runtime.proxy_filters", "runtime.runtime", "runtime.genesis", "runtime.api"),
    *(
        "runtime.arena_api",
        "runtime.yields",
        "runtime.yields_api",
        "runtime.fl_api",
        "runtime.market_api",
        "runtime.trends_api",
    ),
    *("runtime.runtime_apis", "runtime.kept_runtimes"),
)
IMPURE = frozenset(
    (
        *("aiohttp", "asyncio", "concurrent", "datetime", "fcntl", "glob", "io", "logging"),
        *("multiprocessing", "numpy", "os", "pathlib", "plyvel", "queue", "random", "secrets"),
        *("select", "selectors", "shutil", "signal", "socket", "ssl", "subprocess", "sys"),
        *("tempfile", "threading", "time", "torch", "trio", "urllib", "uuid"),
    )
)
INTEGER_MATH = frozenset({"comb", "factorial", "gcd", "isqrt", "lcm", "perm", "prod"})
BANNED_CALLS = frozenset({"float", "hash", "id", "input", "open", "print", "round"})


@functools.cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    return name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def report(rule: Callable[[Path], Iterator[tuple[int, str]]], paths: list[Path]) -> list[str]:
    return [f"{name_of(path)}:{line}: {what}" for path in paths for line, what in rule(path)]


def ensure_none(found: list[str]) -> None:
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def imports_of(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of all that is imported, `from a import b` as `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


# -- imports


def pallet_of(module: str) -> str | None:
    """The pallet that a module belongs to: the file or package right below `runtime.pallets`."""
    parts = module.split(".")
    return parts[2] if parts[:2] == ["runtime", "pallets"] and len(parts) > 2 else None


def wrong_imports(module: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    layer, allowed = next(item for item in LAYERS if is_within(module, item[0]))
    for line, imported in imports_of(tree):
        if imported.startswith("."):
            yield line, "imports are absolute"
        if imported.split(".")[0] == "torch" and not is_within(module, "ml"):
            yield line, "torch is imported only in ml"
        if imported.split(".")[0] not in PACKAGES:
            continue
        own = pallet_of(module)
        if own is not None and is_within(imported, "runtime.pallets"):
            if pallet_of(imported) != own:
                yield line, f"pallet {own} imports pallet {pallet_of(imported)}"
        elif not any(is_within(imported, package) for package in (*allowed, layer)):
            # `from runtime import frame` names the package that is allowed.
            yield line, f"{module} may not import {imported}"


def test_imports_run_one_way() -> None:
    ensure_none(report(lambda path: wrong_imports(module_of(path), tree_of(path)), SOURCES))


@pytest.mark.parametrize(
    ("module", "program"),
    [
        ("runtime.primitives.scale", "from runtime.frame.pallet import Pallet"),
        ("runtime.frame.call", "import runtime.pallets.balances"),
        ("runtime.pallets.tasks.pallet", "from runtime.pallets.balances import Balances"),
        ("runtime.pallets.treasury", "from runtime.runtime import Runtime"),
        ("runtime.pallets.treasury", "from runtime.pallets import babe"),
        ("p2p.blobs", "from runtime.frame.pallet import Pallet"),
        ("ml.train", "from flockchain.keys import KeyPair"),
        ("flockchain.pool.pool", "import torch"),
        ("flockchain.pool.pool", "from ml.train import train"),
        ("genesis.spec", "from flockchain.service import run"),
        ("ml.train", "from . import model"),
    ],
)
def test_a_wrong_import_is_found(module: str, program: str) -> None:
    assert list(wrong_imports(module, ast.parse(program)))


def test_a_layer_below_imports_nothing_above() -> None:
    """`runtime.runtime` wires the pallets, `genesis` and `api` use it, never the other way."""

    def upward(path: Path) -> Iterator[tuple[int, str]]:
        module = module_of(path)
        rank = ABOVE_THE_PALLETS.index(module) if module in ABOVE_THE_PALLETS else -1
        if not is_within(module, "runtime"):
            return
        for line, imported in imports_of(tree_of(path)):
            for above in ABOVE_THE_PALLETS[rank + 1 :]:
                if is_within(imported, above):
                    yield line, f"{module} imports {imported}"

    ensure_none(report(upward, SOURCES))


# -- purity of the runtime


def impurities(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for line, imported in imports_of(tree):
        first, *rest = imported.split(".")
        if (
            first in IMPURE
            or (first == "math" and not set(rest) <= INTEGER_MATH)
            or (imported == "math")
        ):
            yield line, f"imports {imported}"
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Constant) and isinstance(node.value, (float, complex)):
            yield line, f"the float {node.value}"
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield line, "a true division"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in BANNED_CALLS:
                yield line, f"calls {node.func.id}()"
        elif isinstance(node, ast.For | ast.comprehension) and is_set(node.iter):
            yield node.iter.lineno, "iterates over a set"
        elif isinstance(node, ast.AsyncFunctionDef | ast.Await):
            yield line, "is asynchronous"


def is_set(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")
    return isinstance(node, ast.Set | ast.SetComp)


def test_the_runtime_is_pure() -> None:
    paths = [path for path in SOURCES if is_within(module_of(path), "runtime")]

    def impure(path: Path) -> Iterator[tuple[int, str]]:
        for line, what in impurities(tree_of(path)):
            if (name_of(path), what.removeprefix("imports ")) not in IMPURE_IMPORTS:
                yield line, what

    ensure_none(report(impure, paths))


@pytest.mark.parametrize(
    "program",
    [
        "import time",
        "from os import path",
        "import math",
        "from math import exp",
        "x = 0.5",
        "x = a / b",
        "x /= 2",
        "float(1)",
        "hash('a')",
        "for x in {1, 2}: pass",
        "[x for x in set(y)]",
        "async def f(): pass",
    ],
)
def test_an_impurity_is_found(program: str) -> None:
    assert list(impurities(ast.parse(program)))


def environment_reads(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
            yield node.lineno, f"reads os.{node.attr}"


def test_only_the_command_line_reads_the_environment() -> None:
    """Settings come down by constructors; `ml` cleans the environment of its child processes."""
    paths = [
        path
        for path in SOURCES
        if not is_within(module_of(path), "flockchain.cli")
        and not is_within(module_of(path), "ml")
        and name_of(path) not in ENVIRONMENT_READERS
    ]
    ensure_none(report(environment_reads, paths))


# -- sizes


def test_files_are_short() -> None:
    def too_long(path: Path) -> Iterator[tuple[int, str]]:
        lines = text_of(path).count("\n")
        if lines > FILE_LINES_MAX:
            yield lines, f"{lines} lines, at most {FILE_LINES_MAX}"

    ensure_none(report(too_long, [*SOURCES, *TESTS]))


def long_functions(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield node.lineno, f"{node.name} has {lines} lines"


def test_functions_are_short() -> None:
    ensure_none(report(long_functions, [*SOURCES, *TESTS]))


def test_lines_are_short() -> None:
    def too_wide(path: Path) -> Iterator[tuple[int, str]]:
        for at, line in enumerate(text_of(path).splitlines(), 1):
            # What a checker reads is no prose; the formatter does not count it either.
            if len(PRAGMA.sub("", line)) > COLUMNS_MAX:
                yield at, f"{len(line)} columns"

    ensure_none(report(too_wide, [*SOURCES, *TESTS]))


# -- words


def test_every_module_says_what_it_is_and_where_its_rules_come_from() -> None:
    def silent(path: Path) -> Iterator[tuple[int, str]]:
        docstring = ast.get_docstring(tree_of(path)) or ""
        if path.name == "__init__.py" and not text_of(path).strip():
            return
        if not docstring:
            yield 1, "no docstring"
        elif not re.search(r"\bSource: \S", docstring):
            yield 1, "the docstring has no `Source: ...`"

    ensure_none(report(silent, SOURCES))


def test_file_names_say_something() -> None:
    vague = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common)(_|\.)")
    assert [name_of(path) for path in [*SOURCES, *TESTS] if vague.search(path.name)] == []


PRAGMA = re.compile(r"\s*# (type: ignore|noqa).*$")
UNFINISHED = re.compile(
    "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3 + r"\b", "NotImplemented" + "Error"))
)
# The glossary's other words; `tx` and its like stand for an extrinsic, `wei` for a planck.
FOREIGN_WORDS = re.compile(r"(?<![A-Za-z])(txn?s?|wei)(?![A-Za-z0-9])", re.IGNORECASE)
FOREIGN_WORDS_ALLOWED = {
    "flockchain/bench/transfers.py": "rows are named tx_per_s and us_per_tx, as elsewhere",
    "runtime/frame/metadata/extrinsic.py": "names a type of Substrate, which clients look up",
    "runtime/runtime_apis.py": "parameter names of Substrate's runtime API, part of the metadata",
}
PRIVATE_WORDS = re.compile(
    "|".join(("/wo" + r"rk\b", r"\bsha" + "red/", r"\bse" + "eds/", "pypi" + r"\.org", "python"
              "hosted"))
)  # fmt: skip
FILLER = re.compile(r"\b(comprehen" + r"sive(ly)?|robus" + r"t(ly|ness)?|seam" + r"less(ly)?)\b")


def matches(pattern: re.Pattern[str], path: Path) -> Iterator[tuple[int, str]]:
    for at, line in enumerate(text_of(path).splitlines(), 1):
        if found := pattern.search(line):
            yield at, f"{found[0]!r}"


def test_nothing_is_left_unfinished() -> None:
    ensure_none(report(lambda path: matches(UNFINISHED, path), [*SOURCES, *TESTS]))


def test_words_follow_the_glossary() -> None:
    paths = [path for path in SOURCES if name_of(path) not in FOREIGN_WORDS_ALLOWED]
    ensure_none(report(lambda path: matches(FOREIGN_WORDS, path), paths))


def tracked_texts() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    suffixes = {".py", ".md", ".toml", ".in", ".txt", ".json", ".yml", ".yaml", ".html", ".js", ""}
    found = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in found if path.suffix in suffixes and path.is_file()]


def test_files_name_only_what_a_reader_has() -> None:
    ensure_none(report(lambda path: matches(PRIVATE_WORDS, path), tracked_texts()))


def test_prose_is_plain() -> None:
    prose = [path for path in tracked_texts() if path.suffix in (".py", ".md")]
    ensure_none(report(lambda path: matches(FILLER, path), prose))


# -- tests


def unfair_calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("skip", "skipif", "xfail"):
            if isinstance(node.value, ast.Name | ast.Attribute):
                yield node.lineno, f"uses {node.attr}"
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            is_yield = [ast.unparse(argument) for argument in node.args] == ["0"]
            if name == "sleep" and not is_yield:
                yield node.lineno, "sleeps"
            if name == "importorskip":
                yield node.lineno, "skips what it cannot import"


def test_tests_neither_skip_nor_sleep() -> None:
    ensure_none(report(lambda path: unfair_calls(tree_of(path)), TESTS))


@pytest.mark.parametrize(
    "program",
    ["pytest.skip('x')", "@pytest.mark.xfail\ndef f(): pass", "time.sleep(1)", "sleep(0.1)"],
)
def test_an_unfair_test_is_found(program: str) -> None:
    assert list(unfair_calls(ast.parse(program)))


def test_assertions_are_never_switched_off() -> None:
    """`assert` guards against bugs at run time, so the one entry refuses to start without it."""
    main = text_of(ROOT / "flockchain/cli/main.py")
    assert "if not __debug__:" in main
    entries = re.findall(r'^flockchain = "(.*)"$', text_of(ROOT / "pyproject.toml"), re.MULTILINE)
    assert entries == ["flockchain.cli.main:main"]


def test_exceptions_to_the_rules_are_still_needed() -> None:
    foreign = {name_of(path) for path in SOURCES if list(matches(FOREIGN_WORDS, path))}
    impure = {
        (name_of(path), what.removeprefix("imports "))
        for path in SOURCES
        if is_within(module_of(path), "runtime")
        for _, what in impurities(tree_of(path))
    }
    readers = {name_of(path) for path in SOURCES if list(environment_reads(path))}
    assert set(FOREIGN_WORDS_ALLOWED) - foreign == set()
    assert set(IMPURE_IMPORTS) - impure == set()
    assert set(ENVIRONMENT_READERS) - readers == set()
