"""`flockchain gov preview`: who would have gained and lost if a proposal had passed some days ago.

Owns where the past comes from: a node that keeps old states, or the database of one that is
stopped. If the database's old states are pruned, its blocks are played from genesis.
Source: WP VII (debate before a vote).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from flockchain.chain.backend import Backend
from flockchain.cli.chain_access import DEFAULT_RPC, JsonFlag, RpcFlag, open_client, print_facts
from flockchain.cli.evaluate import in_fml, make_console
from flockchain.cli.refusal import refuse
from flockchain.cli.spec import load_spec
from flockchain.config import default_base_path
from flockchain.economics.live_state import StateForged, check_root, fetch_state
from flockchain.economics.past_days import PastBlock, PastDays
from flockchain.economics.proposal_preview import NothingToPreview, preview
from flockchain.resting_chain import BlockLacking, ChainNotOpened, filed_blocks, resting_chain
from flockchain.rpc.errors import CLIENT_ERROR
from flockchain.sdk import BlockingClient, Client, Head, RpcFailed
from flockchain.storage.errors import StateDiscarded, StorageError
from genesis.errors import SpecError
from runtime.api import preset_of
from runtime.economy.calendar import Calendar
from runtime.frame.externalities import DictState
from runtime.primitives.types import Hash
from runtime.version import UnknownRuntime

DAYS_MAX: Final = 30
_PARTS: Final = ("balance", "alliance", "vesting", "difference")

ProposalArgument = Annotated[int, typer.Argument(min=0, max=2**32 - 1, help="Its number.")]


def preview_proposal(
    proposal: ProposalArgument,
    days: Annotated[
        int, typer.Option(min=1, max=DAYS_MAX, help="How many of the last whole days.")
    ] = 3,
    rpc: RpcFlag = DEFAULT_RPC,
    chain: Annotated[
        str | None,
        typer.Option(help="Read a stopped node's database of this chain spec, not --rpc."),
    ] = None,
    base_path: Annotated[
        Path | None, typer.Option(help="Where the database lies, with --chain.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Replay the last days as if a proposal had passed before, and print who gains and loses.

    The chain's own blocks are played twice by its own pallets, with the call and without. A node
    must keep the states of those days: start it with --state-pruning archive, or stop it and give
    --chain.
    """
    if base_path is not None and chain is None:
        raise typer.BadParameter("name the chain with --chain too", param_hint="--base-path")
    with _progress() as show:
        if chain is None:
            with open_client(rpc) as client:
                past = _fetch(client, days, show)
        else:
            past = _read(chain, base_path or default_base_path(), days)
        try:
            answer = preview(past, proposal, show.on_block)
        except (NothingToPreview, StateForged, UnknownRuntime) as error:
            refuse(error)
    if as_json:
        print_facts(answer, as_json=True)
    else:
        _print(answer)


