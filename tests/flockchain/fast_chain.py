"""A chain of one node in this process: real runtime, pool, blobs and RPC server, sealed at will."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from flockchain.blobs import BlobStore
from flockchain.chain.backend import Backend
from flockchain.chain.importer import Importer
from flockchain.chain.notifications import Imported
from flockchain.chain.signatures import SignatureCache
from flockchain.chain.validation import BestBlockValidator
from flockchain.consensus.instant import InstantConsensus, InstantSealer
from flockchain.keys import KeyPair, key_pair_from_uri
from flockchain.keystore import MemoryKeystore
from flockchain.model_hash_message import ModelHash
from flockchain.model_hashes import ModelHashes, Surroundings
from flockchain.node import Node
from flockchain.pool.entry import Status
from flockchain.pool.pool import Pool, PoolConfig
from flockchain.rpc.blobs import BlobRoutes
from flockchain.rpc.context import ChainInfo, NodeInfo, PeerInfo, RpcContext
from flockchain.rpc.server import RpcConfig, RpcServer
from flockchain.rpc.upload_rights import UploadRights
from flockchain.session_keyring import SessionKeyring
from flockchain.storage.kv import MemoryStore
from flockchain.storage.state import StateStore
from p2p.interface import PeerId
from p2p.memory import MemoryHub
from runtime.api import genesis_state, runtime_at
from runtime.genesis import GenesisConfig
from runtime.pallets.babe import EpochAuthority
from runtime.primitives.babe_digest import Authority
from runtime.primitives.types import FML, AccountId, Hash
from runtime.runtime import Runtime

START_MS = 1_700_000_000_000
ENDOWMENT = 100_000 * FML
AUTHOR = key_pair_from_uri("//Author", "ed25519")


class StepClock:
    """Time that moves as blocks are sealed."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms


class NoPeers:
    """A node alone."""

    should_have_peers = False
    is_major_syncing = False
    starting_block = 0
    highest_block: int | None = None

    def local_peer_id(self) -> str:
        return "12D3KooWlocal"

    def listen_addresses(self) -> Sequence[str]:
        return []

    def peers(self) -> Sequence[PeerInfo]:
        return []


class FastChain:
    """The node and what tests do with it. The server can be stopped and started again."""

    def __init__(
        self, directory: Path, keys: Sequence[KeyPair], genesis: dict[bytes, bytes] | None = None
    ) -> None:
        (directory / "uploads").mkdir(parents=True, exist_ok=True)
        self.clock, store, verify = StepClock(), MemoryStore(), SignatureCache()
        self.backend = Backend(store, StateStore(store))
        self.backend.open(genesis or genesis_of([AUTHOR, *keys]))
        self.pool = Pool(PoolConfig(), BestBlockValidator(self.backend, verify))
        importer = Importer(self.backend, InstantConsensus(), verify)
        self.sealer = InstantSealer(self.backend, importer, self.pool, self.clock)
        self.node = Node(self.backend, importer, self.pool, self.clock, self.sealer)
        hub = MemoryHub(Random(1), lambda *_: 1)
        self.network = hub.join(PeerId("fast"), self.node)
        self.node.connect(self.network, None)
        self.announced: list[ModelHash] = []
        around = Surroundings(
            self.backend.genesis,
            self.clock,
            verify,
            lambda task, who: self.runtime().delegation.operators.contains((task, who)),
            lambda peer: True,
            self.announced.append,
        )
        self.model_hashes = ModelHashes(around)
        self.blobs = BlobStore(directory / "blobs", 1 << 30, 1 << 28)
        self._uploads = directory / "uploads"
        self.port = 0
        self.server: RpcServer | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Serve, on the same port as before."""
        alone = NoPeers()
        context = RpcContext(
            backend=self.backend,
            pool=self.pool,
            submit=self.node.submit,
            chain=ChainInfo("Fast", "fast", "Development", {}),
            node=NodeInfo("flockchain", "0.1.0", ("Authority",)),
            network=alone,
            sync=alone,
            announce_model=self._announce,
            session_keys=SessionKeyring(MemoryKeystore(), "", self.backend),
        )
        routes = BlobRoutes(
            self.blobs,
            UploadRights(self.backend),
            blob_max_bytes=1 << 28,
            upload_directory=self._uploads,
        )
        self.server = RpcServer(context, RpcConfig(port=self.port), blobs=routes)
        await self.server.start()
        self.port = self.server.port

    def _announce(self, data: bytes) -> None:
        self.model_hashes.announce(self.network, data)

    async def stop(self) -> None:
        """Stop serving, as a node that restarts does."""
        assert self.server is not None
        await self.server.stop()
        self.server = None

    def seal(self, count: int = 1) -> Imported:
        """Make blocks, each final at once; the last one."""
        for _ in range(count):
            self.clock.ms += 1_000
            imported = self.sealer.seal(self.clock.ms)[0]
        return imported

    def seal_when_asked(self) -> None:
        """From now on, seal soon after an extrinsic becomes ready."""
        loop = asyncio.get_running_loop()

        def on_status(extrinsic: Hash, status: Status, block: Hash | None) -> None:
            if status is Status.READY:
                loop.call_soon(self.seal)

        self.pool.listeners.append(on_status)

    def runtime(self) -> Runtime:
        """The pallets over the best block's state."""
        return runtime_at(self.backend.state_at(self.backend.best.hash))

    def free(self, key: KeyPair) -> int:
        """What an account can spend, planck."""
        return self.runtime().system.account_info(AccountId(key.public)).data.free


def genesis_of(keys: Sequence[KeyPair]) -> dict[bytes, bytes]:
    """A devnet genesis in which every key is endowed and the first one is the authority."""
    weight = 500 * 10**9
    return genesis_state(
        GenesisConfig(
            preset="devnet",
            balances={key.account: ENDOWMENT for key in keys},
            authorities=[EpochAuthority(AUTHOR.public, weight, AUTHOR.account)],
            grandpa=[Authority(AUTHOR.public, weight)],
        )
    )


@asynccontextmanager
async def fast_chain(
    directory: Path, keys: Sequence[KeyPair], genesis: dict[bytes, bytes] | None = None
) -> AsyncIterator[FastChain]:
    """A chain that serves, until the context ends; `genesis` stands for the keys' usual one."""
    chain = FastChain(directory, keys, genesis)
    await chain.start()
    try:
        yield chain
    finally:
        if chain.server is not None:
            await chain.stop()
        chain.blobs.close()
