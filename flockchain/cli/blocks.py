"""`flockchain export-blocks`, `import-blocks`, `check-block`, `revert`, `export-state`, `replay`.

They work on the database of a node that is stopped. Invariant: what a command cannot do whole it
refuses in one line that names the block; blocks that were imported before stay.
Source: Substrate `sc_cli` (the commands of the same names).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Annotated, BinaryIO, Final, cast

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flockchain.chain.backend import Backend
from flockchain.chain.block_file import BlockFile, BlockFileError, write_blocks
from flockchain.chain.block_import import ImportRefused, import_blocks
from flockchain.chain.errors import InvalidBlock, UnknownParent
from flockchain.cli.refusal import refuse, why
from flockchain.cli.spec import ChainFlag, load_spec
from flockchain.config import DEFAULT_PRUNING, PRUNING_MIN, default_base_path
from flockchain.resting_chain import (
    BlockLacking,
    ChainNotOpened,
    filed_blocks,
    importer_of,
    open_backend,
    resting_chain,
)
from flockchain.storage.errors import StateDiscarded, StorageError
from flockchain.storage.kv import MemoryStore
from flockchain.storage.state_reader import StateReader
from genesis.errors import SpecError
from genesis.raw import RawGenesis
from runtime.primitives.types import Hash

_REFUSALS: Final = (
    *(BlockFileError, BlockLacking, ChainNotOpened, ImportRefused, InvalidBlock, UnknownParent),
    *(SpecError, StorageError),
)
_HASH_CHARACTERS: Final = 66

BasePathFlag = Annotated[
    Path | None, typer.Option(help="Where chains lie; ~/.local/share/flockchain by default.")
]
DevFlag = Annotated[
    bool, typer.Option("--dev", help="A chain that a node with --dev sealed: no slots, no votes.")
]
BlockArgument = Annotated[
    str, typer.Argument(help="A number, a 0x hash, best or finalized.", metavar="BLOCK")
]
FileArgument = Annotated[str, typer.Argument(help="The file; - is the standard stream.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def export_blocks(
    file: FileArgument = "-",
    chain: ChainFlag = "local",
    base_path: BasePathFlag = None,
    first: Annotated[int, typer.Option("--from", min=1, help="The first block.")] = 1,
    last: Annotated[
        int | None, typer.Option("--to", min=1, help="The last block; the best one by default.")
    ] = None,
) -> None:
    """Write blocks and their proofs of finality to a file, as Substrate's --binary does."""
    with _opened(chain, base_path) as backend:
        end = backend.best.number if last is None else last
        if end > backend.best.number:
            refuse(f"the best block is {backend.best.number}, there is no block {end} to export")
        if first <= end:
            next(filed_blocks(backend, first, first))  # all above it are here if it is
        count = max(end - first + 1, 0)
        with _open(file, "wb") as out:
            write_blocks(out, count, filed_blocks(backend, first, end))
    typer.echo(f"{count:,} blocks exported", err=True)


def import_blocks_command(
    file: FileArgument = "-",
    chain: ChainFlag = "local",
    base_path: BasePathFlag = None,
    dev: DevFlag = False,
    state_pruning: Annotated[str, typer.Option(help="Finalized states to keep, or archive.")] = str(
        DEFAULT_PRUNING
    ),
) -> None:
    """Check and import blocks from a file, as a node imports a peer's."""
    states_max = _read_pruning(state_pruning)
    with (
        _refusing(),
        _open(file, "rb") as source,  # first, since the other makes a database
        _opened(chain, base_path, states_max, is_made=True) as backend,
    ):
        new, count, took_s = _import(backend, BlockFile(source), is_instant=dev)
        typer.echo(
            f"{count:,} blocks read, {new:,} imported in {took_s:.1f} s; best "
            f"{backend.best.number:,} 0x{backend.best.hash.hex()}, finalized "
            f"{backend.finalized.number:,}"
        )


def check_block(
    block: BlockArgument, chain: ChainFlag = "local", base_path: BasePathFlag = None
) -> None:
    """Execute a block of the chain again and compare its state root; nothing is written."""
    with _opened(chain, base_path) as backend:
        found = _find(backend, block)
        header, body = backend.header(found), backend.blocks.body(found)
        assert header is not None, "the block is known"
        if body is None:
            raise BlockLacking(header.number)
        if header.number == 0:
            refuse("block 0 is not executed, it is the genesis of the chain spec")
        _state_of(backend, header.parent_hash)
        importer, _ = importer_of(backend, is_instant=False)
        began_s = time.perf_counter()
        importer.check_execution(header, body)
        took_ms = (time.perf_counter() - began_s) * 1_000
    typer.echo(
        f"block {header.number} with {len(body)} extrinsics gives its state root "
        f"0x{header.state_root.hex()} ({took_ms:.1f} ms)"
    )


def revert(
    count: Annotated[int, typer.Argument(min=1, help="How many blocks.")] = 256,
    chain: ChainFlag = "local",
    base_path: BasePathFlag = None,
) -> None:
    """Forget the newest blocks; what is final stays."""
    with _opened(chain, base_path) as backend:
        before = backend.best.number
        if before == backend.finalized.number:
            refuse(f"block {before} is final, and so is all below it: there is nothing to revert")
        best = backend.revert(count)
        typer.echo(
            f"{before - best.number} blocks reverted, best {best.number} 0x{best.hash.hex()}"
        )