class _Bar:
    """How far a preview is, on standard error and only on a terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bar = progress.add_task("reading the past", total=None)

    def on_page(self, keys: int, size_bytes: int) -> None:
        """So much of the state is here."""
        text = f"{keys:,} keys of the state, {size_bytes >> 20} MiB"
        self._progress.update(self._bar, description=text)

    def on_block(self, done: int, total: int) -> None:
        """So many blocks are played, or fetched."""
        text = f"block {done:,} of {total:,}"
        self._progress.update(self._bar, description=text, completed=done, total=total)


@contextmanager
def _progress() -> Iterator[_Bar]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    is_hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=is_hidden) as progress:
        yield _Bar(progress)


def _span(calendar: Calendar, head: int, days: int) -> tuple[int, int]:
    """The first and the last whole day before that of the block `head`; days begin with 1."""
    last = calendar.day_of(head) - 1
    if last < 1:
        refuse(f"block {head} is the last final one: no whole day after day 0 has passed yet")
    return max(last - days + 1, 1), last


# -- from a node


def _fetch(client: BlockingClient, days: int, show: _Bar) -> PastDays:
    head = client.run(client.client.chain.finalized())
    calendar = client.client.preset.calendar
    first, last = _span(calendar, head.number, days)
    start = calendar.first_block(first) - 2
    try:
        return client.run(_download(client.client, (first, last), start, head, show))
    except RpcFailed as error:
        if error.code != CLIENT_ERROR:
            raise
        refuse(
            f"the node does not keep the state of block {start} ({error.message}): ask one with "
            "--state-pruning archive, or stop it and give --chain and --base-path"
        )


async def _download(
    client: Client, span: tuple[int, int], start: int, head: Head, show: _Bar
) -> PastDays:
    blocks: list[PastBlock] = []
    block, count = head.hash, head.number - start
    while len(blocks) < count:
        found = await client.chain.block(block)
        if found is None:
            refuse(f"the node does not have block 0x{block.hex()}")
        blocks.append(PastBlock(found.header, found.extrinsics))
        block = found.header.parent_hash
        show.on_block(len(blocks), count)
    header = await client.chain.header(block)
    if header is None:
        refuse(f"the node does not have block 0x{block.hex()}")
    fetched = await fetch_state(client, show.on_page, Head(block, header))
    return PastDays(*span, check_root(fetched).state, blocks[::-1])


# -- from a database


def _read(chain: str, base_path: Path, days: int) -> PastDays:
    spec = load_spec(chain)
    try:
        with resting_chain(spec, base_path) as backend:
            head = backend.finalized.number
            preset = preset_of(backend.state_at(backend.finalized.hash))
            first, last = _span(preset.calendar, head, days)
            start, state = _state_before(backend, preset.calendar.first_block(first) - 2)
            if state is None:
                start, state = 0, DictState(spec.genesis_top())
            filed = filed_blocks(backend, start + 1, head)
            blocks = [PastBlock(each.header, each.body) for each in filed]
            return PastDays(first, last, state, blocks)
    except (
        BlockLacking,
        ChainNotOpened,
        SpecError,
        StorageError,
        UnknownRuntime,
        OSError,
    ) as error:
        refuse(error)


def _state_before(backend: Backend, number: int) -> tuple[int, DictState | None]:
    """The state of a block, if it is kept."""
    block: Hash | None = backend.blocks.hash_at(number)
    if block is None:
        raise BlockLacking(number)
    try:
        return number, DictState(dict(backend.state_at(block).pairs(b"")))
    except StateDiscarded:
        return number, None


# -- what people see


def _print(answer: Mapping[str, Any]) -> None:
    checked = "whose state root they give" if answer["proven"] else "not checked by a state root"
    print(
        f"Proposal {answer['proposal']} ({answer['track']}: {answer['call']}) as if made before "
        f"day {answer['first_day']}: days {answer['first_day']} to {answer['last_day']}, blocks "
        f"{answer['from_block']:,} to {answer['to_block']:,}, {checked}"
    )
    for title in ("gained", "lost", "moved"):
        if answer[title]:
            _print_accounts(title, answer[title])
    for unit, kind in (("day", "arena"), ("round", "alliance")):
        _print_settlements(kind, unit, answer[kind])
    print(f"{answer['unchanged']} accounts keep what they had.")
    print(f"{in_fml(answer['issued'])} FML more would exist.")
    if answer["left_out"]:
        print(f"{answer['left_out']} extrinsics would have been refused.")
    print("Assumed:")
    for line in answer["assumptions"]:
        print(f"- {line}")


def _print_accounts(title: str, rows: Sequence[Mapping[str, str]]) -> None:
    table = Table(title, *(f"{part}, FML" for part in _PARTS))
    for row in rows:
        table.add_row(row["account"], *(in_fml(row[part]) for part in _PARTS))
    for column in table.columns[1:]:
        column.justify = "right"
    make_console().print(table)


def _print_settlements(kind: str, unit: str, rows: Sequence[Mapping[str, Any]]) -> None:
    changed = [row for row in rows if row["with"] != row["without"]]
    print(f"{kind}: {len(rows)} settlements replayed, {len(changed)} pay another sum")
    if changed:
        table = Table("task", unit, "with, FML", "without, FML")
        for row in changed:
            amounts = (in_fml(row["with"]), in_fml(row["without"]))
            table.add_row(str(row["task"]), str(row[unit]), *amounts)
        make_console().print(table)
