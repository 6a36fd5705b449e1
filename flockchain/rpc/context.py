"""What the methods need of the node, as the node's wiring hands it over.

Source: Substrate `sc_rpc` (`FullDeps`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from flockchain.chain.backend import Backend
from flockchain.pool.entry import Entry
from flockchain.pool.pool import Pool
from flockchain.rpc.task_events import TaskEventFeed
from flockchain.rpc.watch import ExtrinsicWatch
from flockchain.rpc.wire import Json
from flockchain.session_keyring import SessionKeyring


@dataclass(frozen=True, slots=True)
class ChainInfo:
    """The chain's identity, from its specification."""

    name: str
    id: str
    chain_type: str  # Development, Local or Live
    properties: dict[str, Json]  # ss58Format, tokenDecimals, tokenSymbol


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """The program and what it does."""

    name: str
    version: str
    roles: tuple[str, ...] = ("Full",)  # Full, LightClient, Authority


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """A connected peer, as it last told of itself."""

    peer_id: str
    roles: str
    best_hash: bytes
    best_number: int


class Network(Protocol):
    """The node's peers."""

    @property
    def should_have_peers(self) -> bool:
        """Whether having none is a reason to worry."""

    def local_peer_id(self) -> str:
        """The node's own id."""

    def listen_addresses(self) -> Sequence[str]:
        """Where others can reach the node, as multiaddresses that end in its id."""

    def peers(self) -> Sequence[PeerInfo]:
        """Who is connected."""


class SyncState(Protocol):
    """How far the node is behind."""

    @property
    def is_major_syncing(self) -> bool:
        """Whether the node is far behind its peers."""

    @property
    def starting_block(self) -> int:
        """The best number when this synchronization began."""

    @property
    def highest_block(self) -> int | None:
        """The best number of all peers; None without peers."""


class Submit(Protocol):
    """The way of an extrinsic from outside into pool and network."""

    def __call__(self, data: bytes) -> Entry:
        """Validate, add to the pool, gossip. Raises PoolError."""


@dataclass
class RpcContext:
    """Everything that methods read and the few things that they may do."""

    backend: Backend
    pool: Pool
    submit: Submit
    chain: ChainInfo
    node: NodeInfo
    network: Network
    sync: SyncState
    announce_model: Callable[[bytes], None] | None = None
    """Spreads a user's signed model hash. Raises ModelHashError. None: the node spreads none."""
    session_keys: SessionKeyring | None = None
    """The node's keys. None: it has no keystore."""

    def __post_init__(self) -> None:
        self.watch = ExtrinsicWatch(self.pool)
        self.task_events = TaskEventFeed(self.backend)
