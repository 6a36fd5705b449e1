"""A live chain's state for a command, fetched once and with a bar that shows how far it is.

Owns the progress bar, which is drawn on standard error and only on a terminal.
Source: Substrate `state_getKeysPaged`, `state_getReadProof`.
"""

from __future__ import annotations

from functools import cached_property
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from flockchain.economics.live_rules import RULE_PATHS
from flockchain.economics.live_state import LiveState, check_root, fetch_keys, fetch_state
from flockchain.sdk import BlockingClient

_MIB = 1 << 20


class ChainCopy:
    """A `LiveSource` over a node. Use it in a `with` block."""

    def __init__(self, client: BlockingClient) -> None:
        self._client = client
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._bar = self._progress.add_task("asking the node", total=None)

    def __enter__(self) -> ChainCopy:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def rules(self) -> LiveState:
        """The rules in force after the last final block, proven. Raises SdkError."""
        return self._rules

    def state(self) -> LiveState:
        """The whole state after the last final block. Raises SdkError."""
        return self._state

    def on_block(self, done: int, total: int) -> None:
        """Show how many blocks are played."""
        text = f"block {done:,} of {total:,} on copies of the chain"
        self._progress.update(self._bar, description=text, completed=done, total=total)

    @cached_property
    def _rules(self) -> LiveState:
        return self._client.run(fetch_keys(self._client.client, RULE_PATHS))

    @cached_property
    def _state(self) -> LiveState:
        fetched = self._client.run(fetch_state(self._client.client, self._on_page))
        self._show(f"computing the state root of {len(fetched.state.top):,} keys")
        return check_root(fetched)

    def _on_page(self, keys: int, size_bytes: int) -> None:
        self._show(f"{keys:,} keys of the chain's state, {size_bytes / _MIB:.1f} MiB")

    def _show(self, text: str) -> None:
        self._progress.update(self._bar, description=text)
