"""The state of a live chain's last final block, fetched from a node and checked where it can be.

Owns the download of a whole state, key by key and bounded, and of single keys with their proofs. A
whole state is checked by building its trie: the root must be that of the block's header. The node
is believed in which block is final, and in nothing else that was checked.
Source: Substrate `state_getKeysPaged`, `state_getReadProof`; WP II.A (state and ledger).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from flockchain.sdk import Client, Head, SdkError
from flockchain.storage.errors import ProofError
from flockchain.storage.trie_build import root_of
from flockchain.storage.trie_codec import StateVersion
from runtime.frame.externalities import DictState

KEYS_MAX: Final = 2_000_000
BYTES_MAX: Final = 1 << 30
ROOT_KEYS_MAX: Final = 250_000  # building the trie of so many takes about ten seconds

Progress = Callable[[int, int], None]
"""Told after each page how many keys, and bytes, are here."""


class StateTooLarge(SdkError):
    """The chain's state has more keys or bytes than are fetched; the message tells the limit."""


class StateForged(SdkError):
    """What the node sent is not the state of the block that it named."""


@dataclass(frozen=True, slots=True)
class LiveState:
    """The state after a final block, whole or of single keys.

    `is_proven`: whether it follows from the header's state root.
    """

    head: Head
    state: DictState
    is_proven: bool


async def fetch_state(
    client: Client, progress: Progress | None = None, head: Head | None = None
) -> LiveState:
    """The whole state after the last final block or `head`, not checked yet: see `check_root`.

    Raises StateTooLarge, SdkError.
    """
    head = await client.chain.finalized() if head is None else head
    top: dict[bytes, bytes] = {}
    size_bytes = 0
    async for page in client.at(head.hash).pages():
        top.update(page)
        size_bytes += sum(len(key) + len(value) for key, value in page)
        if len(top) > KEYS_MAX or size_bytes > BYTES_MAX:
            raise StateTooLarge(
                f"the state of block #{head.number} has more than {KEYS_MAX} keys or "
                f"{BYTES_MAX >> 20} MiB: that is more than is fetched"
            )
        if progress is not None:
            progress(len(top), size_bytes)
    return LiveState(head, DictState(top), is_proven=False)


def check_root(fetched: LiveState) -> LiveState:
    """The state, proven by its trie's root; as it came if it is too large for that.

    Raises StateForged.
    """
    top, header = fetched.state.top, fetched.head.header
    if len(top) > ROOT_KEYS_MAX:
        return fetched
    root = root_of(top, StateVersion.V1)
    if root != header.state_root:
        raise StateForged(
            f"the node's state of block #{header.number} has root 0x{root.hex()}, the header says "
            f"0x{header.state_root.hex()}"
        )
    return LiveState(fetched.head, fetched.state, is_proven=True)


async def fetch_keys(client: Client, paths: Sequence[bytes]) -> LiveState:
    """Single keys after the last final block, proven. Raises StateForged, SdkError."""
    head = await client.chain.finalized()
    try:
        found = await client.at(head.hash).proven(head.header.state_root, paths)
    except ProofError as error:
        raise StateForged(
            f"the node's proof of block #{head.number} does not hold: {error}"
        ) from error
    held = {path: value for path, value in found.items() if value is not None}
    return LiveState(head, DictState(held), is_proven=True)
