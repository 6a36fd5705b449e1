"""A development node in memory behind a real RPC server on a loopback port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random

from flockchain.blobs import BlobStore
from flockchain.chain.backend import Backend
from flockchain.chain.importer import Importer
from flockchain.chain.notifications import Imported
from flockchain.chain.signatures import SignatureCache
from flockchain.consensus.instant import InstantConsensus, InstantSealer
from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.node import Node
from flockchain.pool.entry import Status
from flockchain.pool.pool import Pool, PoolConfig
from flockchain.rpc.blobs import BlobRoutes
from flockchain.rpc.context import ChainInfo, NodeInfo, PeerInfo, RpcContext
from flockchain.rpc.server import RpcConfig, RpcServer
from flockchain.storage.kv import MemoryStore
from flockchain.storage.state import StateStore
from genesis.spec import load_chain_spec
from p2p.interface import PeerId
from p2p.memory import MemoryHub
from runtime.api import validate_transaction
from runtime.frame.extrinsic import (
    Additional,
    Extra,
    MetadataHashMode,
    Preamble,
    assemble,
    signing_payload,
)
from runtime.frame.pallet import encode_call
from runtime.frame.validity import TransactionSource, ValidTransaction
from runtime.pallets.balances import Balances
from runtime.pallets.system import System
from runtime.primitives.era import IMMORTAL
from runtime.primitives.multi import Ed25519, Id, Sr25519
from runtime.primitives.types import FML, Hash
from runtime.version import SPEC_VERSION, TRANSACTION_VERSION

ALICE = key_pair_from_uri("//Alice", "ed25519")
ALICE_SR = key_pair_from_uri("//Alice", "sr25519")
BOB = key_pair_from_uri("//Bob", "ed25519")
START_MS = 1_700_000_000_000
PEER = PeerInfo("12D3KooWpeer", "AUTHORITY", bytes(32), 7)


class StepClock:
    """Time that moves by itself only as tests say."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms


class NoNetwork:
    """A node's view of a network without peers, or with one."""

    should_have_peers = False

    def __init__(self) -> None:
        self.connected: list[PeerInfo] = []

    def local_peer_id(self) -> str:
        return "12D3KooWlocal"

    def listen_addresses(self) -> list[str]:
        return ["/ip4/127.0.0.1/tcp/30333/p2p/12D3KooWlocal"]

    def peers(self) -> list[PeerInfo]:
        return self.connected


@dataclass
class Settled:
    """A node that is never behind."""

    is_major_syncing: bool = False
    starting_block: int = 0
    highest_block: int | None = None


@dataclass
class DevNode:
    """The parts that tests touch."""

    backend: Backend
    pool: Pool
    node: Node
    sealer: InstantSealer
    clock: StepClock
    context: RpcContext
    network: NoNetwork
    sync: Settled
    server: RpcServer = field(init=False)
    blobs: BlobStore = field(init=False)

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}/"

    def seal(self) -> Imported:
        """Make a block, final at once."""
        self.clock.ms += 1_000
        return self.sealer.seal(self.clock.ms)[0]

    def seal_when_asked(self) -> None:
        """Seal soon after an extrinsic becomes ready, as `--dev` does."""
        loop = asyncio.get_running_loop()

        def on_status(extrinsic: Hash, status: Status, block: Hash | None) -> None:
            if status is Status.READY:
                loop.call_soon(self._on_time)

        self.pool.listeners.append(on_status)

    def _on_time(self) -> None:
        self.clock.ms += 1_000
        self.node.on_time()

    def sign(self, call: bytes, nonce: int, key: KeyPair = ALICE, tip: int = 0) -> bytes:
        """A signed extrinsic."""
        extra = Extra(IMMORTAL, nonce, tip, MetadataHashMode.DISABLED)
        genesis = self.backend.genesis
        additional = Additional(SPEC_VERSION, TRANSACTION_VERSION, genesis, genesis, None)
        kind = Ed25519 if key.scheme == "ed25519" else Sr25519
        signature = kind(key.sign(signing_payload(call, extra, additional)))
        return assemble(call, Preamble(Id(key.account), signature, extra))

    def transfer(self, nonce: int, amount: int = FML, tip: int = 0) -> bytes:
        """Alice pays Bob."""
        call = encode_call(Balances.transfer_keep_alive, Id(BOB.account), amount)
        return self.sign(call, nonce, tip=tip)

    def remark(self, nonce: int, size_bytes: int) -> bytes:
        """Alice puts bytes into a block."""
        return self.sign(encode_call(System.remark, bytes(size_bytes)), nonce)


def build(genesis: dict[bytes, bytes] | None = None) -> DevNode:
    """A node over an empty store and the dev chain's genesis, or another state of block 0."""
    spec = load_chain_spec("dev")
    clock, store, verify = StepClock(), MemoryStore(), SignatureCache()
    backend = Backend(store, StateStore(store))
    backend.open(spec.genesis_top() if genesis is None else genesis)

    def validate(source: TransactionSource, data: bytes) -> ValidTransaction:
        best = backend.best
        state = backend.state_at(best.hash)
        return validate_transaction(state, best.hash, best.number, source, data, verify)

    pool = Pool(PoolConfig(), validate)
    importer = Importer(backend, InstantConsensus(), verify)
    sealer = InstantSealer(backend, importer, pool, clock)
    node = Node(backend, importer, pool, clock, sealer)
    hub = MemoryHub(Random(1), lambda *_: 1)
    node.connect(hub.join(PeerId("dev"), node), None)
    network, sync = NoNetwork(), Settled()
    context = RpcContext(
        backend=backend,
        pool=pool,
        submit=node.submit,
        chain=ChainInfo(
            spec.name,
            spec.id,
            "Development",
            {"ss58Format": 42, "tokenDecimals": 18, "tokenSymbol": "FML"},
        ),
        node=NodeInfo("flockchain", "0.1.0", ("Authority",)),
        network=network,
        sync=sync,
    )
    return DevNode(backend, pool, node, sealer, clock, context, network, sync)


@asynccontextmanager
async def dev_node(
    config: RpcConfig | None = None, blobs: BlobRoutes | None = None, made: DevNode | None = None
) -> AsyncIterator[DevNode]:
    """The node with its server running."""
    node = build() if made is None else made
    node.server = RpcServer(node.context, config or RpcConfig(port=0), blobs=blobs)
    await node.server.start()
    try:
        yield node
    finally:
        await node.server.stop()