def export_state(
    block: BlockArgument = "best", chain: ChainFlag = "local", base_path: BasePathFlag = None
) -> None:
    """Print a raw chain spec whose genesis is the state behind a block."""
    spec = load_spec(chain)
    with _opened(chain, base_path) as backend:
        top = dict(_state_of(backend, _find(backend, block)).pairs())
    typer.echo(replace(spec, genesis=RawGenesis(top)).to_json(is_raw=True), nl=False)


def replay(
    file: FileArgument,
    chain: ChainFlag = "local",
    dev: DevFlag = False,
    expect_roots: Annotated[
        Path | None, typer.Option(help="A file with the state root of each block, one a line.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Execute the blocks of a file from genesis in memory and compare every state root."""
    expected = None if expect_roots is None else _read_roots(expect_roots)
    with _refusing(), _open(file, "rb") as source:
        backend = open_backend(MemoryStore(), load_spec(chain), DEFAULT_PRUNING)
        _, count, took_s = _import(backend, BlockFile(source), is_instant=dev)
        roots = [_root_at(backend, number) for number in range(1, count + 1)]
    if expected is not None and roots != expected:
        pairs = zip(roots, expected, strict=False)
        place = 1 + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        refuse(
            f"the roots differ from block {place} on: {len(roots)} blocks, {len(expected)} roots"
        )
    facts = {
        "blocks": count,
        "seconds": round(took_s, 3),
        "best": f"0x{backend.best.hash.hex()}",
        "state_root": roots[-1] if roots else _root_at(backend, 0),
    }
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        typer.echo(f"{count:,} blocks in {took_s:.1f} s, state root {facts['state_root']}")


def _import(backend: Backend, blocks: BlockFile, *, is_instant: bool) -> tuple[int, int, float]:
    """New blocks, blocks read, and seconds."""
    importer, settle = importer_of(backend, is_instant=is_instant)
    console = Console(stderr=True)
    new = count = 0
    began_s = time.perf_counter()
    with Progress(
        *(TextColumn("blocks"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        bar = progress.add_task("blocks", total=blocks.count)
        for is_new in import_blocks(importer, blocks, settle):
            new, count = new + is_new, count + 1
            progress.update(bar, completed=count)
    return new, count, time.perf_counter() - began_s


def _find(backend: Backend, text: str) -> Hash:
    """The block that is named."""
    if text in ("best", "finalized"):
        return (backend.best if text == "best" else backend.finalized).hash
    if text.startswith("0x") and len(text) == _HASH_CHARACTERS:
        try:
            block = Hash(bytes.fromhex(text[2:]))
        except ValueError:
            refuse(f"{text} is no hash")
        if backend.header(block) is None:
            refuse(f"block {text} is not known")
        return block
    if not text.isascii() or not text.isdecimal() or len(text) > 10:
        refuse(f"{text} is no block: give a number, a 0x hash of 32 bytes, best or finalized")
    found = backend.blocks.hash_at(int(text))
    if found is None and int(text) < backend.finalized.number:
        raise BlockLacking(int(text))
    if found is None:
        refuse(f"there is no block {text}, the best one is {backend.best.number}")
    return found


def _state_of(backend: Backend, block: Hash) -> StateReader:
    try:
        return backend.state_at(block)
    except StateDiscarded:
        header = backend.header(block)
        assert header is not None, "the block is known"
        refuse(
            f"the state behind block {header.number} is kept no more: a node has those of its last "
            "final blocks (--state-pruning), and all only as an archive"
        )


def _root_at(backend: Backend, number: int) -> str:
    block = backend.blocks.hash_at(number)
    header = None if block is None else backend.header(block)
    assert header is not None, "the block was imported"
    return f"0x{header.state_root.hex()}"


def _read_roots(path: Path) -> list[str]:
    try:
        return [line.strip().lower() for line in path.read_text().splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"--expect-roots: cannot read {path}: {why(error)}")


def _read_pruning(text: str) -> int | None:
    if text == "archive":
        return None
    if not text.isascii() or not text.isdecimal() or not PRUNING_MIN <= int(text) < 2**31:
        refuse(f"--state-pruning: {text} is neither archive nor a number from {PRUNING_MIN}")
    return int(text)


@contextmanager
def _opened(
    chain: str, base_path: Path | None, states_max: int | None = None, *, is_made: bool = False
) -> Iterator[Backend]:
    spec, base = load_spec(chain), base_path or default_base_path()
    with _refusing(), resting_chain(spec, base, states_max, is_made=is_made) as backend:
        yield backend


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        refuse(f"cannot use {error.filename or 'the file'}: {why(error)}")
    except _REFUSALS as error:
        refuse(error)


@contextmanager
def _open(file: str, mode: str) -> Iterator[BinaryIO]:
    if file == "-":
        stream = sys.stdin if mode == "rb" else sys.stdout
        yield stream.buffer
        return
    with Path(file).open(mode) as found:
        yield cast("BinaryIO", found)
